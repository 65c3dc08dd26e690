//! `dockline agent`.

use crate::{arguments::Agent, face::Face, interrupts::Interrupts, output::Output, prompts::Answers};
use dockline_core::{Mode, Paths, Session};
use dockline_model::{Code, Command, Snapshot, UiError};

/// Owns listeners and tunnels until it is told to end, or ends the one that does.
pub async fn agent(agent: Agent, output: Output) -> Result<(), UiError> {
    if agent.stop { stop(agent.force, output).await } else { serve(output).await }
}

async fn serve(output: Output) -> Result<(), UiError> {
    let mut interrupts = Interrupts::new()?;
    let face = Face::open(Mode::MustOwn, Answers::Terminal, output).await?;
    let snapshot = face.snapshot().await?;
    output.result(&snapshot, || ready_text(&snapshot))?;
    if let Some(error) = &snapshot.config_error {
        output.warn(&error.message);
    }
    for view in &snapshot.registries {
        if let Some(error) = &view.tunnel.listener_error {
            output.warn(format!("{}: {}", view.spec.name, error.message));
        }
    }
    tokio::select! {
        _ = face.ended() => {}
        () = interrupts.next() => output.remark("Ending."),
    }
    // Closing waits for the tunnels; whoever cannot wait for that says so once more.
    tokio::select! {
        () = face.close() => Ok(()),
        () = interrupts.next() => Ok(()),
    }
}

fn ready_text(snapshot: &Snapshot) -> String {
    let mut text = match snapshot.registries.len() {
        0 => "Dockline is ready; no registry is configured yet.".to_owned(),
        1 => "Dockline is ready for one registry.".to_owned(),
        count => format!("Dockline is ready for {count} registries."),
    };
    for view in &snapshot.registries {
        let place = match &view.spec.url {
            Some(url) => format!("{url}, without a tunnel"),
            None => view.spec.listen().to_string(),
        };
        text += &format!("\n  {}  {place}", view.spec.name);
    }
    text
}

async fn stop(force: bool, output: Output) -> Result<(), UiError> {
    let face = match Face::open(Mode::RequireOwner, Answers::Nobody, output).await {
        Ok(face) => face,
        Err(error) if error.code == Code::OwnerGone => {
            return output.result(&serde_json::json!({ "stopped": false }), || {
                "Nothing runs that could be stopped.".to_owned()
            });
        }
        // It cannot be spoken with, but it may still make way for this version.
        Err(error) if error.code == Code::OwnerVersion => {
            let paths = Paths::from_process().map_err(|error| UiError::from(&error))?;
            Session::end_owner(&paths, force).await?;
            return stopped(output);
        }
        Err(error) => return Err(error),
    };
    match face.request(Command::Quit { force }).await {
        // It may be gone before its answer is read.
        Err(error) if error.code != Code::OwnerGone => {
            face.close().await;
            return Err(error);
        }
        Ok(_) | Err(_) => {}
    }
    face.ended().await;
    face.close().await;
    stopped(output)
}

fn stopped(output: Output) -> Result<(), UiError> {
    output.result(&serde_json::json!({ "stopped": true }), || "Stopped.".to_owned())
}
