//! The hosts file: one marked block of `address name` lines, and not a byte changed outside it.

mod block;

use crate::Plan;
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
    /// Its address, in 127.0.0.0/8.
    pub address: Ipv4Addr,
}

/// Why the file cannot be changed safely. The message completes “/etc/hosts is left as it is: …”.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An address outside 127.0.0.0/8 would send a registry's traffic off this machine.
    #[error("{address} for {name} is not in 127.0.0.0/8")]
    NotLoopback {
        /// For which name.
        name: RegistryName,
        /// The address.
        address: Ipv4Addr,
    },
    /// The same name twice.
    #[error("{name} was asked for twice")]
    Duplicate {
        /// Which.
        name: RegistryName,
    },
    /// The file names it already, outside our block; a resolver takes whichever line comes first.
    #[error("line {line} already gives {name} the address {address}")]
    NameTaken {
        /// Which.
        name: RegistryName,
        /// The line, from 1.
        line: usize,
        /// What that line says.
        address: String,
    },
    /// Only one of the two markers, or the two in the wrong order.
    #[error("line {line} is one half of Dockline's markers and the other half is missing")]
    HalfMarker {
        /// The line, from 1.
        line: usize,
    },
    /// More than one block.
    #[error("line {line} begins a second block of Dockline's")]
    SecondBlock {
        /// The line, from 1.
        line: usize,
    },
    /// UTF-16: lines added as UTF-8 would spoil it.
    #[error("it is written in UTF-16, which no resolver reads")]
    Utf16,
}

impl Refused {
    /// What the person can do; a whole sentence.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NotLoopback { .. } => "Give the registry an address such as 127.77.1.1.".to_owned(),
            Self::Duplicate { .. } => {
                "Keep one registry of that name in Dockline's configuration.".to_owned()
            }
            Self::NameTaken { line, .. } => {
                format!("If you added line {line} for an earlier tunnel, remove it and try again.")
            }
            Self::HalfMarker { .. } | Self::SecondBlock { .. } => format!(
                "Remove the lines from “{}” to “{}” yourself, then try again.",
                block::BEGIN,
                block::END
            ),
            Self::Utf16 => "Save the file as UTF-8 and try again.".to_owned(),
        }
    }
}

/// The change that makes our block hold exactly `desired`; with nothing desired, the block goes.
///
/// # Errors
/// [`Refused`], with the line at fault.
pub fn plan(path: &Path, desired: &[Entry], current: &[u8]) -> Result<Plan, Refused> {
    let mut entries = desired.to_vec();
    entries.sort();
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Refused::Duplicate { name: pair[0].name.clone() });
    }
    if let Some(entry) = entries.iter().find(|entry| !entry.address.is_loopback()) {
        return Err(Refused::NotLoopback { name: entry.name.clone(), address: entry.address });
    }
    if current.starts_with(&[0xff, 0xfe]) || current.starts_with(&[0xfe, 0xff]) {
        return Err(Refused::Utf16);
    }
    let block = block::find(current)?;
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
    let wanted = match (&block, entries.is_empty()) {
        (None, true) => current.to_vec(),
        (Some(block), true) => block::without_block(current, block),
        (block, false) => block::with_block(current, block.as_ref(), &entries),
    };
    Ok(Plan::new(path, current, wanted, Vec::new()))
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
    block::lines(bytes).filter_map(|(line, place, text)| {
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
