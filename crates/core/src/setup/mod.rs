//! “Make docker push work here”: the engine is looked at, a plan is made of what it needs and shown, and what was agreed
//! to is done, and then the engine itself is asked whether it works. Undo is the same the other way round.
//!
//! Nothing here needs the owner; see [`crate::hosts`] for why a face may do it in a process of its own. Planning and
//! writing are `dockline-edits`'; what is known of the engine comes from `dockline-engine`; this module brings them
//! together, reloads, and asks.

pub(crate) mod check;
pub(crate) mod facts;
mod files;
mod listeners;
mod steps;

pub use facts::{Looked, look};

use crate::{Paths, config, files::blocking};
use dockline_engine::{Engine, Surroundings};
use dockline_model::{
    AppliedChange, CheckOutcome, Code, EngineAuthority, EngineCheck, LeftForYou, PlannedListener,
    RegistryName, RegistrySecurity, RegistrySpec, RegistryView, SettingsFile, SetupAction, SetupPlan,
    SetupProgress, SetupReport, SetupTarget, SetupVerdict, StepBy, Target, UiError,
};
pub(crate) use files::settle;
use files::{Wish, Written};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// How long this machine may take to say whether public DNS knows a name: the answer only makes a warning.
const DNS_PATIENCE: Duration = Duration::from_millis(1500);

/// After a name is gone from the hosts file, engines may still lead it to its old address for so long; until then the
/// port there must not become somebody else's.
pub const ALIAS_FADES: Duration = check::HOSTS_CACHE;

/// Which registries are to be set up on this machine, and where its files are.
#[derive(Debug, Clone)]
pub struct Setup {
    paths: Paths,
    around: Surroundings,
    registries: Vec<RegistryView>,
    only: Option<RegistryName>,
    /// Of the one registry, as a person gave it just now.
    authority: Option<PathBuf>,
}

impl Setup {
    /// For the configured `registries`, all of them or `only` one, and the engine of this process's environment.
    #[must_use]
    pub fn new(paths: &Paths, registries: Vec<RegistryView>, only: Option<RegistryName>) -> Self {
        let around = Surroundings::from_process();
        let setup = Self { paths: paths.clone(), around, registries: Vec::new(), only, authority: None };
        setup.with_registries(registries)
    }

    /// The engine of that Docker context, where the person chose one for Dockline.
    #[must_use]
    pub fn with_context(self, context: Option<String>) -> Self {
        Self { around: self.around.with_context(context), ..self }
    }

    /// The one registry speaks TLS with a certificate of this authority (a file, PEM).
    #[must_use]
    pub fn with_authority(self, file: PathBuf) -> Self {
        Self { authority: Some(file), ..self }
    }

    /// The settings that registries need for this plan, where they differ from what they have: the owner is to be told
    /// of them ([`dockline_model::Command::ChangeRegistry`]) before the plan is applied, since it has the listeners.
    #[must_use]
    pub fn settings(&self, plan: &SetupPlan) -> Vec<Target> {
        let changed = |view: &RegistryView| {
            let mut target = Target::from(&view.spec);
            let listener = plan.listens.iter().find(|listener| listener.registry == view.spec.name);
            target.localhost_port = target.localhost_port.or(listener.map(|listener| listener.port));
            if self.is_only(view) && self.authority.is_some() {
                target.ca.clone_from(&self.authority);
            }
            (target != Target::from(&view.spec)).then_some(target)
        };
        match plan.action {
            SetupAction::Apply => self.registries.iter().filter_map(changed).collect(),
            SetupAction::Undo => Vec::new(),
        }
    }

    /// With the registries as they are now.
    #[must_use]
    pub fn with_registries(self, registries: Vec<RegistryView>) -> Self {
        // Without a tunnel there is nothing on this machine to set up.
        let registries = registries.into_iter().filter(|view| view.spec.has_tunnel()).collect();
        Self { registries, ..self }
    }

    fn is_only(&self, view: &RegistryView) -> bool {
        self.only.as_ref() == Some(&view.spec.name)
    }

    /// Works out what has to change; nothing is written. `changes` are the ids of those to undo, all if empty.
    ///
    /// # Errors
    /// Where a file cannot be read. What cannot be *done* is the plan's verdict.
    pub async fn plan(&self, action: SetupAction, changes: &[String]) -> Result<SetupPlan, UiError> {
        let looked = look(&self.around).await;
        if action == SetupAction::Apply
            && let Some(error) = looked.absent
        {
            return Ok(refused(looked.facts, error));
        }
        let mut listens = Vec::new();
        let wish = match (action, &self.only) {
            (SetupAction::Apply, _) => {
                let wanted = self.wanted(action).await;
                listens = listeners::missing(&looked.facts.kind, &wanted, &self.registries);
                Wish::Holds(self.targets(&wanted, &listens).await?)
            }
            // What one registry has in the files goes, and what the others have stays.
            (SetupAction::Undo, Some(_)) if changes.is_empty() => {
                match self.targets(&self.wanted(action).await, &[]).await? {
                    others if others.is_empty() => Wish::Undone(Vec::new()),
                    others => Wish::Holds(others),
                }
            }
            (SetupAction::Undo, _) => Wish::Undone(changes.to_vec()),
        };
        let mut plan = files::plan(&self.paths, looked.facts, wish).await?;
        plan.action = action;
        plan.listens = match &plan.verdict {
            SetupVerdict::Needed { .. } => listens,
            // The files are as they should be, but nobody listens where they say.
            SetupVerdict::AlreadySatisfied { why } if !listens.is_empty() => {
                plan.verdict = SetupVerdict::Needed { why: why.clone() };
                listens
            }
            SetupVerdict::AlreadySatisfied { .. } | SetupVerdict::Refused { .. } => Vec::new(),
        };
        plan.steps.extend(steps::of_podman(&plan));
        let remarks: Vec<String> = match action {
            SetupAction::Apply => looked.remarks.into_iter().chain(self.gateways_missing()).collect(),
            SetupAction::Undo => Vec::new(),
        };
        if let SetupVerdict::Needed { why } | SetupVerdict::AlreadySatisfied { why } = &mut plan.verdict {
            for remark in remarks {
                why.push(' ');
                why.push_str(&remark);
            }
        }
        Ok(plan)
    }

    /// What Dockline has changed on this machine and not undone.
    ///
    /// # Errors
    /// Where its record cannot be read.
    pub async fn applied(&self) -> Result<Vec<AppliedChange>, UiError> {
        files::applied(&self.paths).await
    }

    /// Carries out the plan a person agreed to, then asks the engine. `progress` is told before each thing.
    ///
    /// # Errors
    /// Whatever kept it from being done; a file that changed since the plan was made is `HostsChanged`. That the
    /// engine does not get to the registry after all is no error but in the report.
    pub async fn apply(
        &self,
        plan: SetupPlan,
        progress: impl Fn(SetupProgress) + Send + Sync,
    ) -> Result<SetupReport, UiError> {
        if plan.action == SetupAction::Apply {
            self.listens(&plan)?;
        }
        let before = self.applied().await.unwrap_or_default();
        let wish = match (plan.action, plan.authorities.is_empty()) {
            (SetupAction::Apply, _) | (SetupAction::Undo, false) => {
                Wish::Holds(self.targets(&self.named(&plan), &plan.listens).await?)
            }
            (SetupAction::Undo, true) => {
                Wish::Undone(plan.changes.iter().map(|change| change.id.clone()).collect())
            }
        };
        let own_steps: Vec<_> =
            plan.steps.iter().filter(|step| step.by == StepBy::Dockline && !step.optional).collect();
        let asked = match plan.action {
            SetupAction::Apply => plan.authorities.len(),
            SetupAction::Undo => 1,
        };
        let total = 1 + own_steps.len() + asked;
        let told = AtomicU32::new(0);
        let tell = |words: String| {
            let done = told.fetch_add(1, Ordering::Relaxed);
            progress(SetupProgress { words, done, total: u32::try_from(total).unwrap_or(u32::MAX) });
        };

        tell(match plan.needs_admin() {
            true => "Writing the settings; an administrator's leave may be asked for".to_owned(),
            false => "Writing the settings".to_owned(),
        });
        let Written { mut done, mut failed } = files::apply(&self.paths, plan.clone(), wish).await?;
        for step in own_steps {
            tell(step.words.clone());
            match step.command.as_slice() {
                [] => match steps::reload_podman(&self.around).await {
                    Ok(()) => done.push(step.done.clone()),
                    Err(error) => failed.push(error.message),
                },
                _ => {
                    steps::run(step).await?;
                    done.push(step.done.clone());
                }
            }
        }
        let after = self.applied().await.unwrap_or_default();
        let checks = self.check(&plan, &withdrawn(&before, &after), tell).await;
        let offered = plan.steps.iter().filter(|step| step.by == StepBy::Person || step.optional);
        let offered =
            offered.map(|step| LeftForYou { words: step.words.clone(), command: step.command.clone() });
        let failed = failed.into_iter().map(|words| LeftForYou { words, command: Vec::new() });
        let left = failed.chain(offered).collect();
        let summary = summary(&plan, &checks);
        Ok(SetupReport { action: plan.action, summary, done, left, checks })
    }

    async fn check(
        &self,
        plan: &SetupPlan,
        withdrawn: &[EngineAuthority],
        tell: impl Fn(String) + Send + Sync,
    ) -> Vec<EngineCheck> {
        let looked = look(&self.around).await;
        let engine = looked.endpoint.map(Engine::connect);
        let not_asked = |authority: &EngineAuthority, why: String| EngineCheck {
            registry: authority.registry.clone(),
            authority: authority.authority.clone(),
            outcome: CheckOutcome::NotAsked { why },
        };
        let authorities = match plan.action {
            SetupAction::Apply => plan.authorities.clone(),
            SetupAction::Undo => withdrawn.to_vec(),
        };
        let engine = match engine {
            Some(Ok(engine)) => engine,
            Some(Err(error)) => {
                let why = UiError::from(&error).message;
                return authorities.iter().map(|authority| not_asked(authority, why.clone())).collect();
            }
            None => {
                let why = "The engine was not asked: it does not answer here.".to_owned();
                return authorities.iter().map(|authority| not_asked(authority, why.clone())).collect();
            }
        };
        let mut checks = Vec::new();
        if plan.action == SetupAction::Undo {
            tell(format!("Asking {} what it goes by now", plan.engine.label));
        }
        for EngineAuthority { registry, authority } in authorities {
            let outcome = match plan.action {
                SetupAction::Apply => {
                    tell(format!("{} asks for {authority}", plan.engine.label));
                    check::reaches(&engine, &authority).await
                }
                SetupAction::Undo => check::withdrawn(&engine, &authority).await,
            };
            checks.push(EngineCheck { registry, authority, outcome });
        }
        checks
    }

    /// A name must not lead to a port that anybody might take: the listener is there first.
    fn listens(&self, plan: &SetupPlan) -> Result<(), UiError> {
        let error = |view: &&RegistryView| {
            let tunnel = &view.tunnel;
            let at_localhost = plan.engine.kind.name_of_host().and(tunnel.localhost_error.as_deref());
            tunnel.listener_error.as_ref().or(at_localhost).cloned()
        };
        self.named(plan).iter().find_map(error).map_or(Ok(()), Err)
    }

    /// The one that was asked for and those that are set up already, since a file is planned as a whole; or all.
    async fn wanted(&self, action: SetupAction) -> Vec<&RegistryView> {
        let set_up = match self.only {
            Some(_) => files::applied(&self.paths).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let is_wanted = |view: &&RegistryView| {
            let is_set_up = view.alias_ready || is_among(&set_up, &view.spec.name);
            match (&self.only, action) {
                (None, _) => true,
                (Some(_), SetupAction::Apply) => self.is_only(view) || is_set_up,
                (Some(_), SetupAction::Undo) => !self.is_only(view) && is_set_up,
            }
        };
        self.registries.iter().filter(is_wanted).collect()
    }

    /// Those that a plan was made for.
    fn named(&self, plan: &SetupPlan) -> Vec<&RegistryView> {
        let is_named = |view: &&RegistryView| {
            plan.authorities.iter().any(|authority| authority.registry == view.spec.name)
        };
        self.registries.iter().filter(is_named).collect()
    }

    async fn targets(
        &self,
        views: &[&RegistryView],
        listens: &[PlannedListener],
    ) -> Result<Vec<SetupTarget>, UiError> {
        let targets = views.iter().map(|view| async {
            let spec = &view.spec;
            let planned = listens.iter().find(|listener| listener.registry == spec.name);
            Ok(SetupTarget {
                name: spec.name.clone(),
                address: spec.address,
                port: spec.port,
                security: self.security(view).await?,
                gateway: spec.gateway.filter(|_| view.tunnel.gateway_error.is_none()),
                localhost_port: spec.at_localhost().or(planned.map(|listener| listener.port)),
                in_public_dns: !view.alias_ready && is_in_dns(spec.name.as_str()).await,
            })
        });
        futures::future::try_join_all(targets).await
    }

    async fn security(&self, view: &RegistryView) -> Result<RegistrySecurity, UiError> {
        let given = self.authority.as_ref().filter(|_| self.is_only(view));
        let spec = RegistrySpec { ca: given.or(view.spec.ca.as_ref()).cloned(), ..view.spec.clone() };
        let paths = self.paths.clone();
        let read = blocking(move || config::authority(&paths, &spec)).await?;
        let certificate = read.map_err(|error| UiError::from(&error))?;
        let configured = || view.spec.ca.as_deref().map(|path| self.paths.expanded(path));
        let file = given.map(|_| config::kept_authority(&self.paths, &view.spec.name)).or_else(configured);
        Ok(match certificate {
            Some(certificate) => RegistrySecurity::PrivateCa { certificate, file },
            None => RegistrySecurity::Plain,
        })
    }

    /// An entry for an address where nothing listens would be an open invitation.
    fn gateways_missing(&self) -> Vec<String> {
        let missing = |view: &RegistryView| {
            let (gateway, error) = (view.spec.gateway?, view.tunnel.gateway_error.as_ref()?);
            Some(format!(
                "Nothing is set up for containers at {gateway}:{}, since Dockline does not listen there: {}",
                view.spec.port, error.message
            ))
        };
        self.registries.iter().filter_map(missing).collect()
    }
}

/// Whether an entry of `changes` is this registry's.
#[must_use]
pub fn is_among(changes: &[AppliedChange], name: &RegistryName) -> bool {
    let is_its = |entry: &String| entry.split(':').next() == Some(name.as_str());
    changes.iter().any(|change| change.entries.iter().any(is_its))
}

/// Before the name is in the hosts file, this machine's resolver answers with what DNS has.
async fn is_in_dns(name: &str) -> bool {
    let found = timeout(DNS_PATIENCE, tokio::net::lookup_host((name, 0))).await;
    match found {
        Ok(Ok(mut addresses)) => addresses.any(|address| !address.ip().is_loopback()),
        Ok(Err(_)) | Err(_) => false,
    }
}

fn refused(engine: dockline_model::EngineFacts, error: UiError) -> SetupPlan {
    SetupPlan {
        action: SetupAction::Apply,
        engine,
        summary: error.message.clone(),
        verdict: SetupVerdict::Refused { error },
        listens: Vec::new(),
        changes: Vec::new(),
        steps: Vec::new(),
        authorities: Vec::new(),
    }
}

/// What the engine must not go by any more: what was in its settings and is not now.
fn withdrawn(before: &[AppliedChange], after: &[AppliedChange]) -> Vec<EngineAuthority> {
    let entries = |applied: &[AppliedChange]| -> BTreeSet<String> {
        let of_engine = |change: &&AppliedChange| {
            matches!(change.file, SettingsFile::DaemonJson | SettingsFile::RegistriesConf)
        };
        applied.iter().filter(of_engine).flat_map(|change| change.entries.iter().cloned()).collect()
    };
    let gone: BTreeSet<String> = entries(before).difference(&entries(after)).cloned().collect();
    gone.into_iter()
        .filter_map(|authority| {
            let (host, _) = authority.split_once(':')?;
            // An address is no registry's name; in the report the entry says enough.
            let registry = host.parse().or_else(|_| "address.invalid".parse()).ok()?;
            Some(EngineAuthority { registry, authority })
        })
        .collect()
}

fn summary(plan: &SetupPlan, checks: &[EngineCheck]) -> String {
    let label = &plan.engine.label;
    if plan.action == SetupAction::Undo {
        return match plan.changes.len() {
            0 => "There was nothing to undo.".to_owned(),
            1 => "Dockline's change is undone.".to_owned(),
            n => format!("Dockline's {n} changes are undone."),
        };
    }
    let reached: Vec<&str> = checks
        .iter()
        .filter(|check| matches!(check.outcome, CheckOutcome::Reached { .. }))
        .map(|check| check.authority.as_str())
        .collect();
    let missed = checks.iter().find(|check| matches!(check.outcome, CheckOutcome::NotReached { .. }));
    match (reached.as_slice(), missed) {
        (_, Some(missed)) => {
            format!("The settings are written, but {label} does not get to {} yet.", missed.authority)
        }
        ([], None) => format!("The settings are written; {label} could not be asked whether they work."),
        ([one], None) => format!("docker push works here: {label} asked {one}, and the registry answered."),
        (several, None) => {
            format!(
                "docker push works here: {label} asked {}, and each registry answered.",
                several.join(", ")
            )
        }
    }
}

fn internal(message: impl Into<String>) -> UiError {
    UiError::new(Code::Internal, message)
}

fn changed(what: &str, is_hosts: bool) -> UiError {
    let code = if is_hosts { Code::HostsChanged } else { Code::SettingsChanged };
    UiError::new(code, format!("{what} changed after the plan was shown; nothing was written."))
        .hint("Look at the new plan and agree to it again.")
}
