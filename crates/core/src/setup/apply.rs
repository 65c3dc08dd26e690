//! Carrying out what a person agreed to. The plan comes back from a face, and a face may be a page in a window: it says
//! what was agreed to, and nothing in it is taken for true. All of it is worked out once more here, and has to come to
//! the same.

use super::{Setup, check, facts::look, files, files::Wish, listeners, steps};
use dockline_engine::Engine;
use dockline_model::{
    AppliedChange, CheckOutcome, Code, EngineAuthority, EngineCheck, EngineKind, LeftForYou, SettingsFile,
    SetupAction, SetupPlan, SetupProgress, SetupReport, SetupVerdict, StepBy, StepView, UiError,
};
use files::Written;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

impl Setup {
    /// Carries out the plan a person agreed to, then asks the engine. `progress` is told before each thing.
    ///
    /// # Errors
    /// Whatever kept it from being done; `HostsChanged` and `SettingsChanged` where something else would be done by now.
    /// That the engine does not get to the registry after all is no error but in the report.
    pub async fn apply(
        &self,
        agreed: SetupPlan,
        progress: impl Fn(SetupProgress) + Send + Sync,
    ) -> Result<SetupReport, UiError> {
        let looked = look(&self.around).await;
        if agreed.action == SetupAction::Apply {
            if let Some(error) = looked.absent {
                return Err(error);
            }
            self.listens(&looked.facts.kind, &agreed)?;
        }
        let before = self.applied().await.unwrap_or_default();
        let wish = match (agreed.action, agreed.authorities.is_empty()) {
            (SetupAction::Apply, _) | (SetupAction::Undo, false) => {
                Wish::Holds(self.targets(&self.named(&agreed), &agreed.listens).await?)
            }
            (SetupAction::Undo, true) => {
                Wish::Undone(agreed.changes.iter().map(|change| change.id.clone()).collect())
            }
        };
        let mut prepared = files::prepare(&self.paths, looked.facts, looked.endpoint.as_ref(), wish).await?;
        prepared.plan.action = agreed.action;
        let of_podman = steps::of_podman(&prepared.plan);
        prepared.plan.steps.extend(of_podman);
        is_the_same(&agreed, &prepared.plan)?;
        let plan = prepared.plan.clone();

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
        let Written { mut done, failed } = files::write(&self.paths, prepared).await?;
        let failed = failed.into_iter().map(|words| LeftForYou { words, command: Vec::new() });
        let mut failed: Vec<LeftForYou> = failed.collect();
        let (undone, error) = steps::carry_out(&own_steps, &self.around, &tell, &mut done).await;
        failed.extend(undone);
        let after = self.applied().await.unwrap_or_default();
        let checks = self.check(&plan, &withdrawn(&before, &after), tell).await;
        let offered = plan.steps.iter().filter(|step| step.by == StepBy::Person || step.optional);
        let offered =
            offered.map(|step| LeftForYou { words: step.words.clone(), command: step.command.clone() });
        let summary = summary(&plan, &checks, !failed.is_empty());
        let left = failed.into_iter().chain(offered).collect();
        Ok(SetupReport { action: plan.action, summary, done, left, failed: error, checks })
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
    fn listens(&self, kind: &EngineKind, plan: &SetupPlan) -> Result<(), UiError> {
        let named = self.named(plan);
        let error = named.iter().find_map(|view| listeners::error_for(kind, &view.spec, &view.tunnel));
        error.map_or(Ok(()), |error| Err(error.clone()))
    }
}

/// What would be done now has to be what the person saw. (Each file's fingerprints are compared again by whoever writes;
/// this is about the *set* of files, and about what is run afterwards.)
fn is_the_same(agreed: &SetupPlan, now: &SetupPlan) -> Result<(), UiError> {
    if let SetupVerdict::Refused { error } = &now.verdict {
        return Err(error.clone());
    }
    let differs = |(one, other): (&dockline_model::ChangeView, &dockline_model::ChangeView)| {
        (&one.id, &one.before, &one.after) != (&other.id, &other.before, &other.after)
    };
    let is_hosts = |file: SettingsFile| file == SettingsFile::Hosts;
    if agreed.changes.len() != now.changes.len() {
        return Err(changed("A settings file", false));
    }
    if let Some((one, _)) = agreed.changes.iter().zip(&now.changes).find(|pair| differs(*pair)) {
        return Err(changed(&one.path, is_hosts(one.file)));
    }
    // Containers that have ended by themselves since are no reason to ask again; others that would be stopped are.
    let does_more = |(one, other): (&StepView, &StepView)| {
        (one.by, &one.command, one.optional) != (other.by, &other.command, other.optional)
            || other.stops.iter().any(|name| !one.stops.contains(name))
    };
    if agreed.steps.len() != now.steps.len() || agreed.steps.iter().zip(&now.steps).any(does_more) {
        return Err(changed("What has to be done after writing", false));
    }
    Ok(())
}

fn changed(what: &str, is_hosts: bool) -> UiError {
    let code = if is_hosts { Code::HostsChanged } else { Code::SettingsChanged };
    UiError::new(code, format!("{what} changed after the plan was shown; nothing was written."))
        .hint("Look at the new plan and agree to it again.")
}

/// What the engine must not go by any more: what was in its settings and is not now.
fn withdrawn(before: &[AppliedChange], after: &[AppliedChange]) -> Vec<EngineAuthority> {
    let entries = |applied: &[AppliedChange]| -> BTreeSet<String> {
        let of_engine = |change: &&AppliedChange| {
            matches!(
                change.file,
                SettingsFile::DaemonJson | SettingsFile::RegistriesConf | SettingsFile::ColimaYaml
            )
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

fn summary(plan: &SetupPlan, checks: &[EngineCheck], is_a_step_left: bool) -> String {
    let label = &plan.engine.label;
    if plan.action == SetupAction::Undo {
        return match plan.changes.len() {
            _ if is_a_step_left => {
                "The files hold nothing of this any more, but a step after that failed.".to_owned()
            }
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::Paths;
    use dockline_engine::Surroundings;

    /// For nobody's engine and nobody's files.
    fn setup(home: &std::path::Path) -> Setup {
        let paths = Paths { hosts_file: home.join("hosts"), ..Paths::in_folder(home) };
        paths.prepare().unwrap();
        std::fs::write(&paths.hosts_file, "127.0.0.1 localhost\n").unwrap();
        let nowhere = format!("unix://{}/docker.sock", home.display());
        let around = Surroundings { docker_host: Some(nowhere), ..Surroundings::from_process() };
        Setup { around, ..Setup::new(&paths, Vec::new(), None) }
    }

    fn step(command: &[&str]) -> StepView {
        StepView {
            words: "dockerd reads its settings again; no container stops.".to_owned(),
            done: String::new(),
            by: StepBy::Dockline,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            optional: false,
            stops: Vec::new(),
        }
    }

    #[tokio::test]
    async fn what_was_put_into_a_plan_is_not_run() {
        let home = tempfile::tempdir().unwrap();
        let setup = setup(home.path());
        let plan = setup.plan(SetupAction::Undo, &[]).await.unwrap();
        assert_eq!((plan.changes.len(), plan.steps.len()), (0, 0));
        let marker = home.path().join("planted");
        let planted = SetupPlan { steps: vec![step(&["touch", &marker.to_string_lossy()])], ..plan.clone() };
        let error = setup.apply(planted, |_| {}).await.unwrap_err();
        assert_eq!(error.code, Code::SettingsChanged, "{error}");
        assert!(!marker.exists());
        assert_eq!(setup.apply(plan, |_| {}).await.unwrap().summary, "There was nothing to undo.");
    }

    #[tokio::test]
    async fn the_engine_is_looked_at_again() {
        let home = tempfile::tempdir().unwrap();
        let setup = setup(home.path());
        let undo = setup.plan(SetupAction::Undo, &[]).await.unwrap();
        let mut engine = undo.engine.clone();
        engine.kind = EngineKind::DockerNative;
        engine.config_file = Some(home.path().join("daemon.json"));
        let claimed = SetupPlan { action: SetupAction::Apply, engine, ..undo };
        let error = setup.apply(claimed, |_| {}).await.unwrap_err();
        assert_eq!(error.code, Code::EngineUnavailable, "there is none to set up: {error}");
        assert!(!home.path().join("daemon.json").exists());
    }

    #[tokio::test]
    async fn a_plan_has_to_come_to_the_same() {
        let home = tempfile::tempdir().unwrap();
        let plan = setup(home.path()).plan(SetupAction::Undo, &[]).await.unwrap();
        let with = |steps: &[StepView]| SetupPlan { steps: steps.to_vec(), ..plan.clone() };
        let restart = |stops: &[&str]| StepView {
            stops: stops.iter().map(|&name| name.to_owned()).collect(),
            ..step(&["docker", "desktop", "restart"])
        };
        let outdated = |agreed: &[StepView], now: &[StepView]| {
            is_the_same(&with(agreed), &with(now)).err().map(|error| error.code)
        };
        assert_eq!(outdated(&[restart(&["web"])], &[restart(&["web"])]), None);
        assert_eq!(outdated(&[restart(&["web"])], &[restart(&[])]), None, "it has ended since");
        let later = Some(Code::SettingsChanged);
        assert_eq!(outdated(&[restart(&[])], &[restart(&["web"])]), later, "it has started since");
        assert_eq!(outdated(&[step(&["kill", "-HUP", "1"])], &[step(&["kill", "-HUP", "2"])]), later);
        assert_eq!(outdated(&[StepView { optional: true, ..restart(&[]) }], &[restart(&[])]), later);
        assert_eq!(outdated(&[], &[restart(&[])]), later);
        let error = UiError::new(Code::EngineCannotReach, "x");
        let refused = SetupPlan { verdict: SetupVerdict::Refused { error }, ..plan.clone() };
        assert_eq!(is_the_same(&plan, &refused).unwrap_err().code, Code::EngineCannotReach);
    }
}
