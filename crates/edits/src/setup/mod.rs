//! “Make docker push work here”: from what is known of the engine to the changes it needs, and why.
//!
//! [`decide()`] is pure and knows every engine; [`prepare`] reads the files those changes are of and makes the plan that a
//! person sees; [`prepare_undo`] does the same for taking everything back. What was prepared is carried out as
//! [`crate::HelperRequest::Apply`] (through [`crate::elevate`] for the system's files, in this process for the
//! person's), and then step by step.

mod decide;
mod steps;

pub use decide::{Decision, Wanted, decide};

use crate::{
    Agreed, EditError, Intent, Paths, Plan, Scope,
    change::{self, Contents},
    step::{self, SystemStep},
};
use dockline_model::{
    AppliedChange, ChangeView, EngineFacts, EngineKind, SetupAction, SetupPlan, SetupTarget, SetupVerdict,
    StepBy, StepView, UiError, UnixMillis,
};
use std::path::{Path, PathBuf};

/// A plan, and what carrying it out means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// For people.
    pub plan: SetupPlan,
    /// The system's files: for [`crate::elevate::run`], as one request.
    pub system: Vec<Agreed>,
    /// The person's files: for [`crate::perform`] in this process, as one request.
    pub user: Vec<Agreed>,
    /// The paths for [`Self::system`]: those that were given, unless the engine was told to read another daemon.json.
    pub system_paths: Paths,
    /// The paths for [`Self::user`].
    pub user_paths: Paths,
}

/// Plans what the engine needs for `targets`. These have to be *all* registries that are configured: a settings file gets
/// exactly their entries, and loses those of Dockline's that are not among them.
#[must_use]
pub fn prepare(targets: &[SetupTarget], facts: &EngineFacts, system: &Paths, user: &Paths) -> Prepared {
    let files = Files::new(facts, system, user);
    match decide(targets, facts, |path| path.exists()).and_then(|decision| files.apply(facts, decision)) {
        Ok(prepared) => prepared,
        Err(error) => files.refused(SetupAction::Apply, facts, error),
    }
}

/// Plans to take back what was applied and not undone since; only those with an [`AppliedChange::id`] among `only`, if
/// that is given. `facts` say how an engine that has to start anew is told so.
#[must_use]
pub fn prepare_undo(only: Option<&[String]>, facts: &EngineFacts, system: &Paths, user: &Paths) -> Prepared {
    let files = Files::new(facts, system, user);
    match files.undo(only, facts) {
        Ok(prepared) => prepared,
        Err(error) => files.refused(SetupAction::Undo, facts, UiError::from(&error)),
    }
}

/// What was applied and not undone since, the system's files first.
///
/// # Errors
/// [`EditError::Journal`], [`EditError::JournalInvalid`].
pub fn applied(system: &Paths, user: &Paths) -> Result<Vec<AppliedChange>, EditError> {
    let mut all = Vec::new();
    for paths in [system, user] {
        all.extend(change::applied(paths)?.into_iter().map(|entry| AppliedChange {
            id: entry.intent.id(),
            file: entry.intent.file(),
            path: entry.path.display().to_string(),
            entries: entry.owned,
            at: UnixMillis(entry.at),
            needs_admin: entry.intent.scope() == Scope::System,
        }));
    }
    Ok(all)
}

/// The files a plan is made of.
struct Files<'a> {
    system: Paths,
    user: &'a Paths,
}

impl<'a> Files<'a> {
    fn new(facts: &EngineFacts, system: &Paths, user: &'a Paths) -> Self {
        let usual = Path::new("/etc/docker/daemon.json");
        let told = facts.config_file.as_deref().filter(|path| *path != usual).map(PathBuf::from);
        let system = Paths { daemon_json: told.or_else(|| system.daemon_json.clone()), ..system.clone() };
        Self { system, user }
    }

    fn paths(&self, intent: &Intent) -> &Paths {
        match intent.scope() {
            Scope::System => &self.system,
            Scope::User => self.user,
        }
    }

    fn apply(&self, facts: &EngineFacts, decision: Decision) -> Result<Prepared, UiError> {
        let Decision { wanted, satisfied, authorities } = decision;
        let mut draft = Draft::default();
        for wanted in wanted {
            let is_nothing = wanted.intent == wanted.intent.nothing();
            if is_nothing && !self.is_recorded(&wanted.intent).map_err(|error| UiError::from(&error))? {
                // Not even looked at: what is wrong with a file that needs no change is nobody's business here.
                continue;
            }
            let planned = self.plan(&wanted.intent).map_err(|error| UiError::from(&error))?;
            draft.add(self, facts, wanted, planned, SetupAction::Apply);
        }
        let is_needed = !draft.changes.is_empty() || !draft.unread.is_empty();
        let why = match (draft.changes.len(), is_needed) {
            (0, true) => joined(std::mem::take(&mut draft.unread)),
            // Each change says its own reason.
            (changes, true) => {
                let lacks = format!("{} lacks {}.", facts.label, counted(changes));
                joined([vec![lacks], std::mem::take(&mut draft.unread)].concat())
            }
            (_, false) if satisfied.is_empty() => "Every setting that is needed is there already.".to_owned(),
            (_, false) => joined(satisfied),
        };
        let summary = match is_needed {
            true => draft.summary("so that docker push works here"),
            false => format!("Nothing needs to be changed: {why}"),
        };
        let verdict =
            if is_needed { SetupVerdict::Needed { why } } else { SetupVerdict::AlreadySatisfied { why } };
        Ok(draft.finish(self, SetupAction::Apply, facts, verdict, authorities, summary))
    }

    fn undo(&self, only: Option<&[String]>, facts: &EngineFacts) -> Result<Prepared, EditError> {
        let mut draft = Draft::default();
        for paths in [&self.system, self.user] {
            let mut intents: Vec<Intent> =
                change::applied(paths)?.iter().map(|entry| entry.intent.nothing()).collect();
            let hosts = Intent::Hosts { entries: Vec::new(), gateway: None };
            // The block tells by itself whose it is, whoever wrote it.
            if paths.scope == Scope::System && !intents.contains(&hosts) {
                intents.push(hosts);
            }
            intents.retain(|intent| only.is_none_or(|only| only.contains(&intent.id())));
            for intent in intents {
                let planned = match self.plan(&intent) {
                    // No hosts file, no block.
                    Err(EditError::Read { source, .. })
                        if matches!(intent, Intent::Hosts { .. })
                            && source.kind() == std::io::ErrorKind::NotFound =>
                    {
                        continue;
                    }
                    planned => planned?,
                };
                let why = format!("Dockline's part of {} goes.", planned.path.display());
                draft.add(
                    self,
                    facts,
                    Wanted { intent, why, warnings: Vec::new() },
                    planned,
                    SetupAction::Undo,
                );
            }
        }
        let (verdict, summary) = match draft.changes.is_empty() {
            true => {
                let why = "Nothing of Dockline's is in any settings file.".to_owned();
                (SetupVerdict::AlreadySatisfied { why: why.clone() }, why)
            }
            false => {
                let why = "These files hold what Dockline added to them.".to_owned();
                (SetupVerdict::Needed { why }, draft.summary("so that nothing of Dockline's is left in them"))
            }
        };
        Ok(draft.finish(self, SetupAction::Undo, facts, verdict, Vec::new(), summary))
    }

    /// Whether Dockline has put something into the file that now has to go.
    fn is_recorded(&self, intent: &Intent) -> Result<bool, EditError> {
        let applied = change::applied(self.paths(intent))?;
        Ok(applied.iter().any(|entry| entry.intent.id() == intent.id()))
    }

    fn plan(&self, intent: &Intent) -> Result<Planned, EditError> {
        let paths = self.paths(intent);
        let plan = change::plan(paths, intent)?;
        let Contents { path, before, after } = change::contents(paths, intent)?;
        let steps = step::after(intent, &path, before.as_deref(), after.as_deref());
        Ok(Planned { plan, path, steps })
    }

    fn refused(&self, action: SetupAction, facts: &EngineFacts, error: UiError) -> Prepared {
        let summary = error.message.clone();
        Draft::default().finish(self, action, facts, SetupVerdict::Refused { error }, Vec::new(), summary)
    }
}

struct Planned {
    plan: Plan,
    path: PathBuf,
    steps: Vec<SystemStep>,
}

/// A plan in the making.
#[derive(Default)]
struct Draft {
    changes: Vec<ChangeView>,
    steps: Vec<StepView>,
    /// What the engine does not go by though its file is right; whole sentences.
    unread: Vec<String>,
    system: Vec<Agreed>,
    user: Vec<Agreed>,
}

impl Draft {
    fn add(
        &mut self,
        files: &Files<'_>,
        facts: &EngineFacts,
        wanted: Wanted,
        planned: Planned,
        action: SetupAction,
    ) {
        let Planned { plan, path, steps } = planned;
        let Wanted { intent, why, warnings } = wanted;
        let unread = if action == SetupAction::Apply { not_gone_by(&intent, facts) } else { Vec::new() };
        if plan.satisfied && unread.is_empty() {
            return;
        }
        let is_system = files.system.are_system();
        let views: Vec<StepView> = match steps.as_slice() {
            [] => steps::of_person(&intent, facts, action),
            steps => steps.iter().flat_map(|step| steps::of_system(step, is_system, facts)).collect(),
        };
        for step in views {
            if !self.steps.contains(&step) {
                self.steps.push(step);
            }
        }
        let scope = intent.scope();
        if plan.satisfied {
            let entries = unread.join(", ");
            self.unread.push(format!(
                "{} names {entries}, but {} does not go by it yet.",
                path.display(),
                facts.label
            ));
            if scope == Scope::System && is_system {
                // The helper's step belongs to a change, and this one is none.
                self.system.push(Agreed { intent, before: plan.before, after: plan.after });
            }
            return;
        }
        self.changes.push(ChangeView {
            id: intent.id(),
            file: intent.file(),
            path: path.display().to_string(),
            why,
            diff: plan.diff,
            before: plan.before.to_string(),
            after: plan.after.to_string(),
            needs_admin: scope == Scope::System,
            in_place_note: plan.in_place_note,
            warnings,
        });
        let agreed = Agreed { intent, before: plan.before, after: plan.after };
        match scope {
            Scope::System => self.system.push(agreed),
            Scope::User => self.user.push(agreed),
        }
    }

    /// One sentence.
    fn summary(&self, purpose: &str) -> String {
        let files = match self.changes.as_slice() {
            [] => return self.summary_of_steps(purpose),
            [one] => one.path.clone(),
            [first, second] => format!("{} and {}", first.path, second.path),
            many => format!("{} files", many.len()),
        };
        let stops = self.stops();
        let restarts = self.steps.iter().filter(|step| step.by != StepBy::Person && !step.optional).count();
        match (stops.len(), restarts) {
            (0, 0) => format!("Dockline changes {files} {purpose}; nothing is restarted."),
            (0, _) => format!("Dockline changes {files} {purpose}; no running container stops."),
            (1, _) => format!("Dockline changes {files} {purpose}; the container {} stops.", stops[0]),
            (count, _) => format!("Dockline changes {files} {purpose}; {count} running containers stop."),
        }
    }

    /// Where no file has to be changed.
    fn summary_of_steps(&self, purpose: &str) -> String {
        match self.stops().as_slice() {
            [] => format!("The engine reads its settings again {purpose}; no running container stops."),
            [one] => format!("The engine starts anew {purpose}; the container {one} stops."),
            several => {
                format!("The engine starts anew {purpose}; {} running containers stop.", several.len())
            }
        }
    }

    fn stops(&self) -> Vec<&str> {
        let mut stops: Vec<&str> =
            self.steps.iter().flat_map(|step| &step.stops).map(String::as_str).collect();
        stops.sort_unstable();
        stops.dedup();
        stops
    }

    fn finish(
        self,
        files: &Files<'_>,
        action: SetupAction,
        facts: &EngineFacts,
        verdict: SetupVerdict,
        authorities: Vec<dockline_model::EngineAuthority>,
        summary: String,
    ) -> Prepared {
        Prepared {
            plan: SetupPlan {
                action,
                engine: facts.clone(),
                verdict,
                listens: Vec::new(),
                changes: self.changes,
                steps: self.steps,
                authorities,
                summary,
            },
            system: self.system,
            user: self.user,
            system_paths: files.system.clone(),
            user_paths: files.user.clone(),
        }
    }
}

/// Entries that the engine is to go by and, as it says itself, does not: it was not told, or its restart failed. What
/// Rancher Desktop and Podman go by is not listed so, or not by their files alone.
fn not_gone_by(intent: &Intent, facts: &EngineFacts) -> Vec<String> {
    let insecure = match intent {
        Intent::DaemonJson { insecure, .. } | Intent::ColimaYaml { insecure, .. } => insecure,
        Intent::Hosts { .. }
        | Intent::RegistryHosts { .. }
        | Intent::RegistryCertificate { .. }
        | Intent::SystemTrust { .. }
        | Intent::RegistriesConf { .. }
        | Intent::BuilderConfig { .. }
        | Intent::RancherProvisioning { .. } => return Vec::new(),
    };
    let is_missing = |entry: &String| !facts.insecure.contains(entry);
    if facts.kind == EngineKind::None {
        return Vec::new();
    }
    insecure.iter().map(ToString::to_string).filter(is_missing).collect()
}

fn counted(settings: usize) -> String {
    match settings {
        1 => "one setting".to_owned(),
        several => format!("{several} settings"),
    }
}

/// Sentences, each once.
fn joined(mut sentences: Vec<String>) -> String {
    let mut seen = std::collections::BTreeSet::new();
    sentences.retain(|sentence| seen.insert(sentence.clone()));
    sentences.join(" ")
}

#[cfg(test)]
mod tests;
