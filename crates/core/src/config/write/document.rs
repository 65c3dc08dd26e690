//! Registries in a TOML document that a person wrote: comments and order stay as they are.

use super::super::{Config, ConfigError};
use dockline_model::{RegistrySpec, RemoteEnd};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

/// Writes down the addresses that were picked for registries added by hand: a picked one is kept.
pub(super) fn keep_addresses(document: &mut DocumentMut, config: &Config) {
    let put = |table: &mut dyn TableLike, spec: &RegistrySpec| {
        if !table.contains_key("address") {
            table.insert("address", value(spec.address.to_string()));
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

pub(super) fn insert(document: &mut DocumentMut, spec: &RegistrySpec) -> Result<(), ConfigError> {
    if let Some(Item::Value(Value::Array(array))) = document.get_mut("registry") {
        let mut table = InlineTable::new();
        fill(&mut table, spec)?;
        array.push(table);
        return Ok(());
    }
    let first = document.is_empty();
    let mut table = Table::new();
    fill(&mut table, spec)?;
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
    let tables = document.entry("registry").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    match tables {
        Item::ArrayOfTables(tables) => tables.push(table),
        Item::None | Item::Value(_) | Item::Table(_) => {
            return Err(ConfigError::Unwritable("“registry” is not a list of tables".to_owned()));
        }
    }
    Ok(())
}

fn fill(table: &mut dyn TableLike, spec: &RegistrySpec) -> Result<(), ConfigError> {
    table.insert("name", value(spec.name.as_str()));
    let texts: Vec<String> = spec.hosts().map(ToString::to_string).collect();
    match texts.as_slice() {
        [only] => table.insert("ssh", value(only)),
        several => table.insert("ssh", value(several.iter().collect::<Array>())),
    };
    if spec.fallbacks.iter().any(|ssh| (&ssh.identity, &ssh.jump) != (&spec.ssh.identity, &spec.ssh.jump)) {
        return Err(ConfigError::Unwritable(
            "its hosts have different key files or jump hosts, which belong into ~/.ssh/config".to_owned(),
        ));
    }
    if let Some(identity) = &spec.ssh.identity {
        let text = identity.to_str().ok_or_else(|| {
            ConfigError::Unwritable(format!("the path {} is not valid UTF-8", identity.display()))
        })?;
        table.insert("identity", value(text));
    }
    if let Some(jump) = &spec.ssh.jump {
        table.insert("jump", value(jump.as_str()));
    }
    if spec.remote != RemoteEnd::default() {
        table.insert("remote", value(spec.remote.to_string()));
    }
    table.insert("address", value(spec.address.to_string()));
    if let Some(gateway) = spec.gateway {
        table.insert("gateway", value(gateway.to_string()));
    }
    if spec.port != RegistrySpec::DEFAULT_PORT {
        table.insert("port", value(i64::from(spec.port)));
    }
    if spec.linger_seconds != RegistrySpec::DEFAULT_LINGER_SECONDS {
        table.insert("linger-seconds", value(i64::from(spec.linger_seconds)));
    }
    if spec.keep_open {
        table.insert("keep-open", value(true));
    }
    Ok(())
}

pub(super) fn take_out(document: &mut DocumentMut, at: usize) {
    match document.get_mut("registry") {
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
