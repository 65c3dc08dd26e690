//! Settings, Docker contexts and the team file, on behalf of a face.

use super::{Answerer, actor::Actor, engine, registries::unknown};
use crate::{
    autostart::Autostart,
    config::{self, bounds},
    credentials::Known,
    files::blocking,
    team,
    updates::Address,
};
use dockline_engine::Surroundings;
use dockline_model::{
    Change, Code, ContextView, RegistryName, RegistrySpec, Reply, Settings, SettingsChange, UiError,
};
use std::time::Duration;

impl Actor {
    pub(super) fn autostart(&self) -> Autostart {
        self.paths.autostart()
    }

    pub(super) async fn change_settings(&mut self, wanted: SettingsChange) -> Result<Reply, UiError> {
        check(&wanted)?;
        if let Some(on) = wanted.start_at_login {
            let autostart = self.autostart();
            blocking(move || autostart.set(on)).await??;
        }
        let is_in_file =
            wanted != SettingsChange { start_at_login: wanted.start_at_login, ..SettingsChange::default() };
        if is_in_file {
            let paths = self.paths.clone();
            let changed = blocking(move || config::change_settings(&paths, &wanted)).await?;
            self.configure(changed.map_err(|error| UiError::from(&error))?);
        }
        self.refresh_autostart().await;
        Ok(Reply::Settings { settings: self.settings.clone() })
    }

    /// Looks again whether the app starts at login: people switch that elsewhere, too.
    pub(super) async fn refresh_autostart(&mut self) {
        let autostart = self.autostart();
        let is_on = blocking(move || autostart.is_on()).await.ok().flatten();
        if self.settings.start_at_login != is_on {
            self.settings.start_at_login = is_on;
            self.publish(Change::Settings { settings: self.settings.clone() });
        }
    }

    /// Takes over settings that were read.
    pub(super) fn take_settings(&mut self, read: Settings) {
        let settings = Settings { start_at_login: self.settings.start_at_login, ..read };
        if self.settings == settings {
            return;
        }
        self.asker.secrets.allow(settings.keyring);
        self.paths.ssh.keepalive = Some(Duration::from_secs(settings.keepalive_seconds.into()));
        if self.settings.context != settings.context {
            self.engines.choose(settings.context.clone());
            self.engine_watch.refresh();
        }
        let is_asked_otherwise = (&self.settings.update_url, self.settings.update_check)
            != (&settings.update_url, settings.update_check);
        self.settings = settings.clone();
        self.publish(Change::Settings { settings });
        if is_asked_otherwise {
            self.updates_resettled();
        }
        self.start_waiting();
    }

    pub(super) fn list_contexts(&self, answer: Answerer) {
        let around = self.engines.around();
        tokio::task::spawn_blocking(move || {
            // A face that has gone does not hear it.
            let _ = answer.send(Ok(Reply::Contexts { contexts: contexts(&around) }));
        });
    }

    pub(super) fn export_registries(&self, wanted: &[RegistryName]) -> Result<Reply, UiError> {
        if let Some(missing) = wanted.iter().find(|name| self.registry(name).is_none()) {
            return Err(unknown(missing));
        }
        let specs = self.specs();
        let chosen = specs.iter().filter(|spec| wanted.is_empty() || wanted.contains(&spec.name));
        Ok(Reply::TeamFile { text: team::export(chosen)? })
    }

    pub(super) fn plan_import(&self, text: String, answer: Answerer) {
        let (specs, paths) = (self.specs(), self.paths.clone());
        tokio::spawn(async move {
            let known = Known::read(&paths).await;
            let plan = team::plan(&text, &specs, |authority| known.has(authority));
            // A face that has gone does not hear it.
            let _ = answer.send(plan.map(|plan| Reply::ImportPlan { plan }));
        });
    }

    pub(super) async fn import_registries(
        &mut self,
        text: &str,
        only: &[RegistryName],
    ) -> Result<Reply, UiError> {
        let known = Known::read(&self.paths).await;
        let plan = team::plan(text, &self.specs(), |authority| known.has(authority))?;
        let targets = team::to_add(&plan, only)?;
        if !targets.is_empty() {
            let paths = self.paths.clone();
            let added = blocking(move || config::add_all(&paths, &targets)).await?;
            self.configure(added.map_err(|error| UiError::from(&error))?);
            self.refresh_aliases().await;
        }
        Ok(Reply::ImportPlan { plan })
    }

    pub(super) fn specs(&self) -> Vec<RegistrySpec> {
        self.registries.iter().map(|registry| registry.spec.clone()).collect()
    }
}

/// What would not read back is refused in words a person has a field for.
fn check(wanted: &SettingsChange) -> Result<(), UiError> {
    let outside = |what: &str, value: Option<u32>, allowed: std::ops::RangeInclusive<u32>| match value {
        Some(value) if !allowed.contains(&value) => Err(UiError::new(
            Code::InvalidArgument,
            format!("{what} must be from {} to {}, and {value} is not.", allowed.start(), allowed.end()),
        )),
        Some(_) | None => Ok(()),
    };
    outside(
        "The number of transfers at a time",
        wanted.transfers_per_registry,
        bounds::TRANSFERS_PER_REGISTRY,
    )?;
    outside(
        "The seconds a tunnel stays open after its last use",
        wanted.linger_seconds,
        bounds::LINGER_SECONDS,
    )?;
    outside(
        "The seconds of silence before a session is asked",
        wanted.keepalive_seconds,
        bounds::KEEPALIVE_SECONDS,
    )?;
    outside("The size of the text in percent", wanted.text_percent, bounds::TEXT_PERCENT)?;
    match wanted.update_url.as_deref().filter(|url| !url.is_empty()).map(str::parse::<Address>) {
        Some(Err(error)) => Err(UiError::from(&error)),
        Some(Ok(_)) | None => Ok(()),
    }
}

fn contexts(around: &Surroundings) -> Vec<ContextView> {
    let in_use = engine::context_in_use(around);
    dockline_engine::contexts(around)
        .into_iter()
        .map(|context| ContextView {
            in_use: context.name == in_use,
            name: context.name,
            address: context.address,
            unusable: context.unusable,
        })
        .collect()
}
