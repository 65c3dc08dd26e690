//! Planning and applying the change of the hosts file that makes the registries' names known.

use super::{Answerer, Message, actor::Actor};
use dockline_edits::{
    HelperAnswer, HelperRequest, Intent, Paths as EditPaths, Sha256, elevate, hosts::Entry,
};
use dockline_model::{Code, HostsAction, HostsView, Reply, UiError};
use std::path::Path;

/// The system's own file keeps its journal where only administrators write; a stand-in has it beside it.
fn edit_paths(hosts_file: &Path) -> EditPaths {
    let system = EditPaths::system();
    if system.hosts == hosts_file { system } else { EditPaths::beside(hosts_file) }
}

impl Actor {
    fn entries(&self, action: HostsAction) -> Vec<Entry> {
        match action {
            HostsAction::Apply => self
                .registries
                .iter()
                .map(|registry| Entry { name: registry.spec.name.clone(), address: registry.spec.address })
                .collect(),
            HostsAction::Undo => Vec::new(),
        }
    }

    pub(super) fn plan_hosts(&self, action: HostsAction, answer: Answerer) {
        let (paths, entries) = (edit_paths(&self.paths.hosts_file), self.entries(action));
        tokio::task::spawn_blocking(move || {
            // A face that has gone does not hear it; so below.
            let _ = answer.send(plan(&paths, entries, action).map(|plan| Reply::Hosts { plan }));
        });
    }

    /// Carries out the plan the person saw; the helper plans again and refuses if either hash differs.
    pub(super) fn apply_hosts(&self, agreed: HostsView, answer: Answerer) {
        let paths = edit_paths(&self.paths.hosts_file);
        let entries = self.entries(agreed.action);
        let mailbox = self.mailbox.clone();
        // Waits for as long as a person takes to type a password: not for a pool that other work needs, nor one
        // that would hold up the program's end.
        let thread = std::thread::Builder::new().name("hosts".to_owned()).spawn(move || {
            let result = apply(&paths, entries, &agreed).map(|plan| Reply::Hosts { plan });
            mailbox.post(Message::FilesChanged);
            let _ = answer.send(result);
        });
        if let Err(error) = thread {
            // The answerer went with the closure; the face hears that the owner dropped its request.
            tracing::error!(%error, "no thread for the hosts file");
        }
    }
}

fn plan(paths: &EditPaths, entries: Vec<Entry>, action: HostsAction) -> Result<HostsView, UiError> {
    let plan = dockline_edits::plan(paths, &Intent::Hosts { entries }).map_err(|e| UiError::from(&e))?;
    Ok(plan.view(&paths.hosts, action))
}

fn apply(paths: &EditPaths, entries: Vec<Entry>, agreed: &HostsView) -> Result<HostsView, UiError> {
    let hash = |text: &str| {
        text.parse::<Sha256>().map_err(|error| UiError::new(Code::InvalidArgument, format!("{error}.")))
    };
    let request = HelperRequest::Hosts {
        entries: entries.clone(),
        before: hash(&agreed.before)?,
        after: hash(&agreed.after)?,
    };
    let elevation = elevate::choose(&elevate::Situation::of_process(paths.clone()));
    match elevate::run(&request, &elevation)? {
        HelperAnswer::Failed { error } => Err(error),
        HelperAnswer::Done { .. } | HelperAnswer::Recovered { .. } => plan(paths, entries, agreed.action),
    }
}
