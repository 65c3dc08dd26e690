//! What the owner's pipe is called on Windows.
//!
//! Pipes have one flat name space for all accounts, and a name belongs to whoever takes it first: one that can be
//! guessed could be taken before the owner does, and faces would tell their passwords to a stranger. So each owner makes
//! up a name, takes it, and only then writes it down in its folder, where nobody else writes. A name that an owner left
//! behind counts for as long as it lives, which its lock tells.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

const PREFIX: &str = "dockline-";
/// Too many to guess.
const RANDOM: usize = 16;

/// Where the name stands: beside where other systems have the socket.
pub(super) fn record(socket: &Path) -> PathBuf {
    socket.with_extension("pipe")
}

/// A name that nobody has.
pub(super) fn fresh() -> String {
    format!("{PREFIX}{}", hex::encode(rand::random::<[u8; RANDOM]>()))
}

/// The name that was written down last.
pub(super) fn read(record: &Path) -> io::Result<String> {
    let name = fs::read_to_string(record)?;
    let random = name.strip_prefix(PREFIX).unwrap_or_default();
    // Half-written by somebody's copy or editor, it would be a name that others can take.
    match random.len() == 2 * RANDOM && random.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(name),
        false => Err(io::ErrorKind::NotFound.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipes_name_cannot_be_guessed_and_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let record = record(&folder.path().join("control.sock"));
        assert_eq!(record, folder.path().join("control.pipe"));
        assert_eq!(read(&record).unwrap_err().kind(), io::ErrorKind::NotFound);
        let name = fresh();
        assert_ne!(name, fresh());
        crate::files::replace(&record, name.as_bytes()).unwrap();
        assert_eq!(read(&record).unwrap(), name);
        for other in
            ["", "dockline-", &name[..20], r"dockline-..\..\pipe\0123456789abcdef012345", &format!("{name}0")]
        {
            fs::write(&record, other).unwrap();
            assert_eq!(read(&record).unwrap_err().kind(), io::ErrorKind::NotFound, "{other}");
        }
    }
}
