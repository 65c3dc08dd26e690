//! Folders and their privacy on Unix.

use directories::ProjectDirs;
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    os::unix::{ffi::OsStrExt, fs::DirBuilderExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// `sun_path` of `sockaddr_un` holds 104 bytes on macOS and the BSDs, 108 on Linux, a final NUL included.
const LONGEST_SOCKET_PATH: usize = 103;

/// `XDG_RUNTIME_DIR`'s folder; without that variable (cron, `su`) the same folder where systemd makes it, so that
/// such a process finds the owner that a desktop session started; else one of ours in /tmp.
pub(super) fn runtime_dir(dirs: &ProjectDirs) -> PathBuf {
    if let Some(dir) = dirs.runtime_dir() {
        return dir.to_owned();
    }
    if cfg!(target_os = "macos") {
        return dirs.data_local_dir().join("run");
    }
    let uid = rustix::process::geteuid().as_raw();
    let logind = PathBuf::from(format!("/run/user/{uid}"));
    if is_private(&logind).unwrap_or(false) {
        logind.join("dockline")
    } else {
        PathBuf::from(format!("/tmp/dockline-{uid}"))
    }
}

/// `wanted`, or a stand-in in /tmp where a socket's path in it would be too long for the system.
pub(super) fn socket_folder(wanted: PathBuf) -> PathBuf {
    if wanted.join("control.sock").as_os_str().len() <= LONGEST_SOCKET_PATH {
        return wanted;
    }
    let digest = hex::encode(&Sha256::digest(wanted.as_os_str().as_bytes())[..8]);
    let uid = rustix::process::geteuid().as_raw();
    PathBuf::from(format!("/tmp/dockline-{uid}-{digest}"))
}

pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whether it is a folder (not a link to one), ours, and closed to everybody else.
pub(super) fn is_private(folder: &Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(folder)?;
    Ok(metadata.is_dir()
        && metadata.uid() == rustix::process::geteuid().as_raw()
        && metadata.mode() & 0o077 == 0)
}
