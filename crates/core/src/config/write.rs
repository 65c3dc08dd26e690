//! Changing the configuration: comments and order survive, and a crash leaves the old file or the new one.

mod document;
#[cfg(test)]
mod tests;

use super::{
    Config, ConfigError, ca,
    listener::{self, Taken},
    parse,
};
use crate::{Paths, files::replace};
use dockline_model::{OfferSpec, RegistryName, RegistrySpec, SettingsChange, Target, pick_address};
use document::{
    change_settings as put_settings, insert, insert_offer, keep_addresses, replace as replace_registry,
    take_out,
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddrV4},
    path::Path,
};
use toml_edit::DocumentMut;

const HEADER: &str = "\
# Dockline's configuration. Edit it as you like: it is read again as soon as it is saved.
# Secrets do not belong here; they are kept in the operating system's keyring.

";

/// Reads the configuration; a file that is not there is an empty one. Blocks.
///
/// # Errors
/// [`ConfigError::Read`], [`ConfigError::Invalid`].
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = read(path)?;
    parse(&text).map_err(|problems| ConfigError::Invalid { path: path.to_owned(), problems })
}

/// Adds a registry, picking an address if it has none. Blocks.
///
/// # Errors
/// [`ConfigError::NameTaken`], [`ConfigError::AddressTaken`], [`ConfigError::Certificate`], and whatever keeps the file
/// from being read or written. Nothing is written then.
pub fn add(paths: &Paths, target: &Target) -> Result<(RegistrySpec, Config), ConfigError> {
    edit(paths, |config, document| {
        let spec = with_ca(paths, target, complete(config, target, None)?)?;
        insert(document, &spec, config.settings.linger_seconds)?;
        Ok(spec)
    })
}

/// Adds several registries: all of them, or none where one cannot be. Blocks.
///
/// # Errors
/// As [`add`].
pub fn add_all(paths: &Paths, targets: &[Target]) -> Result<Config, ConfigError> {
    edit(paths, |config, document| {
        let mut grown = config.clone();
        for target in targets {
            let spec = complete(&grown, target, None)?;
            insert(document, &spec, config.settings.linger_seconds)?;
            grown.registries.push(spec);
        }
        Ok(())
    })
    .map(|((), config)| config)
}

/// Writes down settings. Blocks.
///
/// # Errors
/// [`ConfigError::Unwritable`] for a value that is none, and whatever keeps the file from being read or written.
pub fn change_settings(paths: &Paths, wanted: &SettingsChange) -> Result<Config, ConfigError> {
    edit(paths, |_, document| put_settings(document, wanted)).map(|((), config)| config)
}

/// Gives a registry other settings; without an address it keeps the one it has. Blocks.
///
/// # Errors
/// [`ConfigError::Unknown`], [`ConfigError::AddressTaken`], [`ConfigError::Certificate`], and whatever keeps the file
/// from being read or written. Nothing is written then.
pub fn change(paths: &Paths, target: &Target) -> Result<(RegistrySpec, Config), ConfigError> {
    rename(paths, &target.name, target)
}

/// The same for a registry that was called `was` until now. Blocks.
///
/// # Errors
/// As [`change`]; [`ConfigError::NameTaken`].
pub fn rename(
    paths: &Paths,
    was: &RegistryName,
    target: &Target,
) -> Result<(RegistrySpec, Config), ConfigError> {
    let (spec, config) = edit(paths, |config, document| {
        let at = position(config, was)?;
        let spec = with_ca(paths, target, complete(config, target, config.registries.get(at))?)?;
        replace_registry(document, at, &spec, config.settings.linger_seconds)?;
        Ok(spec)
    })?;
    ca::forget(paths, &spec.name, &config.registries);
    ca::forget(paths, was, &config.registries);
    Ok((spec, config))
}

/// A registry, and its port at 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localhost {
    /// Which.
    pub name: RegistryName,
    /// [`RegistrySpec::localhost_port`].
    pub port: u16,
}

/// Has registries listened for at 127.0.0.1 as well. Blocks.
///
/// # Errors
/// [`ConfigError::Unknown`], [`ConfigError::Unwritable`] where another registry has the port, and whatever keeps the
/// file from being read or written. Nothing is written then.
pub fn listen_at_localhost(paths: &Paths, ports: &[Localhost]) -> Result<Config, ConfigError> {
    edit(paths, |config, document| {
        for Localhost { name, port } in ports {
            let at = position(config, name)?;
            let spec = config.registries.get(at).ok_or_else(|| ConfigError::Unknown(name.clone()))?;
            let spec = RegistrySpec { localhost_port: Some(*port), ..spec.clone() };
            replace_registry(document, at, &spec, config.settings.linger_seconds)?;
        }
        Ok(())
    })
    .map(|((), config)| config)
}

/// Takes a registry out. Blocks.
///
/// # Errors
/// [`ConfigError::Unknown`], and whatever keeps the file from being read or written.
pub fn remove(paths: &Paths, name: &RegistryName) -> Result<Config, ConfigError> {
    let ((), config) = edit(paths, |config, document| {
        take_out(document, "registry", position(config, name)?);
        Ok(())
    })?;
    ca::forget(paths, name, &config.registries);
    Ok(config)
}

fn position(config: &Config, name: &RegistryName) -> Result<usize, ConfigError> {
    let at = config.registries.iter().position(|spec| spec.name == *name);
    at.ok_or_else(|| ConfigError::Unknown(name.clone()))
}

/// Writes an offer down; one that stands there already stays as it is. Blocks.
///
/// # Errors
/// Whatever keeps the file from being read or written.
pub fn keep_offer(paths: &Paths, offer: &OfferSpec) -> Result<Config, ConfigError> {
    edit(paths, |config, document| match config.offers.contains(offer) {
        true => Ok(()),
        false => insert_offer(document, offer),
    })
    .map(|((), config)| config)
}

/// Takes an offer out, if it is there. Blocks.
///
/// # Errors
/// Whatever keeps the file from being read or written.
pub fn withdraw_offer(paths: &Paths, offer: &OfferSpec) -> Result<Config, ConfigError> {
    edit(paths, |config, document| {
        if let Some(at) = config.offers.iter().position(|other| other.is_same_place(offer)) {
            take_out(document, "offer", at);
        }
        Ok(())
    })
    .map(|((), config)| config)
}

/// Reads, changes, checks and writes under a lock, so that two processes do not undo each other's change.
fn edit<T>(
    paths: &Paths,
    change: impl FnOnce(&Config, &mut DocumentMut) -> Result<T, ConfigError>,
) -> Result<(T, Config), ConfigError> {
    let path = &paths.config_file;
    let _lock = lock(&paths.state_dir.join("config.lock"))?;
    let text = read(path)?;
    let invalid = |problems| ConfigError::Invalid { path: path.clone(), problems };
    let config = parse(&text).map_err(invalid)?;
    // Lines end the same way while they are changed: comments are told apart by the empty lines between them.
    let mut document: DocumentMut = text
        .replace("\r\n", "\n")
        .parse()
        .map_err(|error: toml_edit::TomlError| ConfigError::Unwritable(error.to_string()))?;
    keep_addresses(&mut document, &config);
    let outcome = change(&config, &mut document)?;
    let mut written = document.to_string();
    if text.is_empty() {
        written.insert_str(0, HEADER);
    }
    if has_crlf(&text) {
        written = written.replace('\n', "\r\n");
    }
    // What is about to be written must read back: a value that does not is refused here, not at the next start.
    let config = parse(&written).map_err(|problems| {
        ConfigError::Unwritable(
            problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "),
        )
    })?;
    replace(path, written.as_bytes()).map_err(|source| ConfigError::Write { path: path.clone(), source })?;
    Ok((outcome, config))
}

/// Whether most lines end as Windows' editors end them.
fn has_crlf(text: &str) -> bool {
    let lines = text.matches('\n').count();
    text.matches("\r\n").count() * 2 > lines
}

fn read(path: &Path) -> Result<String, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

fn lock(path: &Path) -> Result<File, ConfigError> {
    let failed = |source| ConfigError::Write { path: path.to_owned(), source };
    let file = File::options().create(true).write(true).truncate(false).open(path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

/// All of a registry but its certificate. `before` is the registry as it was, where there was one.
pub(crate) fn complete(
    config: &Config,
    target: &Target,
    before: Option<&RegistrySpec>,
) -> Result<RegistrySpec, ConfigError> {
    let others =
        || config.registries.iter().filter(|spec| before.is_none_or(|before| before.name != spec.name));
    if others().any(|spec| spec.name == target.name) {
        return Err(ConfigError::NameTaken(target.name.clone()));
    }
    let listener = match &target.url {
        // Never listened at, but every registry has one.
        Some(url) => {
            let taken: BTreeSet<_> = others().map(|spec| spec.address).collect();
            let address = target.address.or_else(|| before.map(|spec| spec.address));
            let address = address.map_or_else(|| pick_address(&target.name, &taken), Ok)?;
            SocketAddrV4::new(address, url.port())
        }
        None => listener_of(target, others(), before, listener::binding)?,
    };
    let spec = RegistrySpec {
        name: target.name.clone(),
        ssh: target.ssh.clone(),
        fallbacks: target.fallbacks.clone(),
        remote: target.remote.clone().unwrap_or_default(),
        address: *listener.ip(),
        gateway: target.gateway,
        port: listener.port(),
        localhost_port: target.localhost_port,
        ca: None,
        linger_seconds: target.linger_seconds.unwrap_or(config.settings.linger_seconds),
        keep_open: target.keep_open,
        url: target.url.clone(),
        client_certificate: target.client_certificate.clone(),
        open_at_start: target.open_at_start,
        limits: target.limits,
    };
    let collides =
        |other: &&RegistrySpec| spec.has_tunnel() && other.has_tunnel() && other.listen() == spec.listen();
    if let Some(other) = others().find(collides) {
        return Err(ConfigError::AddressTaken { other: other.name.clone(), spec: Box::new(spec) });
    }
    Ok(spec)
}

/// Where a registry with a tunnel listens: where the person wants it, else where it was, else where nobody else is.
fn listener_of<'a>(
    target: &Target,
    others: impl Iterator<Item = &'a RegistrySpec>,
    before: Option<&RegistrySpec>,
    bind: impl Fn(SocketAddrV4) -> listener::Binding,
) -> Result<SocketAddrV4, ConfigError> {
    // Without a tunnel it listened nowhere until now.
    let before = before.filter(|spec| spec.has_tunnel());
    if let Some(address) = target.address.or_else(|| before.map(|spec| spec.address)) {
        // At 127.0.0.1 the port is the registry's own, and as little to be lost as an address.
        let own = before.filter(|spec| spec.address == address && address == Ipv4Addr::LOCALHOST);
        let port = target.port.or_else(|| own.map(|spec| spec.port));
        return Ok(SocketAddrV4::new(address, port.unwrap_or(RegistrySpec::DEFAULT_PORT)));
    }
    let mut taken = Taken::default();
    for spec in others {
        taken.add(SocketAddrV4::new(spec.address, spec.port), spec.localhost_port);
    }
    taken.ports.extend(target.localhost_port);
    Ok(listener::pick(&target.name, target.port, &taken, bind)?)
}

/// Last of all, since it writes a file.
fn with_ca(paths: &Paths, target: &Target, spec: RegistrySpec) -> Result<RegistrySpec, ConfigError> {
    let ca = target.ca.as_deref().map(|source| ca::keep(paths, &target.name, source)).transpose()?;
    Ok(RegistrySpec { ca, ..spec })
}
