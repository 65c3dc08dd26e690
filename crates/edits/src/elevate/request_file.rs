//! A request in a file, for a way on which it can be neither piped nor, at some length, be an argument. Its hash goes on
//! the command line, so that it does not matter who else can write the file.

use crate::Fingerprint;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// In the caller's own folder for temporary files; removed with its owner.
#[derive(Debug)]
pub struct RequestFile {
    path: PathBuf,
    hash: Fingerprint,
}

impl RequestFile {
    /// Writes it.
    pub fn write(request: &str) -> io::Result<Self> {
        Self::write_in(&env::temp_dir(), request)
    }

    fn write_in(folder: &Path, request: &str) -> io::Result<Self> {
        let hash = Fingerprint::of(Some(request.as_bytes()));
        let name = format!("dockline-request-{}-{hash}.json", std::process::id());
        let path = std::path::absolute(folder.join(name))?;
        fs::write(&path, request)?;
        Ok(Self { path, hash })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of its contents.
    pub fn hash(&self) -> &Fingerprint {
        &self.hash
    }
}

impl Drop for RequestFile {
    fn drop(&mut self) {
        // What stays is small, and nothing goes by it.
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_as_long_as_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let file = RequestFile::write_in(folder.path(), "{}").unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"{}");
        assert_eq!(*file.hash(), Fingerprint::of(Some(b"{}")));
        assert!(file.path().is_absolute());
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
