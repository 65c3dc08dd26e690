//! `dockline push` and `dockline pull`.

use super::{
    connect::News,
    target::{is_archive, push_target},
};
use crate::{
    arguments::Push,
    face::{Face, unexpected},
    interrupts::{Interrupts, cancelled},
    output::Output,
    progress::{Progress, summary},
    prompts::Answers,
};
use dockline_core::EventStream;
use dockline_model::{
    ArchiveFormat, Change, Code, Command, Extent, RegistrySpec, Reply, Snapshot, TransferId, TransferState,
    TransferView, UiError,
};
use std::path::PathBuf;

/// Pushes an image or an archive and waits for the end.
pub async fn push(push: Push, output: Output) -> Result<(), UiError> {
    transfer(output, |snapshot| {
        let registries: Vec<RegistrySpec> =
            snapshot.registries.iter().map(|view| view.spec.clone()).collect();
        push_command(&push, &registries)
    })
    .await
}

/// Opens a session, does what `command` makes of the state, tells how that ended, and leaves.
async fn transfer(
    output: Output,
    command: impl Fn(&Snapshot) -> Result<Command, UiError>,
) -> Result<(), UiError> {
    let mut is_again = false;
    loop {
        let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
        let begun = match command(&snapshot) {
            Ok(command) => begin(&face, command).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &begun
            && error.code == Code::OwnerGone
            && !is_again
        {
            // The owner was another command that ended just then; this one finds a new owner, or becomes it.
            face.close().await;
            is_again = true;
            continue;
        }
        let told = match begun {
            Ok(begun) => begun.follow_to_end(&face, output).await.and_then(|ended| report(&ended, output)),
            Err(error) => Err(error),
        };
        face.close_when_unneeded().await;
        return told;
    }
}

fn push_command(push: &Push, registries: &[RegistrySpec]) -> Result<Command, UiError> {
    let target = push_target(&push.image, push.target.as_deref(), registries)?;
    let (registry, reference) = (target.registry, target.reference);
    Ok(match is_archive(&push.image, push.archive) {
        true => Command::PushArchive {
            path: absolute(push.image.clone().into())?,
            registry,
            reference,
            host: None,
            extent: Extent::default(),
        },
        false => Command::Push { image: push.image.clone(), registry, reference, host: None },
    })
}

/// Pulls into the engine or into a file and waits for the end.
pub async fn pull(reference: String, file: Option<PathBuf>, output: Output) -> Result<(), UiError> {
    let command = match file {
        Some(path) => Command::PullArchive {
            reference,
            path: absolute(path)?,
            format: ArchiveFormat::default(),
            platform: None,
            extent: Extent::default(),
        },
        None => Command::Pull { reference, platform: None },
    };
    transfer(output, |_| Ok(command.clone())).await
}

/// The owner may work in another folder.
fn absolute(path: PathBuf) -> Result<PathBuf, UiError> {
    std::path::absolute(&path)
        .map_err(|error| UiError::new(Code::FileIo, format!("{} cannot be used: {error}.", path.display())))
}

/// Begins a transfer and shows it until its end, whatever that is.
pub async fn run(face: &Face, command: Command, output: Output) -> Result<TransferView, UiError> {
    begin(face, command).await?.follow_to_end(face, output).await
}

/// A transfer that the owner has accepted.
struct Begun {
    id: TransferId,
    events: EventStream,
    interrupts: Interrupts,
}

async fn begin(face: &Face, command: Command) -> Result<Begun, UiError> {
    let mut interrupts = Interrupts::new()?;
    let events = face.events();
    let begun = tokio::select! {
        begun = face.request(command) => begun?,
        () = interrupts.next() => return Err(cancelled()),
    };
    let Reply::Transfer { id } = begun else { return Err(unexpected(&begun)) };
    Ok(Begun { id, events, interrupts })
}

impl Begun {
    async fn follow_to_end(self, face: &Face, output: Output) -> Result<TransferView, UiError> {
        let Self { id, events, mut interrupts } = self;
        let mut progress = Progress::new(face.screen());
        let ended = follow(face, events, id, &mut progress, &mut interrupts, output).await;
        progress.finish();
        ended
    }
}

/// Ctrl-C asks the owner to stop the transfer and goes on until it has; a second one does not wait for that.
async fn follow(
    face: &Face,
    mut events: EventStream,
    id: TransferId,
    progress: &mut Progress,
    interrupts: &mut Interrupts,
    output: Output,
) -> Result<TransferView, UiError> {
    let mut is_stopping = false;
    // While the transfer waits for the tunnel, what becomes of that is what there is to tell.
    let (news, mut waits_for) = (News::default(), None);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = interrupts.next() => {
                if is_stopping {
                    return Err(cancelled());
                }
                is_stopping = true;
                if !output.is_json() {
                    face.screen().say("Stopping; Ctrl-C again to leave at once.");
                }
                match face.request(Command::Cancel { transfer: id }).await {
                    // It ended by itself at the same moment; its last event is on the way.
                    Err(error) if error.code != Code::NotFound => return Err(error),
                    Ok(_) | Err(_) => continue,
                }
            }
        };
        let Some(event) = event else {
            return Err(face.ended().await.unwrap_or_else(|| {
                UiError::new(Code::OwnerGone, "The owner of the tunnels ended before the transfer did.")
            }));
        };
        if let Change::Registry { registry } = &event.change
            && waits_for.as_ref() == Some(&registry.spec.name)
        {
            news.tell(registry, face);
        }
        let Some(view) = transfer_in(event.change, id) else { continue };
        waits_for = (view.state == TransferState::Waiting).then(|| view.registry.clone());
        progress.show(&view)?;
        if view.state.is_final() {
            return Ok(view);
        }
    }
}

fn transfer_in(change: Change, id: TransferId) -> Option<TransferView> {
    if let Change::Resync { snapshot } = change {
        return snapshot.transfers.into_iter().find(|transfer| transfer.id == id);
    }
    let Change::Transfer { transfer } = change else { return None };
    (transfer.id == id).then_some(transfer)
}

/// How it ended: the summary, or the error. With `--json` its last state has been printed already.
pub fn report(view: &TransferView, output: Output) -> Result<(), UiError> {
    match &view.state {
        TransferState::Failed { error } => Err(error.clone()),
        TransferState::Cancelled => Err(cancelled()),
        TransferState::Done { .. } if output.is_json() => Ok(()),
        TransferState::Done { .. }
        | TransferState::Waiting
        | TransferState::Paused
        | TransferState::Running
        | TransferState::Verifying => output.result(view, || summary(view)),
    }
}
