//! Everything goes through descriptors. A folder is reached name by name from the root, and no symbolic link is followed
//! on the way or at its end: whoever may swap a name under a program that runs as root gains nothing by it.

pub use super::folders::{make_folders, missing_folders, remove_folder};
use super::{
    Found, Inspected, Replaced,
    modes::{has_at_least, has_mode},
    no_file_name, temporary_name,
};
use crate::Fingerprint;
use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Component, Path},
};

/// For a folder on the way: it has to be passed through, not listed.
#[cfg(target_os = "linux")]
const WAY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);
#[cfg(not(target_os = "linux"))]
const WAY: OFlags = FOLDER;
pub(super) const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// Mode of new files and folders, where no old one's is kept: settings that every program may read.
const NEW_FILE: Mode = Mode::from_raw_mode(0o644);
pub(super) const NEW_FOLDER: Mode = Mode::from_raw_mode(0o755);

/// A folder that is held open.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// A journal's folder, made if need be. Opening it sees to it that nobody else can have written in root's. The whole
    /// machine's is read by everybody who plans: where it and the one above it do not let them, they are made to.
    pub fn of_journal(path: &Path, is_system: bool) -> io::Result<Self> {
        make_folders(&missing_folders(&path.join("lock")))?;
        let journal = Self::open(path)?;
        if is_system {
            if let Some(above) = path.parent() {
                has_at_least(Self::open(above)?.0, NEW_FOLDER)?;
            }
            has_at_least(&journal.0, NEW_FOLDER)?;
        }
        Ok(journal)
    }

    /// Makes the file of that name readable by others, if it is there and is not.
    pub fn publish(&self, name: &str) -> io::Result<()> {
        match open_file(&self.0, name.as_ref(), OFlags::RDONLY) {
            Ok((file, _)) => has_at_least(file, NEW_FILE),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Opens an absolute path, name by name.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut folder = None;
        for component in path.components() {
            folder = Some(match (component, folder) {
                (Component::RootDir, None) => rustix::fs::open("/", WAY, Mode::empty())?,
                (Component::Normal(name), Some(folder)) => open_below(&folder, name)?,
                (
                    Component::Normal(_) | Component::CurDir | Component::ParentDir | Component::Prefix(_),
                    _,
                )
                | (Component::RootDir, Some(_)) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        "the path is not absolute and plain",
                    ));
                }
            });
        }
        // Anew, since what was only passed through cannot be synced.
        let folder = folder.ok_or_else(no_file_name)?;
        Ok(Self(rustix::fs::openat(&folder, ".", FOLDER, Mode::empty())?))
    }

    /// The whole file of that name; `None` if there is none.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match open_file(&self.0, name.as_ref(), OFlags::RDONLY) {
            Ok((mut file, _)) => file.read_to_end(&mut bytes).map(|_| Some(bytes)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Writes a file of that name anew, to the disk; readable by others if `public`.
    pub fn write(&self, name: &str, bytes: &[u8], public: bool) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = if public { NEW_FILE } else { Mode::RUSR | Mode::WUSR };
        let mut file = File::from(rustix::fs::openat(&self.0, name, flags, mode)?);
        if public {
            has_mode(&file, NEW_FILE)?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Adds to the end of the file of that name.
    pub fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?);
        file.write_all(bytes)
    }

    /// Gives the file `from` the name `to`, and makes that outlast a power cut.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        rustix::fs::renameat(&self.0, from, &self.0, to)?;
        self.sync()
    }

    /// Removes the file of that name, if there is one.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        remove_if_there(&self.0, &name.into())
    }

    /// A file to lock; it stays.
    pub fn lock_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Makes the folder's entries outlast a power cut.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

/// Root walks through root's folders only, and through none where anybody may put a name of their own (unless it is
/// sticky, as `/tmp`: there nobody moves another's names).
fn open_below(folder: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let below = rustix::fs::openat(folder, name, WAY, Mode::empty()).map_err(|errno| match errno {
        Errno::LOOP | Errno::NOTDIR => io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("“{}” on the way is a symbolic link or no folder", name.to_string_lossy()),
        ),
        errno => errno.into(),
    })?;
    if rustix::process::geteuid().is_root() {
        let stat = rustix::fs::fstat(&below)?;
        let mode = Mode::from_raw_mode(stat.st_mode);
        if stat.st_uid != 0 || (mode.contains(Mode::WOTH) && !mode.contains(Mode::SVTX)) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "others may change the folder “{}” on the way, so root does not write in it",
                    name.to_string_lossy()
                ),
            ));
        }
    }
    Ok(below)
}

pub(super) fn open_parent(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let name = path.file_name().ok_or_else(no_file_name)?;
    let folder = path.parent().ok_or_else(no_file_name)?;
    Ok((Folder::open(folder)?.0, name))
}

/// `NONBLOCK`, since opening a FIFO would wait for its other end.
fn open_file(folder: &OwnedFd, name: &OsStr, access: OFlags) -> rustix::io::Result<(File, Stat)> {
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    Ok((File::from(file), stat))
}

fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Reads the file and finds out how it can be written.
pub fn inspect(path: &Path) -> io::Result<Inspected> {
    let none = Inspected::File(Found { contents: None, in_place_because: None });
    let (folder, name) = match open_parent(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(none),
        Err(error) => return Err(error),
    };
    let (mut file, stat) = match open_file(&folder, name, OFlags::RDONLY) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => return Ok(none),
        Err(Errno::LOOP) => return Ok(Inspected::NotRegular("a symbolic link")),
        Err(errno) => return Err(errno.into()),
    };
    match file_type(&stat) {
        FileType::RegularFile => {}
        FileType::Directory => return Ok(Inspected::NotRegular("a folder")),
        FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => return Ok(Inspected::NotRegular("a device, pipe or socket")),
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let in_place_because = if is_mount_point(&folder, name) {
        Some("it is a mount of its own, as in a container")
    } else if stat.st_nlink > 1 {
        Some("it has more than one name (hard links)")
    } else {
        None
    };
    Ok(Inspected::File(Found { contents: Some(bytes), in_place_because }))
}

/// A file that is mounted itself cannot be renamed over: rename(2) says `EBUSY`.
#[cfg(target_os = "linux")]
fn is_mount_point(folder: &OwnedFd, name: &OsStr) -> bool {
    use rustix::fs::{StatxAttributes, StatxFlags};
    rustix::fs::statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)
        .is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Only Linux mounts single files.
#[cfg(not(target_os = "linux"))]
fn is_mount_point(_folder: &OwnedFd, _name: &OsStr) -> bool {
    false
}

/// Puts `wanted` in the place of the file whose fingerprint is `before`; `None` removes it. A new file gets the old one's
/// owner, mode and extended attributes (on Linux these hold the ACL and the SELinux label too).
pub fn replace(path: &Path, before: &Fingerprint, wanted: Option<&[u8]>) -> io::Result<Replaced> {
    let (folder, name) = open_parent(path)?;
    let Some(bytes) = wanted else { return remove(&folder, name, before) };
    let temporary = temporary_name(name);
    remove_if_there(&folder, &temporary)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&folder, &temporary, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => File::from(file),
        // The folder may be read-only, or not ours, while the file itself is neither.
        Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) if !before.is_absent() => {
            return Ok(Replaced::Impossible);
        }
        Err(errno) => return Err(errno.into()),
    };
    let replaced = match before.is_absent() {
        true => fill_and_name(&folder, name, &temporary, file, bytes),
        false => fill_and_rename(&folder, name, &temporary, file, before, bytes),
    };
    if !matches!(replaced, Ok(Replaced::Yes)) {
        remove_if_there(&folder, &temporary)?;
    }
    replaced
}

fn fill_and_rename(
    folder: &OwnedFd,
    name: &OsStr,
    temporary: &OsStr,
    mut new: File,
    before: &Fingerprint,
    bytes: &[u8],
) -> io::Result<Replaced> {
    let (old, stat) = match open_file(folder, name, OFlags::RDONLY) {
        Ok(opened) => opened,
        Err(Errno::NOENT | Errno::LOOP) => return Ok(Replaced::Changed),
        Err(errno) => return Err(errno.into()),
    };
    new.write_all(bytes)?;
    copy_attributes(&old, &stat, &new)?;
    new.sync_all()?;
    // As late as can be. A writer in the remaining instant would lose; none of these files has a lock to prevent it with.
    if !is_still(folder, name, old, &stat, before)? {
        return Ok(Replaced::Changed);
    }
    match rustix::fs::renameat(folder, temporary, folder, name) {
        Ok(()) => {}
        Err(Errno::BUSY | Errno::XDEV | Errno::PERM | Errno::ACCESS) => return Ok(Replaced::Impossible),
        Err(errno) => return Err(errno.into()),
    }
    rustix::fs::fsync(folder)?;
    Ok(Replaced::Yes)
}

/// Gives a new file its name, unless something has the name by now.
fn fill_and_name(
    folder: &OwnedFd,
    name: &OsStr,
    temporary: &OsStr,
    mut new: File,
    bytes: &[u8],
) -> io::Result<Replaced> {
    new.write_all(bytes)?;
    rustix::fs::fchmod(&new, NEW_FILE)?;
    new.sync_all()?;
    // A second name fails where the name is taken, on every system; the temporary one goes afterwards.
    match rustix::fs::linkat(folder, temporary, folder, name, AtFlags::empty()) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(Replaced::Changed),
        Err(errno) => return Err(errno.into()),
    }
    remove_if_there(folder, &temporary.to_owned())?;
    rustix::fs::fsync(folder)?;
    Ok(Replaced::Yes)
}

fn remove(folder: &OwnedFd, name: &OsStr, before: &Fingerprint) -> io::Result<Replaced> {
    let (old, stat) = match open_file(folder, name, OFlags::RDONLY) {
        Ok(opened) => opened,
        Err(Errno::NOENT) if before.is_absent() => return Ok(Replaced::Yes),
        Err(Errno::NOENT | Errno::LOOP) => return Ok(Replaced::Changed),
        Err(errno) => return Err(errno.into()),
    };
    if !is_still(folder, name, old, &stat, before)? {
        return Ok(Replaced::Changed);
    }
    rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
    rustix::fs::fsync(folder)?;
    Ok(Replaced::Yes)
}

/// Whether the name still leads to the file that was opened, with the contents that were planned from.
fn is_still(
    folder: &OwnedFd,
    name: &OsStr,
    mut old: File,
    stat: &Stat,
    before: &Fingerprint,
) -> io::Result<bool> {
    let mut current = Vec::new();
    old.read_to_end(&mut current)?;
    let now = match open_file(folder, name, OFlags::RDONLY) {
        Ok((_, now)) => now,
        Err(Errno::NOENT | Errno::LOOP) => return Ok(false),
        Err(errno) => return Err(errno.into()),
    };
    let same_file = (now.st_dev, now.st_ino) == (stat.st_dev, stat.st_ino);
    Ok(same_file && Fingerprint::of(Some(&current)) == *before)
}

fn copy_attributes(old: &File, stat: &Stat, new: &File) -> io::Result<()> {
    let made = rustix::fs::fstat(new)?;
    if (made.st_uid, made.st_gid) != (stat.st_uid, stat.st_gid) {
        let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
        rustix::fs::fchown(new, Some(owner), Some(group))?;
    }
    super::attributes::copy(old, new)?;
    // After fchown and the ACL, both of which change the mode.
    rustix::fs::fchmod(new, Mode::from_raw_mode(stat.st_mode))?;
    Ok(())
}

/// Writes over the file in place, if it still is the one whose fingerprint is `before`. Not atomic: the caller keeps a copy
/// first. Never [`Replaced::Impossible`].
pub fn overwrite(path: &Path, before: &Fingerprint, bytes: &[u8]) -> io::Result<Replaced> {
    let (folder, name) = open_parent(path)?;
    let (mut file, stat) = match open_file(&folder, name, OFlags::RDWR) {
        Ok(opened) => opened,
        Err(Errno::NOENT | Errno::LOOP) => return Ok(Replaced::Changed),
        Err(errno) => return Err(errno.into()),
    };
    if file_type(&stat) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no longer a regular file"));
    }
    super::overwrite_open(&mut file, before, bytes)
}

/// Removes the new file of a replacement that a crash interrupted.
pub fn discard_temporary(path: &Path) -> io::Result<()> {
    match open_parent(path) {
        Ok((folder, name)) => remove_if_there(&folder, &temporary_name(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn remove_if_there(folder: &impl AsFd, name: &OsString) -> io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        // Nothing can have been made in a folder that takes nothing.
        Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
