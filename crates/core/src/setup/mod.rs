//! “Make docker push work here”: the engine is looked at, a plan is made of what it needs and shown, and what was agreed
//! to is done, and then the engine itself is asked whether it works. Undo is the same the other way round.
//!
//! Nothing here needs the owner; see [`crate::hosts`] for why a face may do it in a process of its own. Planning and
//! writing are `dockline-edits`'; what is known of the engine comes from `dockline-engine`; this module brings them
//! together, reloads, and asks.

pub(crate) mod check;
mod facts;
mod files;
mod steps;

pub use facts::{Looked, look};

use crate::Paths;
use dockline_engine::{Engine, Surroundings};
use dockline_model::{
    AppliedChange, CheckOutcome, Code, EngineAuthority, EngineCheck, RegistryName, RegistrySecurity,
    RegistryView, SettingsFile, SetupAction, SetupPlan, SetupProgress, SetupReport, SetupTarget,
    SetupVerdict, StepBy, UiError,
};
pub(crate) use files::settle;
use files::{Wish, Written};
use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
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
    certificate: Option<String>,
}

impl Setup {
    /// For the configured `registries`, all of them or `only` one, and the engine of this process's environment.
    #[must_use]
    pub fn new(paths: &Paths, registries: Vec<RegistryView>, only: Option<RegistryName>) -> Self {
        let around = Surroundings::from_process();
        // Without a tunnel there is nothing on this machine to set up.
        let registries = registries.into_iter().filter(|view| view.spec.has_tunnel()).collect();
        Self { paths: paths.clone(), around, registries, only, certificate: None }
    }

    /// The engine of that Docker context, where the person chose one for Dockline.
    #[must_use]
    pub fn with_context(self, context: Option<String>) -> Self {
        Self { around: self.around.with_context(context), ..self }
    }

    /// The one registry speaks TLS with a certificate of this authority (PEM).
    #[must_use]
    pub fn with_certificate(self, pem: String) -> Self {
        Self { certificate: Some(pem), ..self }
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
        let wish = match (action, &self.only) {
            (SetupAction::Apply, _) => Wish::Holds(self.targets(action).await),
            // What one registry has in the files goes, and what the others have stays.
            (SetupAction::Undo, Some(_)) if changes.is_empty() => match self.targets(action).await {
                others if others.is_empty() => Wish::Undone(Vec::new()),
                others => Wish::Holds(others),
            },
            (SetupAction::Undo, _) => Wish::Undone(changes.to_vec()),
        };
        let mut plan = files::plan(&self.paths, looked.facts, wish).await?;
        plan.action = action;
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
            (SetupAction::Apply, _) | (SetupAction::Undo, false) => Wish::Holds(self.named(&plan)),
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
                    Ok(()) => done.push(step.words.clone()),
                    Err(error) => failed.push(error.message),
                },
                _ => {
                    steps::run(step).await?;
                    done.push(step.words.clone());
                }
            }
        }
        let after = self.applied().await.unwrap_or_default();
        let checks = self.check(&plan, &withdrawn(&before, &after), tell).await;
        let offered = plan.steps.iter().filter(|step| step.by == StepBy::Person || step.optional);
        let offered = offered.map(|step| match step.command.as_slice() {
            [] => step.words.clone(),
            command => format!("{} ({})", step.words, command.join(" ")),
        });
        let left = failed.into_iter().chain(offered).collect();
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
        let wanted = |view: &&RegistryView| {
            plan.authorities.iter().any(|authority| authority.registry == view.spec.name)
        };
        match self.registries.iter().filter(wanted).find_map(|view| view.tunnel.listener_error.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The one that was asked for and those that are set up already, since a file is planned as a whole; or all.
    async fn targets(&self, action: SetupAction) -> Vec<SetupTarget> {
        let set_up = match self.only {
            Some(_) => files::applied(&self.paths).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let is_wanted = |view: &&RegistryView| match &self.only {
            None => true,
            Some(only) => {
                let is_only = view.spec.name == *only;
                let is_set_up = view.alias_ready || is_among(&set_up, &view.spec.name);
                match action {
                    SetupAction::Apply => is_only || is_set_up,
                    SetupAction::Undo => !is_only && is_set_up,
                }
            }
        };
        let targets = self.registries.iter().filter(is_wanted).map(|view| async {
            let in_public_dns = !view.alias_ready && is_in_dns(view.spec.name.as_str()).await;
            SetupTarget { in_public_dns, ..self.target(view) }
        });
        futures::future::join_all(targets).await
    }

    /// Those that a plan was made for.
    fn named(&self, plan: &SetupPlan) -> Vec<SetupTarget> {
        let is_named = |view: &&RegistryView| {
            plan.authorities.iter().any(|authority| authority.registry == view.spec.name)
        };
        self.registries.iter().filter(is_named).map(|view| self.target(view)).collect()
    }

    fn target(&self, view: &RegistryView) -> SetupTarget {
        let spec = &view.spec;
        let is_only = self.only.as_ref() == Some(&spec.name);
        SetupTarget {
            name: spec.name.clone(),
            address: spec.address,
            port: spec.port,
            security: match &self.certificate {
                Some(certificate) if is_only => {
                    RegistrySecurity::PrivateCa { certificate: certificate.clone() }
                }
                Some(_) | None => RegistrySecurity::Plain,
            },
            gateway: spec.gateway.filter(|_| view.tunnel.gateway_error.is_none()),
            localhost_port: (spec.address == Ipv4Addr::LOCALHOST).then_some(spec.port),
            in_public_dns: false,
        }
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
