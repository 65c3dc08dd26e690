//! `dockline transfers`: the list, and what can be done with what is in it.

use super::transfer;
use crate::{
    arguments::{TransferWhich, TransfersAction},
    face::Face,
    format,
    output::{Output, columns},
    prompts::Answers,
};
use console::Term;
use dockline_model::{Code, Command, Snapshot, TransferId, TransferState, TransferView, UiError};

/// Shows the list, or does what was asked.
pub async fn transfers(what: Option<TransfersAction>, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
    let done = act(&face, &snapshot, what, output).await;
    face.close_when_unneeded().await;
    done
}

async fn act(
    face: &Face,
    snapshot: &Snapshot,
    what: Option<TransfersAction>,
    output: Output,
) -> Result<(), UiError> {
    match what {
        None => output.result(&snapshot.transfers, || text(&snapshot.transfers)),
        Some(TransfersAction::Retry(TransferWhich { all: true, .. })) => {
            let failed = |view: &&TransferView| matches!(view.state, TransferState::Failed { .. });
            let mut outcome = Ok(());
            for view in snapshot.transfers.iter().filter(failed) {
                let again = retry(face, view.id, output).await;
                outcome = outcome.and(again);
            }
            outcome
        }
        Some(TransfersAction::Retry(which)) => retry(face, which.id()?, output).await,
        Some(TransfersAction::Dismiss(TransferWhich { all: true, .. })) => {
            face.request(Command::DismissAll).await.map(drop)
        }
        Some(TransfersAction::Dismiss(which)) => {
            face.request(Command::Dismiss { transfer: which.id()? }).await.map(drop)
        }
        Some(TransfersAction::Pause(TransferWhich { all: true, .. })) => {
            face.request(Command::PauseAll).await.map(drop)
        }
        Some(TransfersAction::Pause(which)) => {
            face.request(Command::Pause { transfer: which.id()? }).await.map(drop)
        }
        Some(TransfersAction::Resume(TransferWhich { all: true, .. })) => {
            face.request(Command::ResumeAll).await.map(drop)
        }
        Some(TransfersAction::Resume(which)) => {
            face.request(Command::Resume { transfer: which.id()? }).await.map(drop)
        }
    }
}

impl TransferWhich {
    fn id(&self) -> Result<TransferId, UiError> {
        self.transfer.map(TransferId).ok_or_else(|| {
            UiError::new(Code::InvalidArgument, "Say which transfer, by its number, or --all.")
                .hint("`dockline transfers` shows them.")
        })
    }
}

async fn retry(face: &Face, id: TransferId, output: Output) -> Result<(), UiError> {
    let ended = transfer::run(face, Command::Retry { transfer: id }, output).await?;
    transfer::report(&ended, output)
}

fn text(transfers: &[TransferView]) -> String {
    if transfers.is_empty() {
        return "There are no transfers.".to_owned();
    }
    let row = |view: &TransferView| {
        let state = match &view.state {
            TransferState::Waiting => "waiting".to_owned(),
            TransferState::Paused => "paused".to_owned(),
            TransferState::Running => {
                format!("{} of {}", format::bytes(view.current), format::bytes(view.total))
            }
            TransferState::Verifying => "comparing digests".to_owned(),
            TransferState::Done { .. } => "done".to_owned(),
            TransferState::Failed { error } => format!("failed: {}", error.message),
            TransferState::Cancelled => "stopped".to_owned(),
        };
        vec![view.id.0.to_string(), view.source.clone(), view.reference.clone(), state]
    };
    let rows: Vec<Vec<String>> = transfers.iter().map(row).collect();
    format::table(&["NO", "WHAT", "REFERENCE", "STATE"], &rows, columns(&Term::stdout()))
}
