//! The change of the hosts file that makes the registries' names known: planned, carried out, settled after a crash.
//!
//! Nothing here needs the owner. The desktop app has its own process ask for leave (pkexec); the command line does
//! so in *its* process, since sudo asks on the terminal of whoever starts it, and an agent has none.

use crate::Paths;
use dockline_edits::{
    Agreed, Fingerprint, HelperAnswer, HelperRequest, Intent, Paths as EditPaths, elevate, hosts::Entry,
};
use dockline_model::{Code, HostsAction, HostsView, RegistrySpec, UiError};
use std::thread;
use tokio::sync::oneshot;

/// What the hosts file is to hold, and where it is.
#[derive(Debug, Clone)]
pub struct Hosts {
    paths: EditPaths,
    entries: Vec<Entry>,
}

impl Hosts {
    /// The hosts file of `paths`, with a line for each of `registries`.
    pub fn new<'a>(paths: &Paths, registries: impl IntoIterator<Item = &'a RegistrySpec>) -> Self {
        let entry = |spec: &RegistrySpec| Entry { name: spec.name.clone(), address: spec.address };
        Self {
            paths: edit_paths(paths),
            entries: registries.into_iter().filter(|spec| spec.has_tunnel()).map(entry).collect(),
        }
    }

    fn intent(&self, action: HostsAction) -> Intent {
        let entries = match action {
            HostsAction::Apply => self.entries.clone(),
            HostsAction::Undo => Vec::new(),
        };
        Intent::Hosts { entries, gateway: None }
    }

    /// What would change. Reads the file, so not for an asynchronous task.
    ///
    /// # Errors
    /// `HostsRefused` where the file cannot be changed safely, `FileIo` where it cannot be read.
    pub fn plan(&self, action: HostsAction) -> Result<HostsView, UiError> {
        let intent = self.intent(action);
        let plan = dockline_edits::plan(&self.paths, &intent).map_err(|error| UiError::from(&error))?;
        Ok(plan.view(&self.paths.hosts, action))
    }

    /// Carries out the plan a person agreed to, asking for leave where that is needed. The helper plans again and
    /// refuses if either hash differs. Takes as long as a person takes to type a password, on a thread of its own:
    /// neither the runtime's blocking pool nor the program's end waits for it.
    ///
    /// # Errors
    /// `HostsChanged`, `HostsRefused`, `PermissionDenied`, `FileIo`; nothing was changed then.
    pub async fn apply(self, agreed: HostsView) -> Result<HostsView, UiError> {
        let (answer, answered) = oneshot::channel();
        thread::Builder::new()
            .name("hosts".to_owned())
            // Whoever asked may have gone.
            .spawn(move || drop(answer.send(self.apply_here(&agreed))))
            .map_err(|error| UiError::new(Code::Internal, format!("No thread could be started: {error}.")))?;
        answered.await.unwrap_or_else(|_| {
            Err(UiError::new(Code::Internal, "The change of the hosts file ended without saying how."))
        })
    }

    fn apply_here(&self, agreed: &HostsView) -> Result<HostsView, UiError> {
        let hash = |text: &str| {
            text.parse::<Fingerprint>()
                .map_err(|error| UiError::new(Code::InvalidArgument, format!("{error}.")))
        };
        let change = Agreed {
            intent: self.intent(agreed.action),
            before: hash(&agreed.before)?,
            after: hash(&agreed.after)?,
        };
        let request = HelperRequest::Apply { changes: vec![change] };
        match elevate::run(&request, &elevation(&self.paths))? {
            HelperAnswer::Failed { error } => Err(error),
            HelperAnswer::Done { .. } | HelperAnswer::Recovered { .. } | HelperAnswer::Undone { .. } => {
                self.plan(agreed.action)
            }
        }
    }
}

/// Finishes or takes back a change that a crash interrupted, if this process may: nobody is asked for a password at
/// a start. Where it may not, the next change settles it first.
pub(crate) fn settle(paths: &Paths) {
    let paths = edit_paths(paths);
    if !dockline_edits::pending(&paths) {
        return;
    }
    let elevation = elevation(&paths);
    if !matches!(elevation, elevate::Elevation::Direct { .. }) {
        tracing::warn!("an interrupted change of the hosts file will be settled by the next one");
        return;
    }
    match elevate::run(&HelperRequest::Recover {}, &elevation) {
        Ok(answer) => tracing::info!(?answer, "an interrupted change of the hosts file was settled"),
        Err(error) => tracing::warn!(%error, "an interrupted change of the hosts file could not be settled"),
    }
}

/// The system's own file, by whatever links it is named, keeps its journal where only administrators write; a stand-in
/// has it beside it.
pub(crate) fn edit_paths(paths: &Paths) -> EditPaths {
    let system = EditPaths::system();
    if system.hosts == paths.hosts_file {
        return system;
    }
    let stand_in = EditPaths::beside(&paths.hosts_file);
    if system.hosts == stand_in.hosts { system } else { stand_in }
}

pub(crate) fn elevation(paths: &EditPaths) -> elevate::Elevation {
    elevate::choose(&elevate::Situation::of_process(paths.clone()))
}
