//! dockerd's daemon.json (OrbStack's docker.json too): the entries of `insecure-registries` that are Dockline's, and not
//! a byte changed elsewhere.
//!
//! JSON has no comments to mark an entry with, so which entries are Dockline's stands in its own record of applied
//! changes (`owned`). An entry that the person had already is never owned and never removed.

use crate::{Authority, Refused, authority::Host, json, plan::Plan};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::Path};

/// The key, as a flag `--insecure-registry` (moby, `daemon/command/config.go`).
pub const KEY: &str = "insecure-registries";

/// Whose daemon.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Daemon {
    /// dockerd as root.
    Native,
    /// dockerd from the snap.
    Snap,
    /// dockerd for Windows containers.
    Windows,
    /// dockerd as an ordinary user.
    Rootless,
    /// Docker Desktop.
    Desktop,
    /// OrbStack.
    OrbStack,
}

/// Names by which an engine in a virtual machine reaches the machine around it. They are given by the engine itself and
/// lead nowhere else.
const HOST_NAMES: [&str; 2] = ["host.docker.internal", "host.containers.internal"];

/// The change that makes the list hold `wanted`, and none of `owned` besides.
///
/// # Errors
/// [`Refused`].
pub fn plan(
    path: &Path,
    wanted: &BTreeSet<Authority>,
    owned: &[String],
    current: Option<&[u8]>,
) -> Result<Plan, Refused> {
    wanted.iter().try_for_each(may_be_insecure)?;
    let wanted: BTreeSet<String> = wanted.iter().map(ToString::to_string).collect();
    let (text, present) = match current {
        None => (None, Vec::new()),
        Some(bytes) => {
            let text = readable(bytes)?;
            (Some(text), list(text)?)
        }
    };
    let add: Vec<&String> = wanted.iter().filter(|entry| !present.contains(entry)).collect();
    let remove: Vec<&String> =
        owned.iter().filter(|entry| !wanted.contains(*entry) && present.contains(entry)).collect();
    let after = match text {
        None if add.is_empty() => None,
        None => Some(format!("{{\n  \"{KEY}\": [{}]\n}}\n", quoted(&add))),
        Some(text) => Some(spliced(text, &add, &remove)?),
    };
    let mut plan = Plan::new(path, current, after.map(String::into_bytes));
    plan.owned =
        wanted.iter().filter(|entry| owned.contains(entry) || add.contains(entry)).cloned().collect();
    Ok(plan)
}

/// Whether passwords for this registry may travel unencrypted: only where they cannot leave the machine.
pub fn may_be_insecure(authority: &Authority) -> Result<(), Refused> {
    match &authority.host {
        Host::Name(name) if HOST_NAMES.contains(&name.as_str()) => Ok(()),
        Host::Name(_) => Err(Refused::NameInsecure { authority: authority.clone() }),
        Host::Address(address) if address.is_loopback() || address.is_private() => Ok(()),
        Host::Address(_) => Err(Refused::FarInsecure { authority: authority.clone() }),
    }
}

fn readable(bytes: &[u8]) -> Result<&str, Refused> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Refused::ByteOrderMark);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Refused::Utf16);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::NotUtf8)?;
    if text.trim_ascii().is_empty() { Err(Refused::Empty) } else { Ok(text) }
}

/// The entries that are there.
fn list(text: &str) -> Result<Vec<String>, Refused> {
    let object = json::object(text)?;
    if let Some(member) = object.members.iter().find(|m| m.key != KEY && m.key.eq_ignore_ascii_case(KEY)) {
        return Err(Refused::KeyCase { key: member.key.clone(), expected: KEY });
    }
    match object.members.iter().find(|member| member.key == KEY) {
        None => Ok(Vec::new()),
        Some(member) => {
            serde_json::from_str(&text[member.value_at.clone()]).map_err(|_| Refused::NotAList { key: KEY })
        }
    }
}

fn quoted(entries: &[&String]) -> String {
    // Authorities have nothing in them that JSON would escape.
    entries.iter().map(|entry| format!("\"{entry}\"")).collect::<Vec<_>>().join(", ")
}

fn spliced(text: &str, add: &[&String], remove: &[&String]) -> Result<String, Refused> {
    let mut text = text.to_owned();
    for entry in remove {
        text = without(&text, entry)?;
    }
    for entry in add {
        text = with(&text, entry)?;
    }
    Ok(text)
}

fn with(text: &str, entry: &str) -> Result<String, Refused> {
    let object = json::object(text)?;
    let insert = |at: usize, what: &str| format!("{}{what}{}", &text[..at], &text[at..]);
    if let Some(member) = object.members.iter().find(|member| member.key == KEY) {
        let elements = json::elements(text, &member.value_at)?;
        return Ok(match elements.as_slice() {
            [] => insert(member.value_at.start + 1, &format!("\"{entry}\"")),
            [one] => {
                // `[` and a line break before the first element: one element a line.
                let lead = &text[member.value_at.start + 1..one.start];
                let blank = if lead.contains('\n') { lead } else { " " };
                insert(one.end, &format!(",{blank}\"{entry}\""))
            }
            [.., last_but_one, last] => {
                let between = &text[last_but_one.end..last.start];
                insert(last.end, &format!("{between}\"{entry}\""))
            }
        });
    }
    Ok(match (object.members.first(), object.members.last()) {
        (Some(first), Some(last)) => {
            let lead = &text[object.open + 1..first.key_at.start];
            let blank = match (lead.contains('\n'), lead.is_empty()) {
                (true, _) => lead,
                (false, true) => "",
                (false, false) => " ",
            };
            let colon = &text[first.key_at.end..first.value_at.start];
            insert(last.value_at.end, &format!(",{blank}\"{KEY}\"{colon}[\"{entry}\"]"))
        }
        _ => insert(object.open + 1, &format!("\"{KEY}\": [\"{entry}\"]")),
    })
}

/// Without `entry`. The list stays, be it empty: a reload that finds no key keeps what was loaded before, and only an
/// empty list takes the entry back (measured: dockerd 20.10).
fn without(text: &str, entry: &str) -> Result<String, Refused> {
    let object = json::object(text)?;
    let Some(member) = object.members.iter().find(|member| member.key == KEY) else {
        return Ok(text.to_owned());
    };
    let elements = json::elements(text, &member.value_at)?;
    let place = elements.iter().position(|at| {
        serde_json::from_str::<String>(&text[at.clone()]).is_ok_and(|element| element == entry)
    });
    let Some(place) = place else { return Ok(text.to_owned()) };
    let cut = match (place, elements.get(place + 1)) {
        (0, None) => elements[0].clone(),
        (0, Some(next)) => elements[0].start..next.start,
        (place, _) => elements[place - 1].end..elements[place].end,
    };
    Ok(format!("{}{}", &text[..cut.start], &text[cut.end..]))
}

#[cfg(test)]
mod tests;
