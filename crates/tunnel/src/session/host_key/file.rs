//! Writing known_hosts files: a line at the end, or a whole new content, never half of either.

use crate::{
    error::TunnelError,
    host_options::HostOptions,
    known_hosts::{FileChange, Key, format_line},
};
use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    sync::Arc,
};

/// How often the file beside is opened anew, because it was renamed in between.
const MOST_CLAIMS: usize = 8;
/// `FILE_SHARE_READ | FILE_SHARE_DELETE`: `ssh` may read what is known_hosts now, and it may be renamed.
#[cfg(windows)]
const SHARE_READ_AND_DELETE: u32 = 1 | 4;

/// Adds a trusted key to the first of the user's known_hosts files; `false` if there is none
/// (`UserKnownHostsFile none`).
pub(in crate::session) fn remember(options: &HostOptions, key: &Key) -> Result<bool, TunnelError> {
    let Some(file) = options.user_known_hosts.first() else { return Ok(false) };
    let salt: Option<[u8; 20]> = options.hash_known_hosts.then(rand::random);
    let line = format_line(options.known_hosts_names().name(), key, salt.as_ref());
    match append_line(file, &line) {
        Ok(()) => Ok(true),
        Err(error) => Err(TunnelError::KnownHosts { file: file.clone(), source: Arc::new(error) }),
    }
}

/// One write with `O_APPEND`, so that two programs that remember a key at once both keep theirs. A last line without
/// its newline gets one first.
fn append_line(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        create_private_folder(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    let mut text = format!("{line}\n");
    if opened.metadata()?.len() > 0 {
        opened.seek(io::SeekFrom::End(-1))?;
        let mut last = [0];
        opened.read_exact(&mut last)?;
        if last != *b"\n" {
            text.insert(0, '\n');
        }
    }
    opened.write_all(text.as_bytes())?;
    opened.sync_data()
}

/// Puts the new content in the place of the old one. `false`, and nothing is done, if the file is not what it was
/// when the change was planned, or if somebody else is at it. A link is followed: what it leads to is replaced.
///
/// The new content is written beside the file first, always under the same name: what a process that was killed left
/// there is overwritten by the next one.
pub(super) fn replace(change: &FileChange) -> io::Result<bool> {
    let file = std::fs::canonicalize(&change.file)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".dockline-new");
    let beside = file.with_file_name(name);
    let Some(mut new) = claim(&beside, || open_beside(&beside))? else { return Ok(false) };
    let written = write_beside(&mut new, &file, change);
    if !matches!(written, Ok(true)) {
        let _ = std::fs::remove_file(&beside);
        return written;
    }
    std::fs::rename(&beside, &file)?;
    Ok(true)
}

/// The file at `beside`, for nobody else to write; `None` if somebody is at it. What was opened may by now be known_hosts
/// itself, renamed by whoever had it before: that is left alone.
fn claim(beside: &Path, mut open: impl FnMut() -> io::Result<File>) -> io::Result<Option<File>> {
    for _ in 0..MOST_CLAIMS {
        let new = match open() {
            Ok(new) => new,
            Err(error) if is_taken(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        match new.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if is_at(&new, beside)? {
            return Ok(Some(new));
        }
    }
    Ok(None)
}

fn open_beside(beside: &Path) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Nobody else can open it for writing as long as it is open here; only so can it not be renamed under us.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, SHARE_READ_AND_DELETE);
    options.open(beside)
}

/// Whether the file is still the one of that name. The lock is held, so it stays that.
#[cfg(unix)]
fn is_at(opened: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let opened = opened.metadata()?;
    match path.symlink_metadata() {
        Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whoever else would rename it has to have it open for writing, which [`open_beside`] does not share.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Whether somebody has it open who does not share it (`ERROR_SHARING_VIOLATION`).
fn is_taken(error: &io::Error) -> bool {
    cfg!(windows) && error.raw_os_error() == Some(32)
}

fn write_beside(new: &mut File, file: &Path, change: &FileChange) -> io::Result<bool> {
    new.set_len(0)?;
    new.write_all(&change.after)?;
    new.set_permissions(file.metadata()?.permissions())?;
    new.sync_data()?;
    Ok(std::fs::read(file)? == change.before)
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_appended_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/known_hosts");
        append_line(&file, "first").unwrap();
        std::fs::write(&file, "without a newline").unwrap();
        append_line(&file, "second").unwrap();
        append_line(&file, "third").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "without a newline\nsecond\nthird\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ssh/known_hosts");
        append_line(&file, "line").unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_behind_its_link_unless_it_has_changed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real"), folder.path().join("known_hosts"));
        std::fs::write(&file, "before").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let change = FileChange { file: link.clone(), before: b"before".to_vec(), after: b"after".to_vec() };
        assert!(replace(&change).unwrap());
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"after");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        // What a killed process left is no obstacle; what somebody is at is left to them.
        let beside = folder.path().join("real.dockline-new");
        std::fs::write(&beside, "half of something, and longer than the content").unwrap();
        let again = FileChange { file: file.clone(), before: b"after".to_vec(), after: b"last".to_vec() };
        let other = File::open(&beside).unwrap();
        other.lock().unwrap();
        assert!(!replace(&again).unwrap());
        drop(other);
        assert!(replace(&again).unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"last");
        std::fs::write(&file, "after").unwrap();
        assert!(!replace(&change).unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"after");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_another_has_put_in_place_meanwhile_is_not_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let (file, beside) = (folder.path().join("k"), folder.path().join("k.dockline-new"));
        std::fs::write(&file, "before").unwrap();
        let change = FileChange { file: file.clone(), before: b"before".to_vec(), after: b"after".to_vec() };
        // Opened by one, renamed by another, locked by the first.
        let mut stale = Some(open_beside(&beside).unwrap());
        assert!(replace(&change).unwrap());
        let new = claim(&beside, || stale.take().map_or_else(|| open_beside(&beside), Ok)).unwrap().unwrap();
        assert!(is_at(&new, &beside).unwrap() && !is_at(&new, &file).unwrap());
        new.set_len(0).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"after");
    }

    #[cfg(unix)]
    #[test]
    fn known_hosts_is_whole_while_several_change_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("k");
        let contents = [b"one".to_vec(), b"two".to_vec()];
        std::fs::write(&file, &contents[0]).unwrap();
        let changed = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let before = std::fs::read(&file).unwrap();
                        assert!(contents.contains(&before), "{before:?}");
                        let after = contents[usize::from(before == contents[0])].clone();
                        if let Ok(true) = replace(&FileChange { file: file.clone(), before, after }) {
                            changed.store(true, std::sync::atomic::Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert!(contents.contains(&std::fs::read(&file).unwrap()));
        assert!(changed.into_inner(), "nobody has changed it");
    }
}
