//! “Make docker push work here”: the engine is looked at, a plan is made of what it needs and shown, and what was agreed
//! to is done, and then the engine itself is asked whether it works. Undo is the same the other way round.
//!
//! Nothing here needs the owner; see [`crate::hosts`] for why a face may do it in a process of its own. Planning and
//! writing are `dockline-edits`'; what is known of the engine comes from `dockline-engine`; this module brings them
//! together, reloads, and asks.

mod apply;
pub(crate) mod check;
pub(crate) mod facts;
mod files;
pub(crate) mod listeners;
mod steps;

pub use facts::{Looked, look};

use crate::{Paths, config, files::blocking};
use dockline_engine::Surroundings;
use dockline_model::{
    AppliedChange, Code, PlannedListener, RegistryName, RegistrySecurity, RegistrySpec, RegistryView,
    SetupAction, SetupPlan, SetupTarget, SetupVerdict, Target, UiError,
};
use files::Wish;
pub(crate) use files::settle;
use std::{path::PathBuf, time::Duration};
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
        let mut plan = files::prepare(&self.paths, looked.facts, looked.endpoint.as_ref(), wish).await?.plan;
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

fn internal(message: impl Into<String>) -> UiError {
    UiError::new(Code::Internal, message)
}
