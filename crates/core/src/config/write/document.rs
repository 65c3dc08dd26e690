//! Registries and offers in a TOML document that a person wrote: comments and order stay as they are.

use super::super::{Config, ConfigError};
use dockline_model::{
    ContextChoice, Notices, OfferSpec, OneOf, RegistrySpec, RemoteEnd, SettingsChange, TrafficLimits,
};
use std::path::Path;
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

/// Writes down the addresses and ports that were picked for registries added by hand: what was picked is kept.
pub(super) fn keep_addresses(document: &mut DocumentMut, config: &Config) {
    let put = |table: &mut dyn TableLike, spec: &RegistrySpec| {
        if spec.has_tunnel() && !table.contains_key("address") {
            table.insert("address", value(spec.address.to_string()));
            if spec.port != RegistrySpec::DEFAULT_PORT {
                set(table, "port", Some(i64::from(spec.port).into()));
            }
        }
    };
    match document.get_mut("registry") {
        Some(Item::ArrayOfTables(tables)) => {
            tables.iter_mut().zip(&config.registries).for_each(|(table, spec)| put(table, spec));
        }
        Some(Item::Value(Value::Array(array))) => {
            for (entry, spec) in array.iter_mut().zip(&config.registries) {
                if let Some(table) = entry.as_inline_table_mut() {
                    put(table, spec);
                }
            }
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => {}
    }
}

/// `linger`: the figure of registries that have none of their own.
pub(super) fn insert(
    document: &mut DocumentMut,
    spec: &RegistrySpec,
    linger: u32,
) -> Result<(), ConfigError> {
    insert_into(document, "registry", |table| fill(table, spec, linger))
}

pub(super) fn insert_offer(document: &mut DocumentMut, offer: &OfferSpec) -> Result<(), ConfigError> {
    insert_into(document, "offer", |table| {
        table.insert("ssh", value(offer.ssh.to_string()));
        set(table, "identity", offer.ssh.identity.as_deref().map(text).transpose()?);
        set(table, "jump", offer.ssh.jump.as_deref().map(Value::from));
        if offer.port != RegistrySpec::DEFAULT_PORT {
            table.insert("port", value(i64::from(offer.port)));
        }
        table.insert("to", value(offer.to.to_string()));
        Ok(())
    })
}

/// Puts one more entry at the end of a list of tables, in the style the person wrote the list in.
fn insert_into(
    document: &mut DocumentMut,
    list: &str,
    fill: impl FnOnce(&mut dyn TableLike) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    if let Some(Item::Value(Value::Array(array))) = document.get_mut(list) {
        let mut table = InlineTable::new();
        fill(&mut table)?;
        array.push(table);
        return Ok(());
    }
    let first = document.is_empty();
    let mut table = Table::new();
    fill(&mut table)?;
    table.decor_mut().set_prefix(if first { "" } else { "\n" });
    // Whatever stands at the file's end, comments mostly, stays above the new registry.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    if !trailing.trim().is_empty() {
        let gap = if trailing.ends_with('\n') { "\n" } else { "\n\n" };
        table.decor_mut().set_prefix(format!("{trailing}{gap}"));
        document.set_trailing("");
    } else if first && !trailing.is_empty() {
        document.set_trailing("");
    }
    let tables = document.entry(list).or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    match tables {
        Item::ArrayOfTables(tables) => tables.push(table),
        Item::None | Item::Value(_) | Item::Table(_) => {
            return Err(ConfigError::Unwritable(format!("“{list}” is not a list of tables")));
        }
    }
    Ok(())
}

/// Writes a registry's settings into its table: what is as usual is left out, and what a person wrote beside a setting
/// (a comment) stays with it.
fn fill(table: &mut dyn TableLike, spec: &RegistrySpec, linger: u32) -> Result<(), ConfigError> {
    if spec.fallbacks.iter().any(|ssh| (&ssh.identity, &ssh.jump) != (&spec.ssh.identity, &spec.ssh.jump)) {
        return Err(ConfigError::Unwritable(
            "its hosts have different key files or jump hosts, which belong into ~/.ssh/config".to_owned(),
        ));
    }
    let texts: Vec<String> = spec.hosts().map(ToString::to_string).collect();
    let ssh = match texts.as_slice() {
        [only] => Value::from(only),
        several => Value::Array(several.iter().collect()),
    };
    let is_unusual = |port: &u16| *port != RegistrySpec::DEFAULT_PORT;
    let linger = Some(spec.linger_seconds).filter(|it| *it != linger);
    let own = spec.client_certificate.as_ref();
    let settings = [
        ("name", Some(spec.name.as_str().into())),
        ("url", spec.url.as_ref().map(|url| url.to_string().into())),
        ("client-certificate", own.map(|own| text(&own.certificate)).transpose()?),
        ("client-key", own.map(|own| text(&own.key)).transpose()?),
        ("ssh", Some(ssh)),
        ("identity", spec.ssh.identity.as_deref().map(text).transpose()?),
        ("jump", spec.ssh.jump.as_deref().map(Value::from)),
        ("remote", (spec.remote != RemoteEnd::default()).then(|| spec.remote.to_string().into())),
        ("address", Some(spec.address.to_string().into())),
        ("gateway", spec.gateway.map(|gateway| gateway.to_string().into())),
        ("port", Some(spec.port).filter(is_unusual).map(|port| i64::from(port).into())),
        ("localhost-port", spec.localhost_port.map(|port| i64::from(port).into())),
        ("ca", spec.ca.as_deref().map(text).transpose()?),
        ("linger-seconds", linger.map(|seconds| i64::from(seconds).into())),
        ("keep-open", spec.keep_open.then(|| true.into())),
        ("open-at-start", spec.open_at_start.then(|| true.into())),
        ("limit-up", spec.limits.up.map(|rate| TrafficLimits::show_rate(rate).into())),
        ("limit-down", spec.limits.down.map(|rate| TrafficLimits::show_rate(rate).into())),
    ];
    for (key, value) in settings {
        let is_about_tunnel = super::super::parse::TUNNEL_KEYS.contains(&key);
        set(table, key, value.filter(|_| spec.has_tunnel() || !is_about_tunnel));
    }
    Ok(())
}

fn text(path: &Path) -> Result<Value, ConfigError> {
    path.to_str()
        .map(Value::from)
        .ok_or_else(|| ConfigError::Unwritable(format!("the path {} is not valid UTF-8", path.display())))
}

fn set(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    match (table.get_mut(key).and_then(Item::as_value_mut), value) {
        (Some(old), Some(mut new)) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        (None, Some(new)) => drop(table.insert(key, Item::Value(new))),
        (Some(_) | None, None) => drop(table.remove(key)),
    }
}

fn word(value: Option<impl OneOf>) -> Option<Value> {
    value.map(|value| Value::from(value.word()))
}

/// Writes down the settings that are wanted.
pub(super) fn change_settings(
    document: &mut DocumentMut,
    wanted: &SettingsChange,
) -> Result<(), ConfigError> {
    let not_a_table = || ConfigError::Unwritable("“settings” is not a table".to_owned());
    let settings = document.entry("settings").or_insert_with(|| Item::Table(Table::new()));
    let settings = settings.as_table_like_mut().ok_or_else(not_a_table)?;
    let whole = |number: Option<u32>| number.map(|number| Value::from(i64::from(number)));
    let values = [
        ("transfers-per-registry", whole(wanted.transfers_per_registry)),
        ("linger-seconds", whole(wanted.linger_seconds)),
        ("keepalive-seconds", whole(wanted.keepalive_seconds)),
        ("keyring", wanted.keyring.map(Value::from)),
        ("theme", word(wanted.theme)),
        ("language", word(wanted.language)),
        ("text-percent", whole(wanted.text_percent)),
        ("update-check", word(wanted.update_check)),
    ];
    for (key, wanted) in values {
        if wanted.is_some() {
            set(settings, key, wanted);
        }
    }
    match &wanted.context {
        Some(ContextChoice::Named { name }) => set(settings, "docker-context", Some(Value::from(name))),
        Some(ContextChoice::AsDocker) => set(settings, "docker-context", None),
        None => {}
    }
    if let Some(url) = &wanted.update_url {
        set(settings, "update-url", Some(url.trim()).filter(|url| !url.is_empty()).map(Value::from));
    }
    if let Some(Notices { done, failed, host_key, tunnel_lost, update }) = wanted.notices {
        let notices = settings.entry("notifications").or_insert_with(|| value(InlineTable::new()));
        let notices = notices.as_table_like_mut().ok_or_else(not_a_table)?;
        let kinds = [
            ("done", done),
            ("failed", failed),
            ("host-key", host_key),
            ("tunnel-lost", tunnel_lost),
            ("update", update),
        ];
        for (key, is_on) in kinds {
            set(notices, key, Some(Value::from(is_on)));
        }
    }
    Ok(())
}

/// Gives the registry at `at` other settings.
pub(super) fn replace(
    document: &mut DocumentMut,
    at: usize,
    spec: &RegistrySpec,
    linger: u32,
) -> Result<(), ConfigError> {
    let table: Option<&mut dyn TableLike> = match document.get_mut("registry") {
        Some(Item::ArrayOfTables(tables)) => tables.get_mut(at).map(|table| table as _),
        Some(Item::Value(Value::Array(array))) => {
            array.get_mut(at).and_then(Value::as_inline_table_mut).map(|table| table as _)
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => None,
    };
    let missing = || ConfigError::Unwritable("“registry” is not a list of tables".to_owned());
    fill(table.ok_or_else(missing)?, spec, linger)
}

pub(super) fn take_out(document: &mut DocumentMut, list: &str, at: usize) {
    match document.get_mut(list) {
        Some(Item::ArrayOfTables(tables)) => {
            let above = tables
                .get(at)
                .and_then(|table| table.decor().prefix())
                .and_then(|prefix| prefix.as_str())
                .unwrap_or_default()
                .to_owned();
            tables.remove(at);
            // Comments that stand right above the registry go with it; those set off by an empty line are about
            // something else (the file's header, most of the time) and stay.
            let kept = above.rfind("\n\n").map_or("", |end| &above[..=end]);
            if kept.trim().is_empty() {
                return;
            }
            if let Some(next) = tables.get_mut(at) {
                let prefix = next.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default();
                let joined = format!("{kept}{prefix}");
                next.decor_mut().set_prefix(joined);
            } else {
                let joined = format!("{}{}", kept, document.trailing().as_str().unwrap_or_default());
                document.set_trailing(joined);
            }
        }
        Some(Item::Value(Value::Array(array))) => {
            array.remove(at);
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => {}
    }
}
