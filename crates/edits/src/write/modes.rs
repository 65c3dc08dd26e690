//! Who may read what Dockline makes: everybody, where everybody's plans are made from it, whatever the umask says. Under
//! sudo(8) with one of 077, folders and files would be root's alone, and nobody else could plan or undo anything again.

use rustix::{fd::AsFd, fs::Mode};
use std::io;

/// Gives what was made just now exactly these rights. Other bits stay: a folder takes the set-group-id one over from the
/// folder above.
pub fn has_mode(made: impl AsFd, rights: Mode) -> io::Result<()> {
    let mode = mode(&made)?;
    let wanted = mode.difference(Mode::RWXU | Mode::RWXG | Mode::RWXO) | rights;
    if mode == wanted { Ok(()) } else { Ok(rustix::fs::fchmod(&made, wanted)?) }
}

/// Gives what was there already these rights, and takes none.
pub fn has_at_least(found: impl AsFd, rights: Mode) -> io::Result<()> {
    let mode = mode(&found)?;
    if mode.contains(rights) { Ok(()) } else { Ok(rustix::fs::fchmod(&found, mode | rights)?) }
}

fn mode(of: &impl AsFd) -> io::Result<Mode> {
    Ok(Mode::from_raw_mode(rustix::fs::fstat(of)?.st_mode))
}

#[cfg(test)]
mod tests {
    use super::super::Folder;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    /// As a sudo with a umask of 077 left them.
    #[test]
    fn what_nobody_can_read_of_the_machines_journal_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let above = folder.path().canonicalize().unwrap().join("dockline");
        let journal = above.join("journal");
        fs::create_dir_all(&journal).unwrap();
        let applied = journal.join("applied.json");
        fs::write(&applied, "[]").unwrap();
        let narrow = |mode| fs::Permissions::from_mode(mode);
        let modes = || {
            [&above, &journal, &applied].map(|path| path.metadata().unwrap().permissions().mode() & 0o7777)
        };
        for (path, mode) in [(&applied, 0o600), (&journal, 0o700), (&above, 0o2700)] {
            fs::set_permissions(path, narrow(mode)).unwrap();
        }
        // A person's own journal is that person's affair.
        drop(Folder::of_journal(&journal, false).unwrap());
        assert_eq!(modes(), [0o2700, 0o700, 0o600]);
        let opened = Folder::of_journal(&journal, true).unwrap();
        opened.publish("applied.json").unwrap();
        opened.publish("absent.json").unwrap();
        assert_eq!(modes(), [0o2755, 0o755, 0o644]);
    }
}
