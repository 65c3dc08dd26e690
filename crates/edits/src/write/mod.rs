//! Writing a file so that a reader, or a crash, sees the old bytes or the new ones.
//!
//! The normal way is a new file in the same folder that takes the old one's name. Where that cannot be (a container's
//! `/etc/hosts` is a mount of its own; a file with several names would lose them) the file is written over in
//! place: a crash may then leave it half written, which is what the journal's copy is for.

#[cfg(unix)]
mod attributes;
#[cfg(unix)]
mod folders;
#[cfg(any(windows, test))]
pub mod guarded;
#[cfg(unix)]
mod modes;
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(not(windows), path = "unix.rs")]
mod system;

pub use system::{
    Folder, discard_temporary, inspect, make_folders, missing_folders, overwrite, remove_folder, replace,
};

use crate::Fingerprint;
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
};

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// All of it; `None` if there is no file.
    pub contents: Option<Vec<u8>>,
    /// Why it must be written in place, if it must; completes “it is written in place because …”.
    pub in_place_because: Option<&'static str>,
}

/// What there was to find.
#[derive(Debug)]
pub enum Inspected {
    /// A regular file, or none.
    File(Found),
    /// Something else, which is not touched.
    NotRegular(&'static str),
}

/// How [`replace`] or [`overwrite`] ended, errors aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// The new contents have the name, or nothing has it.
    Yes,
    /// The system does not allow it here; nothing is changed.
    Impossible,
    /// Somebody wrote the file in the meantime; nothing is changed.
    Changed,
}

/// The end of [`overwrite`]: reads once more, through the handle that it then writes through. A writer in the instant between
/// the two would lose; where the system can keep others out, it does.
fn overwrite_open(file: &mut File, before: &Fingerprint, bytes: &[u8]) -> io::Result<Replaced> {
    let mut current = Vec::new();
    file.read_to_end(&mut current)?;
    if Fingerprint::of(Some(&current)) != *before {
        return Ok(Replaced::Changed);
    }
    file.rewind()?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()?;
    Ok(Replaced::Yes)
}

/// Name of the new file until it takes the old one's. A fixed one: the journal's lock keeps writers apart, and what
/// a crash leaves behind is found again.
fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".dockline-new");
    temporary
}

fn no_file_name() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the path names no file")
}
