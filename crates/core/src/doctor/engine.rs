//! The engine's part of the way: whether it answers, has the settings that it needs, and gets to the registry by itself.

use super::Examination;
use crate::setup::{check, look};
use dockline_engine::Engine;
use dockline_model::{
    CheckOutcome, Code, Link, LinkView, RegistryName, SettingsFile, SetupAction, SetupPlan, SetupVerdict,
    UiError,
};

impl<F: FnMut(&[LinkView]) + Send> Examination<F> {
    pub(super) async fn engine(&mut self, name_leads_here: bool, is_reached: bool) {
        self.begin(Link::Engine);
        let looked = look(&self.case.around).await;
        if let Some(error) = looked.absent {
            self.fail_as(Link::Engine, error);
            for link in [Link::EngineSettings, Link::EngineReach] {
                self.skip(link, "There is no engine to ask; archives can be pushed without one.");
            }
            return;
        }
        let label = looked.facts.label.clone();
        self.pass(Link::Engine, format!("{label} answers."));
        let authority = self.engine_settings(&label, name_leads_here).await;
        if !is_reached {
            return self.skip(
                Link::EngineReach,
                "The registry is not reached from here, so the engine was not asked.",
            );
        }
        let engine = match looked.endpoint.map(Engine::connect) {
            Some(Ok(engine)) => engine,
            Some(Err(error)) => return self.fail_as(Link::EngineReach, UiError::from(&error)),
            None => {
                return self.skip(
                    Link::EngineReach,
                    "The engine runs on another machine, where this machine's tunnels do not reach.",
                );
            }
        };
        self.begin(Link::EngineReach);
        match check::reaches(&engine, &authority).await {
            CheckOutcome::Reached { login_wanted } => {
                let and = if login_wanted { ", and wants a login" } else { "" };
                let words =
                    format!("{label} asked for {authority} by itself, and the registry answered{and}.");
                self.pass(Link::EngineReach, words);
            }
            CheckOutcome::NotReached { error } => {
                let is_set_up_by_us = !self.case.is_candidate && self.case.tunnel.is_some();
                let remedy = if is_set_up_by_us { self.set_up() } else { self.person(&error) };
                self.fail(Link::EngineReach, error, remedy);
            }
            CheckOutcome::NotAsked { why } => self.skip(Link::EngineReach, why),
            CheckOutcome::Withdrawn => self.skip(Link::EngineReach, "The engine was not asked."),
        }
    }

    /// The name under which the engine is to ask.
    async fn engine_settings(&mut self, label: &str, name_leads_here: bool) -> String {
        if self.case.tunnel.is_none() {
            self.skip(Link::EngineSettings, "Without a tunnel, the engine needs no settings of Dockline's.");
            return self.case.spec.authority();
        }
        let by_address = self.case.spec.listen().to_string();
        if self.case.is_candidate {
            self.skip(Link::EngineSettings, "The engine is set up when the registry is configured.");
            return by_address;
        }
        self.begin(Link::EngineSettings);
        let plan = match self.case.setup.plan(SetupAction::Apply, &[]).await {
            Ok(plan) => plan,
            Err(error) => {
                self.fail_as(Link::EngineSettings, error);
                return by_address;
            }
        };
        let authority = plan
            .authorities
            .iter()
            .find(|authority| authority.registry == self.case.spec.name)
            .map(|authority| authority.authority.clone());
        match &plan.verdict {
            SetupVerdict::AlreadySatisfied { .. } => {
                self.pass(Link::EngineSettings, format!("{label} has all the settings that it needs."));
            }
            SetupVerdict::Needed { .. } if is_about_names_alone(&plan) => {
                self.pass(
                    Link::EngineSettings,
                    format!("{label} needs no settings, only the registry's name."),
                );
            }
            SetupVerdict::Needed { why } => {
                let error =
                    UiError::new(Code::EngineNotSetUp, format!("{label} cannot push there yet: {why}"))
                        .hint("Look at what would change, and let Dockline change it: dockline setup");
                self.fail(Link::EngineSettings, error, self.set_up());
            }
            SetupVerdict::Refused { error } => self.fail_as(Link::EngineSettings, error.clone()),
        }
        asked_for(authority, &self.case.spec.name, name_leads_here).unwrap_or(by_address)
    }
}

/// Whether the plan is about the hosts file alone, which is a link of its own. (A step is for an engine that does not go by
/// its settings, though its file is right.)
fn is_about_names_alone(plan: &SetupPlan) -> bool {
    let is_hosts = plan.changes.iter().all(|change| change.file == SettingsFile::Hosts);
    !plan.changes.is_empty() && is_hosts && plan.steps.is_empty()
}

/// Under which of its names an engine is asked for a registry, if not by the address: the one that was planned for it,
/// unless that is the registry's own and leads elsewhere. (What an engine in a virtual machine calls this machine, and
/// the address that a rootless one goes to, are no business of the hosts file's; the registry's loopback address would
/// be the engine's own.)
fn asked_for(planned: Option<String>, name: &RegistryName, name_leads_here: bool) -> Option<String> {
    let is_by_name =
        |authority: &str| authority.rsplit_once(':').is_some_and(|(host, _)| host == name.as_str());
    planned.filter(|authority| name_leads_here || !is_by_name(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registrys_own_name_has_to_lead_here() {
        let name: RegistryName = "cr.boss.org".parse().unwrap();
        let asked = |planned: &str, leads_here| asked_for(Some(planned.to_owned()), &name, leads_here);
        assert_eq!(asked("cr.boss.org:5000", true).as_deref(), Some("cr.boss.org:5000"));
        assert_eq!(asked("cr.boss.org:5000", false), None, "any engine of this machine takes the address");
        for others in ["host.docker.internal:5001", "host.containers.internal:5001", "172.17.0.1:5000"] {
            assert_eq!(asked(others, false).as_deref(), Some(others));
        }
        assert_eq!(asked_for(None, &name, true), None);
    }
}
