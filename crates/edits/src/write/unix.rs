//! Everything goes through the folder's descriptor, so that a folder renamed meanwhile changes nothing, and no
//! symbolic link is followed in the file's own name.

use super::{Found, Inspected, Replaced, no_file_name, temporary_name};
use crate::Sha256;
use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

fn open_folder(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let name = path.file_name().ok_or_else(no_file_name)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok((rustix::fs::open(folder, flags, Mode::empty())?, name))
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
    let (folder, name) = open_folder(path)?;
    let (mut file, stat) = match open_file(&folder, name, OFlags::RDONLY) {
        Ok(opened) => opened,
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
    Ok(Inspected::File(Found { bytes, in_place_because }))
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

/// Puts a new file with `bytes` in the place of the one whose hash is `before`, with its owner, mode and extended
/// attributes (on Linux these hold the ACL and the SELinux label too).
pub fn replace(path: &Path, before: &Sha256, bytes: &[u8]) -> io::Result<Replaced> {
    let (folder, name) = open_folder(path)?;
    let temporary = temporary_name(name);
    remove_if_there(&folder, &temporary)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&folder, &temporary, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => File::from(file),
        // The folder may be read-only, or not ours, while the file itself is neither.
        Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => return Ok(Replaced::Impossible),
        Err(errno) => return Err(errno.into()),
    };
    let replaced = fill_and_rename(&folder, name, &temporary, file, before, bytes);
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
    before: &Sha256,
    bytes: &[u8],
) -> io::Result<Replaced> {
    let (mut old, stat) = open_file(folder, name, OFlags::RDONLY)?;
    new.write_all(bytes)?;
    copy_attributes(&old, &stat, &new)?;
    new.sync_all()?;
    // As late as can be. A writer in the remaining instant would lose; hosts(5) has no lock to prevent it with.
    let mut current = Vec::new();
    old.read_to_end(&mut current)?;
    let (_, stat_now) = open_file(folder, name, OFlags::RDONLY)?;
    let same_file = (stat_now.st_dev, stat_now.st_ino) == (stat.st_dev, stat.st_ino);
    if !same_file || Sha256::of(&current) != *before {
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

fn copy_attributes(old: &File, stat: &Stat, new: &File) -> io::Result<()> {
    let made = rustix::fs::fstat(new)?;
    if (made.st_uid, made.st_gid) != (stat.st_uid, stat.st_gid) {
        let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
        rustix::fs::fchown(new, Some(owner), Some(group))?;
    }
    copy_extended_attributes(old, new)?;
    // After fchown and the ACL, both of which change the mode.
    rustix::fs::fchmod(new, Mode::from_raw_mode(stat.st_mode))?;
    Ok(())
}

fn copy_extended_attributes(old: &File, new: &File) -> io::Result<()> {
    /// A Linux attribute list and value are at most this long (xattr(7)); macOS's hosts file has none as long.
    const LIMIT: usize = 64 * 1024;
    let mut names = vec![0u8; LIMIT];
    let length = match rustix::fs::flistxattr(old, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    };
    let mut value = vec![0u8; LIMIT];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let length = rustix::fs::fgetxattr(old, name, &mut value[..])?;
        rustix::fs::fsetxattr(new, name, &value[..length], rustix::fs::XattrFlags::empty())?;
    }
    Ok(())
}

/// Writes over the file in place. Not atomic: the caller keeps a copy first.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, name) = open_folder(path)?;
    let (mut file, stat) = open_file(&folder, name, OFlags::WRONLY)?;
    if file_type(&stat) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no longer a regular file"));
    }
    file.rewind()?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Removes the new file of a replacement that a crash interrupted.
pub fn discard_temporary(path: &Path) -> io::Result<()> {
    let (folder, name) = open_folder(path)?;
    remove_if_there(&folder, &temporary_name(name))
}

/// Makes the folder's entries outlast a power cut.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove_if_there(folder: &impl AsFd, name: &OsString) -> io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        // Nothing can have been made in a folder that takes nothing.
        Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
