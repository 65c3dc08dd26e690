//! The team file: registries written down for others, and taken over from others.
//!
//! ```toml
//! dockline-team = 1
//!
//! [[registry]]
//! name = "cr.boss.org"
//! ssh = ["dockercr@88.88.88.88"]
//! ```
//!
//! JSON of the same shape is read as well. What is one person's own stays out: key files, loopback addresses, whether
//! the tunnel is kept open. A key that is not known is refused, so that nobody believes a password in there is used.

use dockline_model::{
    Code, ImportEntry, ImportPlan, ImportVerdict, RegistryName, RegistrySpec, RegistryUrl, RemoteEnd,
    SshTarget, Target, UiError,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, net::IpAddr};

/// The version that is written, and the latest that is read.
const VERSION: u32 = 1;
/// Longer is no list of registries.
const LONGEST: usize = 1 << 20;

const HEADER: &str = "\
# Registries for Dockline: `dockline team import FILE`, or “Team file…” in the window.
# There are no secrets and no key files in here; everybody logs in with their own.

";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TeamFile {
    dockline_team: u32,
    #[serde(default)]
    registry: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    name: RegistryName,
    /// The preferred one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ssh: Vec<String>,
    /// Without a tunnel, at this address; there is nothing about one then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jump: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

/// Only this much is looked at before the rest is: a later version may have anything else in it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Version {
    dockline_team: u32,
}

/// Writes `registries` down.
///
/// # Errors
/// `Internal` if they cannot stand in TOML.
pub fn export<'a>(registries: impl IntoIterator<Item = &'a RegistrySpec>) -> Result<String, UiError> {
    let registry = registries.into_iter().map(|spec| match &spec.url {
        Some(url) => Entry {
            name: spec.name.clone(),
            ssh: Vec::new(),
            url: Some(url.to_string()),
            jump: None,
            remote: None,
            port: None,
        },
        None => Entry {
            name: spec.name.clone(),
            ssh: spec.hosts().map(ToString::to_string).collect(),
            url: None,
            jump: spec.ssh.jump.clone(),
            remote: (spec.remote != RemoteEnd::default()).then(|| spec.remote.to_string()),
            port: (spec.port != RegistrySpec::DEFAULT_PORT).then_some(spec.port),
        },
    });
    let file = TeamFile { dockline_team: VERSION, registry: registry.collect() };
    let text = toml::to_string(&file).map_err(|error| {
        UiError::new(Code::Internal, format!("The registries cannot be written down: {error}."))
    })?;
    Ok(format!("{HEADER}{text}"))
}

/// Reads a team file and says what it would change in `present`. `has_login` tells whether a login is kept on this
/// machine for a registry that references call so.
///
/// # Errors
/// `ConfigInvalid` where it does not read.
pub fn plan(
    text: &str,
    present: &[RegistrySpec],
    has_login: impl Fn(&str) -> bool,
) -> Result<ImportPlan, UiError> {
    let file = read(text)?;
    let mut names = BTreeSet::new();
    let mut entries = Vec::new();
    for entry in file.registry {
        if !names.insert(entry.name.clone()) {
            return Err(invalid(format!("{} is in it twice", entry.name)));
        }
        let target = target(entry)?;
        let now = present.iter().find(|spec| spec.name == target.name);
        let verdict = match now {
            None => ImportVerdict::Add,
            Some(spec) if is_same(spec, &target) => ImportVerdict::Same,
            Some(spec) => ImportVerdict::Conflict { error: conflict(spec, &target) },
        };
        let warnings = match verdict {
            ImportVerdict::Same => Vec::new(),
            ImportVerdict::Add | ImportVerdict::Conflict { .. } => warnings(&target, &has_login),
        };
        entries.push(ImportEntry {
            registry: target.name.clone(),
            warnings,
            target: Box::new(target),
            verdict,
            present: now.cloned().map(Box::new),
        });
    }
    Ok(ImportPlan::of(entries))
}

/// What of `plan` is to be added: of the registries in `only`, or of all.
///
/// # Errors
/// `RegistryUnknown` for one that is not in the file, the conflict of one that is in conflict.
pub fn to_add(plan: &ImportPlan, only: &[RegistryName]) -> Result<Vec<Target>, UiError> {
    let mut targets = Vec::new();
    for entry in &plan.clone().only(only)?.entries {
        match &entry.verdict {
            ImportVerdict::Add => targets.push(*entry.target.clone()),
            ImportVerdict::Same => {}
            ImportVerdict::Conflict { error } => return Err(error.clone()),
        }
    }
    Ok(targets)
}

fn read(text: &str) -> Result<TeamFile, UiError> {
    if text.len() > LONGEST {
        return Err(invalid("it is longer than 1 MiB"));
    }
    let is_json = text.trim_start().starts_with('{');
    let version = if is_json {
        serde_json::from_str::<Version>(text).map_err(|error| not_understood(&error))?
    } else {
        toml::from_str::<Version>(text).map_err(|error| not_understood(&error))?
    };
    if version.dockline_team != VERSION {
        return Err(invalid(format!(
            "it is of version {} and this Dockline reads version {VERSION}",
            version.dockline_team
        ))
        .hint("Update Dockline, or ask for a file that an older one wrote."));
    }
    if is_json {
        serde_json::from_str(text).map_err(|error| not_understood(&error))
    } else {
        toml::from_str(text).map_err(|error| not_understood(&error))
    }
}

fn target(entry: Entry) -> Result<Target, UiError> {
    let of = |what: &str| format!("{}: {what}", entry.name);
    if let Some(url) = &entry.url {
        let tunnel = (&entry.ssh[..], &entry.jump, &entry.remote, entry.port);
        if !matches!(tunnel, ([], None, None, None)) {
            return Err(invalid(of("a registry with a url has no tunnel")));
        }
        let url = url.parse::<RegistryUrl>().map_err(|error| invalid(of(&format!("{error}"))))?;
        return Ok(Target::without_tunnel(entry.name, url));
    }
    let mut hosts = Vec::new();
    for host in &entry.ssh {
        let ssh: SshTarget = host.parse().map_err(|error| invalid(of(&format!("{error}"))))?;
        hosts.push(SshTarget { jump: entry.jump.clone(), ..ssh });
    }
    if let Some(jump) = &entry.jump {
        for hop in jump.split(',') {
            hop.parse::<SshTarget>().map_err(|error| invalid(of(&format!("{error}"))))?;
        }
    }
    if hosts.is_empty() {
        return Err(invalid(of("it has no SSH host")));
    }
    let ssh = hosts.remove(0);
    let remote = match &entry.remote {
        Some(text) => Some(text.parse::<RemoteEnd>().map_err(|error| invalid(of(&format!("{error}"))))?),
        None => None,
    };
    if entry.port == Some(0) {
        return Err(invalid(of("its port is 0")));
    }
    Ok(Target { fallbacks: hosts, remote, port: entry.port, ..Target::new(entry.name, ssh) })
}

/// What a person should know before `target` is added. An SSH host that they trust says nothing about who answers at
/// the end of the way: its sshd passes on to wherever `remote` says.
fn warnings(target: &Target, has_login: impl Fn(&str) -> bool) -> Vec<String> {
    // There TLS says who answers, or it is this machine.
    if target.url.is_some() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    if let Some(remote) = target.remote.as_ref().filter(|remote| !is_on_its_host(remote)) {
        warnings.push(format!(
            "What is pushed to {} goes on from {} to {remote}, another machine.",
            target.name,
            listed(hosts(&target.ssh, &target.fallbacks))
        ));
    }
    let authority = format!("{}:{}", target.name, target.port.unwrap_or(RegistrySpec::DEFAULT_PORT));
    if has_login(&authority) {
        warnings.push(format!(
            "The login that is kept for {authority} will be given to whoever answers at the end of this way."
        ));
    }
    warnings
}

fn is_on_its_host(remote: &RemoteEnd) -> bool {
    match remote {
        RemoteEnd::Unix { .. } => true,
        RemoteEnd::Tcp { host, .. } => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        }
    }
}

fn hosts<'a>(first: &'a SshTarget, others: &'a [SshTarget]) -> impl Iterator<Item = &'a SshTarget> {
    std::iter::once(first).chain(others)
}

fn listed<'a>(hosts: impl Iterator<Item = &'a SshTarget>) -> String {
    hosts.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether it leads the same way; the key file is each person's own.
fn is_same(spec: &RegistrySpec, target: &Target) -> bool {
    if spec.url.is_some() || target.url.is_some() {
        return spec.url == target.url;
    }
    let way = |ssh: &SshTarget| SshTarget { identity: None, ..ssh.clone() };
    let present: Vec<SshTarget> = spec.hosts().map(way).collect();
    let wanted: Vec<SshTarget> = hosts(&target.ssh, &target.fallbacks).map(way).collect();
    present == wanted
        && spec.remote == target.remote.clone().unwrap_or_default()
        && spec.port == target.port.unwrap_or(RegistrySpec::DEFAULT_PORT)
}

fn conflict(spec: &RegistrySpec, target: &Target) -> UiError {
    let end =
        |url: Option<&RegistryUrl>, ssh: &SshTarget, others: &[SshTarget], remote: &RemoteEnd, port: u16| {
            let hosts = listed(hosts(ssh, others));
            match (url, &ssh.jump) {
                (Some(url), _) => url.to_string(),
                (None, Some(jump)) => format!("{remote} by ssh {hosts} through {jump}, at port {port}"),
                (None, None) => format!("{remote} by ssh {hosts}, at port {port}"),
            }
        };
    let remote = target.remote.clone().unwrap_or_default();
    let port = target.port.unwrap_or(RegistrySpec::DEFAULT_PORT);
    UiError::new(
        Code::RegistryExists,
        format!(
            "{} is configured here and leads to {}; in the team file it leads to {}.",
            spec.name,
            end(spec.url.as_deref(), &spec.ssh, &spec.fallbacks, &spec.remote, spec.port),
            end(target.url.as_deref(), &target.ssh, &target.fallbacks, &remote, port)
        ),
    )
    .hint(format!("Ask which is right. To take the file's: dockline remove {}, and import again.", spec.name))
}

fn not_understood(error: &dyn std::fmt::Display) -> UiError {
    let words = error.to_string();
    let first = words.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
    invalid(first).details(words.trim_end().to_owned())
}

fn invalid(what: impl std::fmt::Display) -> UiError {
    UiError::new(Code::ConfigInvalid, format!("The team file does not read: {what}."))
        .hint("A team file is what `dockline team export` writes.")
}

#[cfg(test)]
mod tests;
