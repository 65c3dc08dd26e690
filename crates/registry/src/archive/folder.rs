//! An OCI image layout as the specification has it: a folder with `oci-layout`, `index.json` and `blobs/`
//! (image-spec, image-layout.md).
//!
//! Nothing else in it is looked at, and no link is followed: what a link leads to is looked for under its name in the
//! layout itself, as in a tar.

use super::{
    ArchiveError,
    tarball::{Entry, Section, normalise},
};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

const MARK: &str = "oci-layout";
/// What may stand beside the blobs; `manifest.json` where Docker has written it.
const TOP: [&str; 3] = [MARK, "index.json", "manifest.json"];
const BLOBS: &str = "blobs";

/// The table of contents, and the files that its sections are in. Blocks.
pub(super) fn contents(root: &Path) -> Result<(HashMap<String, Entry>, Vec<PathBuf>), ArchiveError> {
    let mut found = Found::default();
    for name in TOP {
        found.look_at(name.to_owned(), root.join(name))?;
    }
    if !matches!(found.entries.get(MARK), Some(Entry::File(_))) {
        return Err(ArchiveError::NotALayout { path: root.to_owned() });
    }
    if !found.entries.contains_key("index.json") {
        return Err(ArchiveError::Missing { name: "index.json".to_owned() });
    }
    for (algorithm, folder) in listed(&root.join(BLOBS))? {
        if !fs::symlink_metadata(&folder).is_ok_and(|seen| seen.is_dir()) {
            continue;
        }
        for (blob, path) in listed(&folder)? {
            found.look_at(format!("{BLOBS}/{algorithm}/{blob}"), path)?;
        }
    }
    Ok((found.entries, found.files))
}

#[derive(Default)]
struct Found {
    entries: HashMap<String, Entry>,
    files: Vec<PathBuf>,
}

impl Found {
    fn look_at(&mut self, name: String, path: PathBuf) -> Result<(), ArchiveError> {
        let read = |source| ArchiveError::Read { path: path.clone(), source };
        let seen = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            seen => seen.map_err(read)?,
        };
        let name = normalise("", &name)?;
        if seen.is_file() {
            let section = Section { file: self.files.len(), offset: 0, size: seen.len() };
            self.entries.insert(name, Entry::File(section));
            self.files.push(path);
        } else if seen.is_symlink() {
            let target = fs::read_link(&path).map_err(read)?;
            self.entries.insert(name, Entry::Symlink(target.to_string_lossy().into_owned()));
        }
        Ok(())
    }
}

/// What is in a folder, unless that is none, or a link; names that no layout has are left out.
fn listed(folder: &Path) -> Result<Vec<(String, PathBuf)>, ArchiveError> {
    if !fs::symlink_metadata(folder).is_ok_and(|seen| seen.is_dir()) {
        return Ok(Vec::new());
    }
    let read = |source| ArchiveError::Read { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if let Some(name) = entry.file_name().to_str().filter(|name| !name.contains(['\\', '\0'])) {
            names.push((name.to_owned(), entry.path()));
        }
    }
    Ok(names)
}

/// Opens a file that was seen; not what a link leads to that stands there by now, and not a pipe, which would wait.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file any more"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
