//! Folders on Windows, where the profile's own access lists keep other accounts out.

use directories::ProjectDirs;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(super) fn runtime_dir(dirs: &ProjectDirs) -> PathBuf {
    dirs.data_local_dir().join("run")
}

pub(super) fn socket_folder(wanted: PathBuf) -> PathBuf {
    wanted
}

pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

pub(super) fn is_private(folder: &Path) -> io::Result<bool> {
    Ok(fs::symlink_metadata(folder)?.is_dir())
}
