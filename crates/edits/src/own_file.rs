//! Files that are Dockline's from the first byte to the last: made, replaced and removed as a whole.

use crate::{Authority, CaCertificate, Refused, plan::Plan};
use std::{collections::BTreeSet, net::Ipv4Addr, path::Path};

/// First line of each; `#` begins a comment in TOML, and before a certificate any text may stand (RFC 7468 §2; Go's
/// `pem.Decode`, which dockerd and Podman read with, passes over it).
const HEADER: &str = "# Written by Dockline, which replaces this whole file.";

/// `certs.d/HOST:PORT/hosts.toml` (containerd, `docs/hosts.md`): the registry is asked over HTTP at its loopback address
/// and at no other. The address stands there, not the name, so that nothing travels in the clear should the name lead
/// elsewhere one day; `server` then fails closed.
///
/// # Errors
/// [`Refused`].
pub fn registry_hosts(
    path: &Path,
    authority: &Authority,
    address: Option<Ipv4Addr>,
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    if let Some(address) = address.filter(|address| !address.is_loopback()) {
        return Err(Refused::FarInsecure { authority: Authority::of_address(address, authority.port) });
    }
    let wanted = address.map(|address| {
        format!(
            "{HEADER}\nserver = \"https://{authority}\"\n\n[host.\"http://{address}:{}\"]\n  capabilities = [\"pull\", \"resolve\", \"push\"]\n",
            authority.port
        )
    });
    plan(path, wanted, authority.to_string(), current)
}

/// `certs.d/HOST:PORT/ca.crt` (docs.docker.com/engine/security/certificates; containers-certs.d(5)).
///
/// # Errors
/// [`Refused`].
pub fn registry_certificate(
    path: &Path,
    authority: &Authority,
    certificate: Option<&CaCertificate>,
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    let wanted = certificate.map(|certificate| format!("{HEADER}\n{}", certificate.pem()));
    // The same certificate, put there by the person, serves as well.
    let is_theirs = |bytes: &[u8]| {
        let theirs: Option<CaCertificate> = std::str::from_utf8(bytes).ok()?.parse().ok();
        Some(!is_ours(bytes) && certificate.is_some() && theirs.as_ref() == certificate)
    };
    if current.and_then(is_theirs).unwrap_or(false) {
        return Ok(Plan::new(path, current, current.map(<[u8]>::to_vec)));
    }
    plan(path, wanted, authority.to_string(), current)
}

/// A certificate in the operating system's trust store: PEM and nothing else, since tools of all kinds read it. The
/// file's name is Dockline's own.
///
/// # Errors
/// [`Refused`].
pub fn system_trust(
    path: &Path,
    name: &str,
    certificate: Option<&CaCertificate>,
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    let is_certificate = |bytes: &[u8]| {
        std::str::from_utf8(bytes).is_ok_and(|text| {
            text.parse::<CaCertificate>().is_ok_and(|certificate| certificate.pem() == text)
        })
    };
    if current.is_some_and(|bytes| !is_certificate(bytes)) {
        return Err(Refused::NotOurs);
    }
    let mut plan = Plan::new(path, current, certificate.map(|certificate| certificate.pem().into_bytes()));
    plan.owned = certificate.map(|_| name.to_owned()).into_iter().collect();
    Ok(plan)
}

/// A file of Podman's `registries.conf.d` (containers-registries.conf.d(5), containers-registries.conf(5)).
///
/// # Errors
/// [`Refused`].
pub fn registries_conf(
    path: &Path,
    insecure: &BTreeSet<Authority>,
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    let wanted = registries_conf_text(insecure);
    let mut plan = plan(path, wanted, String::new(), current)?;
    plan.owned = insecure.iter().map(ToString::to_string).collect();
    Ok(plan)
}

/// The text of such a file; none for no registries. A machine's inside gets the same.
#[must_use]
pub fn registries_conf_text(insecure: &BTreeSet<Authority>) -> Option<String> {
    let tables = insecure
        .iter()
        .map(|authority| format!("\n[[registry]]\nlocation = \"{authority}\"\ninsecure = true\n"));
    (!insecure.is_empty()).then(|| [format!("{HEADER}\n")].into_iter().chain(tables).collect())
}

/// Rancher Desktop's provisioning scripts on Windows: every `*.start` in the folder is run by a shell in its WSL
/// distribution at each start (docs.rancherdesktop.io, “Provisioning Scripts”).
///
/// # Errors
/// [`Refused`].
pub fn provisioning_script(
    path: &Path,
    script: Option<String>,
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    // The kernel reads the interpreter off the first line.
    let wanted = script.map(|script| format!("#!/bin/sh\n{HEADER}\n{script}"));
    let is_ours = |bytes: &[u8]| bytes.starts_with(format!("#!/bin/sh\n{HEADER}\n").as_bytes());
    if current.is_some_and(|bytes| !is_ours(bytes)) {
        return Err(Refused::NotOurs);
    }
    Ok(Plan::new(path, current, wanted.map(String::into_bytes)))
}

fn is_ours(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER.as_bytes())
}

fn plan(path: &Path, wanted: Option<String>, entry: String, current: Option<&[u8]>) -> Result<Plan, Refused> {
    match current {
        Some(bytes) if !is_ours(bytes) && wanted.is_some() => return Err(Refused::NotOurs),
        // Undo: somebody replaced ours with their own since.
        Some(bytes) if !is_ours(bytes) => return Ok(Plan::new(path, current, Some(bytes.to_vec()))),
        Some(_) | None => {}
    }
    let owned = wanted.iter().map(|_| entry.clone()).collect();
    let mut plan = Plan::new(path, current, wanted.map(String::into_bytes));
    plan.owned = owned;
    Ok(plan)
}
