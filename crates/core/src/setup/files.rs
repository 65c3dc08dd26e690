//! The settings files: planned from what they hold now, written as agreed. All of it blocks, so none of it runs on the
//! runtime's threads.

use super::internal;
use crate::{Paths, files::blocking, hosts};
use dockline_edits::{
    HelperAnswer, HelperRequest, Paths as EditPaths, elevate, perform,
    setup::{self, Prepared},
};
use dockline_engine::{EngineEndpoint, Surroundings};
use dockline_model::{
    AppliedChange, EngineFacts, EngineKind, SettingsFile, SetupAction, SetupTarget, UiError,
};
use std::{
    env,
    path::{Path, PathBuf},
    thread,
};
use tokio::sync::oneshot;

/// What is planned.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    /// The engine's settings hold exactly what these registries need.
    Holds(Vec<SetupTarget>),
    /// What Dockline added is taken out: the changes of these ids, all if there are none.
    Undone(Vec<String>),
}

/// What came of writing.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What was done; whole sentences.
    pub done: Vec<String>,
    /// What could not be done so that it takes effect; whole sentences.
    pub failed: Vec<String>,
}

/// Works out what has to change; nothing is written.
/// The engine's own address, where it answered, tells where colima has its files.
pub(super) async fn prepare(
    paths: &Paths,
    facts: EngineFacts,
    endpoint: Option<&EngineEndpoint>,
    wish: Wish,
) -> Result<Prepared, UiError> {
    let mut files = Files::of(paths);
    let socket = match endpoint {
        Some(EngineEndpoint::Unix(path)) => Some(path.clone()),
        Some(EngineEndpoint::NamedPipe(_) | EngineEndpoint::Tcp(_) | EngineEndpoint::Elsewhere(_)) | None => {
            None
        }
    };
    blocking(move || {
        let told = env::var_os("COLIMA_HOME").map(PathBuf::from);
        files.user.colima = colima_home(&facts.kind, socket.as_deref(), told);
        files.prepare(&facts, &wish)
    })
    .await
}

pub(super) async fn applied(paths: &Paths) -> Result<Vec<AppliedChange>, UiError> {
    let files = Files::of(paths);
    blocking(move || setup::applied(&files.system, &files.user).map_err(|error| UiError::from(&error)))
        .await?
}

/// Writes what was prepared, if the files still are as they were then. May wait for a person to type a password, on a
/// thread of its own: neither the runtime's blocking pool nor the program's end waits for it.
pub(super) async fn write(paths: &Paths, prepared: Prepared) -> Result<Written, UiError> {
    let files = Files::of(paths);
    let (answer, answered) = oneshot::channel();
    thread::Builder::new()
        .name("settings".to_owned())
        // Whoever asked may have gone.
        .spawn(move || drop(answer.send(files.write(prepared))))
        .map_err(|error| internal(format!("No thread could be started: {error}.")))?;
    answered.await.unwrap_or_else(|_| Err(internal("The change of the settings ended without saying how.")))
}

struct Files {
    system: EditPaths,
    user: EditPaths,
}

impl Files {
    fn of(paths: &Paths) -> Self {
        let home = env::home_dir().unwrap_or_default();
        let config_home = env::var_os("XDG_CONFIG_HOME").filter(|value| !value.is_empty());
        let config_home = config_home.map_or_else(|| home.join(".config"), PathBuf::from);
        let around = Surroundings::from_process();
        let docker_config = around.docker_config.map(|folder| folder.join("buildx"));
        let user = EditPaths::user(&home, &config_home, &paths.state_dir);
        Self {
            system: hosts::edit_paths(paths),
            user: EditPaths { buildx: around.buildx_config.or(docker_config), ..user },
        }
    }

    fn prepare(&self, facts: &EngineFacts, wish: &Wish) -> Prepared {
        match wish {
            Wish::Holds(targets) => setup::prepare(targets, facts, &self.system, &self.user),
            Wish::Undone(ids) => {
                let only = (!ids.is_empty()).then_some(ids.as_slice());
                setup::prepare_undo(only, facts, &self.system, &self.user)
            }
        }
    }

    fn write(&self, prepared: Prepared) -> Result<Written, UiError> {
        let plan = prepared.plan;
        let mut written = Written::default();
        // The system's files first: leave may not be given, and then nothing has changed.
        if !prepared.system.is_empty() {
            // An engine that was told of another daemon.json makes a difference where that file changes, and nowhere else.
            let has_its_own =
                prepared.system.iter().any(|agreed| agreed.intent.file() == SettingsFile::DaemonJson);
            let paths = if has_its_own { &prepared.system_paths } else { &self.system };
            let elevation = hosts::elevation(paths);
            let request = HelperRequest::Apply { changes: prepared.system };
            written.note(elevate::run(&request, &elevation)?);
        }
        if !prepared.user.is_empty() {
            let request = HelperRequest::Apply { changes: prepared.user };
            let answer = perform(&prepared.user_paths, &request, None);
            written.note(answer.map_err(|error| UiError::from(&error))?);
        }
        let sentence = |path: &str| match plan.action {
            SetupAction::Apply => format!("{path} is written."),
            SetupAction::Undo => format!("{path} holds nothing of Dockline's any more."),
        };
        written.done.splice(0..0, plan.changes.iter().map(|change| sentence(&change.path)));
        Ok(written)
    }
}

/// colima's folder, by the socket of the engine in it (`…/PROFILE/docker.sock`) or by `COLIMA_HOME`, which colima too takes
/// only where it is there (abiosoft/colima, `config/files.go`).
fn colima_home(kind: &EngineKind, socket: Option<&Path>, told: Option<PathBuf>) -> Option<PathBuf> {
    let of_socket = || {
        let EngineKind::Colima { profile } = kind else { return None };
        // `/var/run/docker.sock` may be a link to it.
        let socket = socket.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()))?;
        let folder = socket.parent().filter(|folder| folder.file_name() == Some(profile.as_ref()))?;
        let is_colimas = socket.file_name() == Some("docker.sock".as_ref());
        folder.parent().filter(|_| is_colimas).map(Path::to_owned)
    };
    of_socket().or_else(|| told.filter(|folder| folder.is_absolute() && folder.exists()))
}

impl Written {
    fn note(&mut self, answer: HelperAnswer) {
        let steps = match answer {
            HelperAnswer::Done { steps, .. } | HelperAnswer::Undone { steps, .. } => steps,
            HelperAnswer::Recovered { .. } | HelperAnswer::Failed { .. } => Vec::new(),
        };
        for step in steps {
            match step.error {
                Some(error) => self.failed.push(error),
                None => self.done.push(step.words),
            }
        }
    }
}

/// Finishes or takes back a change of the person's own files that a crash interrupted. (The system's are
/// [`hosts::settle`]'s.)
pub(crate) fn settle(paths: &Paths) {
    let user = Files::of(paths).user;
    if !dockline_edits::pending(&user) {
        return;
    }
    match dockline_edits::recover(&user) {
        Ok(recovery) => tracing::info!(?recovery, "an interrupted change of engine settings was settled"),
        Err(error) => tracing::warn!(%error, "an interrupted change of engine settings could not be settled"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn colimas_folder_is_where_its_socket_is() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let colima = |profile: &str| EngineKind::Colima { profile: profile.to_owned() };
        let socket = base.join("kept/work/docker.sock");
        std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
        std::fs::write(&socket, "").unwrap();
        let link = base.join("docker.sock");
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        let home = |kind: &EngineKind, socket: &Path| colima_home(kind, Some(socket), Some(base.clone()));
        for socket in [&socket, &link] {
            assert_eq!(home(&colima("work"), socket), Some(base.join("kept")));
        }
        // The socket of something else, or another profile's.
        for (kind, socket) in [
            (colima("default"), &socket),
            (EngineKind::DockerDesktop, &socket),
            (colima("work"), &base.join("kept/work/other.sock")),
        ] {
            assert_eq!(home(&kind, socket), Some(base.clone()), "{kind:?}");
        }
        assert_eq!(colima_home(&colima("work"), None, Some(base.join("absent"))), None);
    }
}
