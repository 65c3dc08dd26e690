//! `dockline offer`: a registry of this machine, for a host to use while the command runs.

use crate::{
    arguments::Offer,
    commands::configure::existing_file,
    face::Face,
    interrupts::{Interrupts, cancelled},
    output::{Output, wrapped_for_stdout},
    prompts::Answers,
};
use dockline_core::{Paths, config};
use dockline_model::{Change, Code, Command, OfferId, OfferSpec, OfferState, OfferView, SshTarget, UiError};

/// Offers it until Ctrl-C.
pub async fn offer(offer: Offer, output: Output) -> Result<(), UiError> {
    let identity = offer.identity.map(existing_file).transpose()?;
    let spec = OfferSpec {
        ssh: SshTarget { identity, jump: offer.jump, ..offer.host },
        port: offer.port,
        to: offer.to,
    };
    if offer.withdraw {
        return withdraw(&spec, output).await;
    }
    if offer.keep {
        return keep(&spec, output).await;
    }
    let mut is_told = false;
    loop {
        let (face, _) = Face::open_configured(Answers::Terminal, output).await?;
        let ended = Offering { face: &face, spec: &spec, output }.run(&mut is_told).await;
        match ended {
            Err(error) if is_told && error.code == Code::OwnerGone => {
                output.remark("The Dockline that offered it has ended; this command goes on by itself.");
                face.close().await;
            }
            ended => {
                face.close_when_unneeded().await;
                return ended;
            }
        }
    }
}

/// Has it offered whenever an owner runs. Where none does, this command is one until Ctrl-C.
async fn keep(spec: &OfferSpec, output: Output) -> Result<(), UiError> {
    let (face, _) = Face::open_configured(Answers::Terminal, output).await?;
    let kept = async {
        let mut interrupts = Interrupts::new()?;
        let offer = Command::Offer { offer: spec.clone(), hold: false, keep: true };
        tokio::select! {
            biased;
            () = interrupts.next() => return Err(cancelled()),
            offered = face.request(offer) => drop(offered?),
        }
        let view = Offering { face: &face, spec, output }.own().await?.ok_or_else(gone)?;
        output.result(&view, || offered_text(&view))?;
        output.remark("It stays so whenever the desktop app or the agent runs; --withdraw ends that.");
        if face.is_owner() {
            output.remark("Neither of them runs now, so this command offers it until Ctrl-C.");
            tokio::select! {
                () = interrupts.next() => {}
                _ = face.ended() => {}
            }
        }
        Ok(())
    };
    let kept = kept.await;
    face.close_when_unneeded().await;
    kept
}

/// Takes it back, whether or not an owner runs.
async fn withdraw(spec: &OfferSpec, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::look(output).await?;
    let withdrawn = async {
        if !face.has_owner() {
            return forget(spec.clone()).await;
        }
        let offer = snapshot.offers.into_iter().find(|offer| offer.spec.is_same_place(spec));
        let offer = offer.ok_or_else(not_offered)?;
        face.request(Command::Withdraw { offer: offer.id }).await.map(drop)
    };
    let withdrawn = withdrawn.await;
    face.close().await;
    withdrawn?;
    let OfferSpec { ssh, port, .. } = spec;
    output.result(spec, || format!("Nothing is offered at 127.0.0.1:{port} of {} any more.", ssh.host))
}

/// Without an owner the configuration is all there is of it.
async fn forget(spec: OfferSpec) -> Result<(), UiError> {
    let paths = Paths::from_process().map_err(|error| UiError::from(&error))?;
    let forgotten = tokio::task::spawn_blocking(move || {
        let is_there =
            config::load(&paths.config_file)?.offers.iter().any(|other| other.is_same_place(&spec));
        config::withdraw_offer(&paths, &spec).map(|_| is_there)
    });
    match forgotten.await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(not_offered()),
        Ok(Err(error)) => Err(UiError::from(&error)),
        Err(error) => Err(UiError::new(Code::Internal, format!("A background task failed: {error}."))),
    }
}

fn not_offered() -> UiError {
    UiError::new(Code::NotFound, "Nothing is offered there.").hint("`dockline status` shows what is.")
}

struct Offering<'a> {
    face: &'a Face,
    spec: &'a OfferSpec,
    output: Output,
}

impl Offering<'_> {
    async fn run(&self, is_told: &mut bool) -> Result<(), UiError> {
        let mut interrupts = Interrupts::new()?;
        let mut events = self.face.events();
        let offer = Command::Offer { offer: self.spec.clone(), hold: true, keep: false };
        tokio::select! {
            biased;
            () = interrupts.next() => {
                self.withdraw().await?;
                return Err(cancelled());
            }
            offered = self.face.request(offer) => drop(offered?),
        }
        let view = self.own().await?.ok_or_else(gone)?;
        if !*is_told {
            self.output.result(&view, || offered_text(&view))?;
            self.output.remark("Ctrl-C takes it back.");
            *is_told = true;
        }
        let mut last = String::new();
        loop {
            let change = tokio::select! {
                () = interrupts.next() => return self.withdraw().await,
                event = events.next() => match event {
                    Some(event) => event.change,
                    None => return Err(self.face.ended().await.unwrap_or_else(gone)),
                },
            };
            match news(change, view.id) {
                Some(Ok(text)) if text != last => {
                    let host = &self.spec.ssh.host;
                    let all_is_well = format!("{host}: offered again.");
                    self.face.screen().say(if text.is_empty() { &all_is_well } else { &text });
                    last = text;
                }
                Some(Ok(_)) | None => {}
                Some(Err(error)) => return Err(error),
            }
        }
    }

    /// The offer as the owner has it.
    async fn own(&self) -> Result<Option<OfferView>, UiError> {
        let offers = self.face.snapshot().await?.offers;
        Ok(offers.into_iter().find(|offer| offer.spec == *self.spec))
    }

    async fn withdraw(&self) -> Result<(), UiError> {
        let Some(offer) = self.own().await? else { return Ok(()) };
        match self.face.request(Command::Withdraw { offer: offer.id }).await {
            // Somebody else was faster.
            Err(error) if error.code != Code::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn offered_text(view: &OfferView) -> String {
    let OfferSpec { ssh, port, to } = &view.spec;
    let offered = format!("The registry at {to} is at 127.0.0.1:{port} of {} now.", ssh.host);
    format!("{}\nThere:\n  docker pull localhost:{port}/app:v1", wrapped_for_stdout(&offered))
}

/// What `change` says about the offer: a sentence (empty when all is well), its end, or nothing.
fn news(change: Change, id: OfferId) -> Option<Result<String, UiError>> {
    let offer = if let Change::Offer { offer } = change {
        Some(offer).filter(|offer| offer.id == id)?
    } else if let Change::Resync { snapshot } = change {
        match snapshot.offers.into_iter().find(|offer| offer.id == id) {
            Some(offer) => offer,
            None => return Some(Err(gone())),
        }
    } else {
        return (change == Change::OfferGone { id }).then(|| Err(gone()));
    };
    let host = &offer.spec.ssh.host;
    Some(match (offer.state, offer.error) {
        (OfferState::Failed { error }, _) => Err(error),
        (OfferState::Reconnecting { error, .. }, _) => {
            Ok(format!("{host}: not offered at the moment, trying again: {}", error.message))
        }
        (OfferState::Offering { .. }, Some(error)) => Ok(format!("{host}: {}", error.message)),
        (OfferState::Offering { .. } | OfferState::Connecting, _) => Ok(String::new()),
    })
}

fn gone() -> UiError {
    UiError::new(Code::Disconnected, "The registry is not offered any more: somebody took it back.")
        .hint("Offer it again if that was not meant.")
}
