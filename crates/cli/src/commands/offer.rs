//! `dockline offer`: a registry of this machine, for a host to use while the command runs.

use crate::{
    arguments::Offer,
    commands::configure::existing_file,
    face::Face,
    interrupts::{Interrupts, cancelled},
    output::{Output, wrapped_for_stdout},
    prompts::Answers,
};
use dockline_model::{Change, Code, Command, OfferId, OfferSpec, OfferState, OfferView, SshTarget, UiError};

/// Offers it until Ctrl-C.
pub async fn offer(offer: Offer, output: Output) -> Result<(), UiError> {
    let identity = offer.identity.map(existing_file).transpose()?;
    let spec = OfferSpec {
        ssh: SshTarget { identity, jump: offer.jump, ..offer.host },
        port: offer.port,
        to: offer.to,
    };
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

struct Offering<'a> {
    face: &'a Face,
    spec: &'a OfferSpec,
    output: Output,
}

impl Offering<'_> {
    async fn run(&self, is_told: &mut bool) -> Result<(), UiError> {
        let mut interrupts = Interrupts::new()?;
        let mut events = self.face.events();
        let offer = Command::Offer { offer: self.spec.clone(), hold: true };
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
