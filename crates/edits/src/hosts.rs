//! The hosts file: one marked block of `address name` lines, and not a byte changed outside it.

use crate::{Refused, marked, plan::Plan, suffix};
use dockline_model::RegistryName;
use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, Ipv4Addr},
    ops::Range,
    path::Path,
};

/// One line of the block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The registry's name.
    pub name: RegistryName,
    /// Its address: in 127.0.0.0/8, or the chosen gateway.
    pub address: Ipv4Addr,
}

/// The change that makes our block hold exactly `desired`; with nothing desired, the block goes. `gateway` is the one
/// address beyond 127.0.0.0/8 that an entry may have.
///
/// # Errors
/// [`Refused`], with the line at fault.
pub fn plan(
    path: &Path,
    desired: &[Entry],
    gateway: Option<Ipv4Addr>,
    current: &[u8],
) -> Result<Plan, Refused> {
    let entries = checked(desired, gateway)?;
    if current.starts_with(&[0xff, 0xfe]) || current.starts_with(&[0xfe, 0xff]) {
        return Err(Refused::Utf16);
    }
    let block = marked::find(current)?;
    let is_ours = |place: &Range<usize>| block.as_ref().is_some_and(|b| b.range.contains(&place.start));
    for (line, place, address, names) in records(current) {
        if is_ours(&place) {
            continue;
        }
        if let Some(entry) = entries.iter().find(|entry| gives(&names, &entry.name)) {
            let address = address.escape_ascii().to_string();
            return Err(Refused::NameTaken { name: entry.name.clone(), line, address });
        }
    }
    let lines: Vec<String> =
        entries.iter().map(|entry| format!("{}\t{}", entry.address, entry.name)).collect();
    let wanted = match (&block, lines.is_empty()) {
        (None, true) => current.to_vec(),
        (Some(block), true) => marked::without_block(current, block),
        (block, false) => marked::with_block(current, block.as_ref(), &lines),
    };
    let mut plan = Plan::new(path, Some(current), Some(wanted));
    plan.owned = entries.iter().map(|entry| entry.name.to_string()).collect();
    Ok(plan)
}

/// The entries in order, if each may be written.
fn checked(desired: &[Entry], gateway: Option<Ipv4Addr>) -> Result<Vec<Entry>, Refused> {
    if let Some(address) = gateway.filter(|gateway| !gateway.is_private()) {
        return Err(Refused::NotPrivate { address });
    }
    let mut entries = desired.to_vec();
    entries.sort();
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Refused::Duplicate { name: pair[0].name.clone() });
    }
    for Entry { name, address } in &entries {
        if !address.is_loopback() && Some(*address) != gateway {
            return Err(Refused::NotLoopback { name: name.clone(), address: *address });
        }
        // `co.uk` as an alias would be harmless to nobody; a name without a registrable part is never one's own.
        if suffix::is_public(name.as_str()) {
            return Err(Refused::PublicSuffix { name: name.clone() });
        }
    }
    Ok(entries)
}

/// Whether there is a block of Dockline's, or half of one.
pub(crate) fn has_block(current: &[u8]) -> bool {
    !matches!(marked::find(current), Ok(None))
}

/// The first address the file gives `name`, as a resolver reads it (hosts(5)).
#[must_use]
pub fn lookup(current: &[u8], name: &RegistryName) -> Option<IpAddr> {
    records(current)
        .filter(|(.., names)| gives(names, name))
        .find_map(|(_, _, address, _)| std::str::from_utf8(address).ok()?.parse().ok())
}

/// A line that is neither blank nor a comment: its number, its place, the address and the names.
type Record<'a> = (usize, Range<usize>, &'a [u8], Vec<&'a [u8]>);

/// Fields are separated by blanks and end at `#` (hosts(5)).
fn records(bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    marked::lines(bytes).filter_map(|(line, place, text)| {
        // A byte order mark stands before the first line's text; only Windows passes over it.
        let text = if line == 1 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text };
        let text = text.split(|byte| *byte == b'#').next()?;
        let mut fields = text.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        Some((line, place, fields.next()?, fields.collect()))
    })
}

/// Host names do not tell case apart, and may end in the root's dot.
fn gives(names: &[&[u8]], name: &RegistryName) -> bool {
    names
        .iter()
        .any(|given| given.strip_suffix(b".").unwrap_or(given).eq_ignore_ascii_case(name.as_str().as_bytes()))
}

#[cfg(test)]
mod tests;
