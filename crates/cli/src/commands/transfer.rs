//! `dockline push` and `dockline pull`.

use super::{
    connect::News,
    several,
    target::{is_archive, push_target},
};
use crate::{
    arguments::{Pull, Push},
    face::{Face, unexpected},
    interrupts::{Interrupts, cancelled},
    output::Output,
    piped,
    progress::{Progress, summary},
    prompts::Answers,
};
use dockline_core::EventStream;
use dockline_model::{
    Change, Code, Command, Extent, PushOptions, RegistrySpec, Reply, Road, Snapshot, TransferId,
    TransferState, TransferView, UiError,
};
use std::path::{Component, Path, PathBuf};

/// Pushes an image or an archive and waits for the end.
pub async fn push(push: Push, output: Output) -> Result<(), UiError> {
    // The archive on a pipe is looked into before anything is dialled, and its parts are needed out of order.
    let piped = match push.image.as_str() {
        "-" => Some(piped::read(output).await?),
        _ => None,
    };
    let path = piped.as_ref().map(piped::Piped::path);
    let pushed = match push.replicas {
        true => several::push(&push, path.as_deref(), output).await,
        false => {
            let pushed = transfer(output, report, |snapshot| {
                let registries: Vec<RegistrySpec> =
                    snapshot.registries.iter().map(|view| view.spec.clone()).collect();
                push_command(&push, path.as_deref(), &registries)
            });
            let else_do = "An archive needs no engine: dockline push FILE.tar …";
            pushed.await.map_err(|error| or_without_engine(error, else_do))
        }
    };
    pushed.map_err(|error| match &piped {
        Some(_) => piped::or_by_the_shell(error, cfg!(windows)),
        None => error,
    })
}

/// On a machine that has no engine, what does without.
fn or_without_engine(error: UiError, words: &str) -> UiError {
    match (error.code, &error.hint) {
        (Code::EngineUnavailable, Some(hint)) => {
            let hint = format!("{hint} {words}");
            error.hint(hint)
        }
        _ => error,
    }
}

/// Opens a session, does what `command` makes of the state, tells how that ended, and leaves.
async fn transfer(
    output: Output,
    tell: Tell,
    command: impl Fn(&Snapshot) -> Result<Command, UiError>,
) -> Result<(), UiError> {
    let mut is_again = false;
    loop {
        let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
        let told = match command(&snapshot) {
            Ok(command) => carry_out(&face, command, output, tell).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &told
            && error.code == Code::OwnerGone
            && !is_again
        {
            // The owner was another command, which ended before this was done: this one finds a new owner, or becomes
            // it. What has arrived already is not sent again.
            face.close().await;
            is_again = true;
            continue;
        }
        face.close_when_unneeded().await;
        return told;
    }
}

/// Tells how a transfer ended.
type Tell = fn(&TransferView, Output) -> Result<(), UiError>;

async fn carry_out(face: &Face, command: Command, output: Output, tell: Tell) -> Result<(), UiError> {
    let ended = run(face, command, output).await?;
    tell(&ended, output)
}

pub(super) fn push_command(
    push: &Push,
    piped: Option<&Path>,
    registries: &[RegistrySpec],
) -> Result<Command, UiError> {
    let target = push_target(&push.image, push.target.as_deref(), registries)?;
    let (registry, reference) = (target.registry, target.reference);
    let road = road(push.road, push.engine, push.direct);
    let options = PushOptions { road, compression: push.compression, level: push.level };
    let extent = Extent { all_platforms: push.all_platforms, referrers: push.referrers };
    let archive = match piped {
        Some(path) => Some(path.to_owned()),
        None if is_archive(&push.image, push.archive) || is_folder(&push.image) => {
            Some(push.image.clone().into())
        }
        None => None,
    };
    Ok(match archive {
        Some(path) => Command::PushArchive {
            path: absolute(path)?,
            registry,
            reference,
            host: None,
            extent,
            image: push.inner.clone(),
            options,
        },
        None if push.inner.is_some() => {
            return Err(UiError::new(Code::InvalidArgument, "--image names an image in an archive.")
                .hint("An engine's image is named in the first place: dockline push app:v1"));
        }
        None => Command::Push { image: push.image.clone(), registry, reference, host: None, extent, options },
    })
}

/// Whether `image` is a folder, and written as only paths are: `./layout`. (A name may be a folder's by accident.)
fn is_folder(image: &str) -> bool {
    let path = Path::new(image);
    let begins_as_path = matches!(
        path.components().next(),
        Some(Component::CurDir | Component::ParentDir | Component::RootDir | Component::Prefix(_))
    );
    (begins_as_path || image.ends_with(std::path::is_separator)) && path.is_dir()
}

/// The road that was asked for, in whichever words.
fn road(road: Option<Road>, engine: bool, direct: bool) -> Option<Road> {
    road.or(engine.then_some(Road::Engine)).or(direct.then_some(Road::Direct))
}

/// Pulls into the engine or into a file and waits for the end.
pub async fn pull(pull: Pull, output: Output) -> Result<(), UiError> {
    let road = road(pull.road, pull.engine, pull.direct);
    let Pull { reference, output: file, format, platform, all_platforms, referrers, .. } = pull;
    if file.is_some() && road == Some(Road::Engine) {
        return Err(UiError::new(Code::InvalidArgument, "A file is written without an engine.")
            .hint("Leave --road out, or pull into the engine and use docker save."));
    }
    let is_piped = file.as_deref() == Some(Path::new("-"));
    let piped = if is_piped { Some(piped::place(output)?) } else { None };
    let file = piped.as_ref().map(piped::Piped::path).or(file);
    let command = match file {
        Some(path) => Command::PullArchive {
            reference,
            path: absolute(path)?,
            format: format.unwrap_or_default(),
            platform,
            extent: Extent { all_platforms, referrers },
        },
        None => Command::Pull { reference, platform, road },
    };
    let tell = if is_piped { report_beside } else { report };
    let pulled = transfer(output, tell, |_| Ok(command.clone())).await;
    pulled.map_err(|error| or_without_engine(error, "A file needs no engine: --output FILE.tar"))?;
    match piped {
        Some(piped) => piped::write(piped).await,
        None => Ok(()),
    }
}

/// The owner may work in another folder.
pub(super) fn absolute(path: PathBuf) -> Result<PathBuf, UiError> {
    std::path::absolute(&path)
        .map_err(|error| UiError::new(Code::FileIo, format!("{} cannot be used: {error}.", path.display())))
}

/// Begins a transfer and shows it until its end, whatever that is.
pub async fn run(face: &Face, command: Command, output: Output) -> Result<TransferView, UiError> {
    let progress = Progress::new(face.screen());
    begin(face, command).await?.follow_to_end(face, progress, output).await
}

/// [`run`], of one transfer among several, which go to different places.
pub async fn run_among(
    face: &Face,
    command: Command,
    place: &str,
    output: Output,
) -> Result<TransferView, UiError> {
    let progress = Progress::of(face.screen(), place);
    begin(face, command).await?.follow_to_end(face, progress, output).await
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
    async fn follow_to_end(
        self,
        face: &Face,
        mut progress: Progress,
        output: Output,
    ) -> Result<TransferView, UiError> {
        let Self { id, events, mut interrupts } = self;
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
                    // The owner's end is the transfer's.
                    Err(error) if error.code == Code::OwnerGone => return Err(cancelled()),
                    // Not found: it ended by itself at the same moment; its last event is on the way.
                    Err(error) if error.code != Code::NotFound => return Err(error),
                    Ok(_) | Err(_) => continue,
                }
            }
        };
        let Some(event) = event else {
            if is_stopping {
                return Err(cancelled());
            }
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

/// [`report`] where standard output is for something else.
fn report_beside(view: &TransferView, output: Output) -> Result<(), UiError> {
    match &view.state {
        TransferState::Done { .. } => {
            output.remark(summary(view));
            Ok(())
        }
        TransferState::Failed { .. }
        | TransferState::Cancelled
        | TransferState::Waiting
        | TransferState::Paused
        | TransferState::Running
        | TransferState::Verifying => report(view, output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_written_as_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        for written in [path.as_str(), &format!("{path}/"), ".", "./", "./src", "../cli", "src/"] {
            assert!(is_folder(written), "{written}");
        }
        // `src` is a folder where tests run, and may be an image all the same.
        for name in ["src", "app:v1", "team/app", "./nothing-there", "./Cargo.toml"] {
            assert!(!is_folder(name), "{name}");
        }
    }

    #[test]
    fn a_folder_is_pushed_as_an_archive() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            push: Push,
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let ssh = "a@h".parse().unwrap();
        let registry = RegistrySpec::new("cr.boss.org".parse().unwrap(), ssh, [127, 77, 1, 1].into());
        let line =
            <Line as clap::Parser>::parse_from(["push", &path, "cr.boss.org/app:v1", "--all-platforms"]);
        let command = push_command(&line.push, None, &[registry]).unwrap();
        let Command::PushArchive { path: pushed, reference, .. } = command else { panic!("{command:?}") };
        assert_eq!((pushed.as_path(), reference.as_deref()), (folder.path(), Some("app:v1")));
    }
}
