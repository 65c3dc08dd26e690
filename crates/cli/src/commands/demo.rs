//! `dockline demo`: the main job on a registry host inside this program.

use super::transfer;
use crate::{
    face::{Face, unexpected},
    format,
    interrupts::{Interrupts, cancelled},
    output::{Output, wrapped_for_stdout},
    printable::style,
    progress::summary,
    prompts::Answers,
};
use dockline_core::{Mode, Paths};
use dockline_demo::DemoHost;
use dockline_model::{
    ArchiveFormat, Code, Command, Extent, PushOptions, RegistryName, RegistrySpec, Reply, TransferState,
    TransferView, UiError,
};
use serde::Serialize;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// A name that is nobody's (RFC 6761 §6.2).
const REGISTRY: &str = "cr.demo.test";
const IMAGE: &str = "sample:v1";

/// What `--json` prints at the end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    connect_milliseconds: u128,
    push: TransferView,
    pull: TransferView,
    same_digest: bool,
}

/// Starts the host, does the job on it, and takes everything down again.
pub async fn demo(output: Output) -> Result<(), UiError> {
    let host = DemoHost::start().await.map_err(|error| {
        UiError::new(Code::FileIo, format!("The demo could not start: {error}."))
            .hint("Check that the temporary folder can be written and has room.")
    })?;
    let home = host.folder().join("home");
    let face = Face::open_at(paths(&home, &host)?, Mode::MustOwn, Answers::Nobody, output).await?;
    let outcome = job(&face, &host, output).await;
    face.close().await;
    let outcome = outcome?;
    if !outcome.same_digest {
        return Err(UiError::new(Code::DigestMismatch, "What was pulled is not what was pushed."));
    }
    output.result(&outcome, || wrapped_for_stdout(&outcome_text(&outcome)))
}

/// Files of the demo's own: neither this account's configuration nor its keys, nor the system's hosts file.
fn paths(home: &Path, host: &DemoHost) -> Result<Paths, UiError> {
    let mut paths = Paths::in_folder(home);
    paths.ssh.home_ssh = home.join("ssh");
    paths.ssh.known_hosts = vec![host.known_hosts().to_owned()];
    paths.ssh.agent_socket = None;
    paths.ssh.ssh_program = None;
    paths.hosts_file = home.join("hosts");
    let make = || {
        std::fs::create_dir_all(&paths.ssh.home_ssh)?;
        std::fs::write(&paths.hosts_file, b"")
    };
    make().map_err(|error| {
        UiError::new(Code::FileIo, format!("{} could not be made: {error}.", home.display()))
    })?;
    Ok(paths)
}

async fn job(face: &Face, host: &DemoHost, output: Output) -> Result<Outcome, UiError> {
    step(
        output,
        "A registry host of its own:",
        &format!(
            "SSH at {}, a registry at {} behind it, keys made just now.",
            host.ssh_addr(),
            host.registry_addr()
        ),
    );
    let spec = add(face, host).await?;

    let begin = Instant::now();
    connect(face, &spec.name).await?;
    let connected = begin.elapsed();
    step(output, "Connected", &format!("in {} ms.", connected.as_millis()));
    output.remark(format!(
        "  The hosts file is left alone, so programs would push to {} instead of {}.",
        spec.listen(),
        spec.authority()
    ));

    let path = host.sample_archive().to_owned();
    let reference = Some(IMAGE.to_owned());
    let push = Command::PushArchive {
        path,
        registry: spec.name.clone(),
        reference,
        host: None,
        extent: Extent::default(),
        image: None,
        options: PushOptions::default(),
    };
    let push = transfer::run(face, push, output).await?;
    let pushed = digest(&push)?;
    step(output, "Pushed", &rest_of(&push));

    let path = host.folder().join("pulled-back.tar");
    let pull = Command::PullArchive {
        reference: format!("{}/{IMAGE}", spec.name),
        path,
        format: ArchiveFormat::default(),
        platform: None,
        extent: Extent::default(),
    };
    let pull = transfer::run(face, pull, output).await?;
    let pulled = digest(&pull)?;
    step(output, "Pulled back", &rest_of(&pull));

    let same_digest = pushed == pulled;
    Ok(Outcome { connect_milliseconds: connected.as_millis(), push, pull, same_digest })
}

fn step(output: Output, what: &str, how: &str) {
    output.remark(format!("{} {how}", style(what).bold().for_stderr()));
}

/// The summary without its verb, which the step says.
fn rest_of(view: &TransferView) -> String {
    summary(view).split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

async fn add(face: &Face, host: &DemoHost) -> Result<RegistrySpec, UiError> {
    let name: RegistryName = REGISTRY
        .parse()
        .map_err(|error| UiError::new(Code::Internal, format!("The demo's name is refused: {error}.")))?;
    let target = host.target(name);
    let reply = face.request(Command::AddRegistry { target }).await?;
    let Reply::Registry { spec } = reply else { return Err(unexpected(&reply)) };
    Ok(spec)
}

async fn connect(face: &Face, name: &RegistryName) -> Result<(), UiError> {
    let mut interrupts = Interrupts::new()?;
    tokio::select! {
        connected = face.request(Command::Connect { registry: name.clone(), hold: false }) => connected.map(drop),
        () = interrupts.next() => Err(cancelled()),
    }
}

/// The digest of a transfer that ended well, or why it did not.
fn digest(view: &TransferView) -> Result<String, UiError> {
    match &view.state {
        TransferState::Done { verified } => Ok(verified.digest.clone()),
        TransferState::Failed { error } => Err(error.clone()),
        TransferState::Waiting
        | TransferState::Paused
        | TransferState::Running
        | TransferState::Verifying
        | TransferState::Cancelled => Err(cancelled()),
    }
}

fn outcome_text(outcome: &Outcome) -> String {
    let speed = |view: &TransferView| {
        let milliseconds = view.finished.map_or(0, |end| end.0.saturating_sub(view.started.0));
        let time = Duration::from_millis(milliseconds.max(1));
        format!("{}/s", format::bytes((view.total as f64 / time.as_secs_f64()) as u64))
    };
    format!(
        "{} pushed at {}, pulled back at {}, the same digest both ways.",
        style("It works:").green().bold(),
        speed(&outcome.push),
        speed(&outcome.pull)
    )
}
