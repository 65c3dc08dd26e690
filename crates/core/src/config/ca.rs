//! Certificates of private authorities. A registry's configuration names a file; given to Dockline, it is copied into a
//! folder beside the configuration, so that the original may go.

use super::ConfigError;
use crate::{Paths, files::replace};
use dockline_edits::CaCertificate;
use dockline_model::{RegistryName, RegistrySpec};
use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// What is read of a file at most, in bytes; more is no certificate ([`CaCertificate`] says so).
const LONGEST: u64 = 128 << 10;

fn folder(paths: &Paths) -> PathBuf {
    paths.config_file.with_file_name("certificates")
}

/// Where Dockline's copy of a registry's authority is, once there is one.
pub(crate) fn kept_authority(paths: &Paths, name: &RegistryName) -> PathBuf {
    folder(paths).join(format!("{name}.crt"))
}

/// The certificates of the authority that the registry's configuration names, as PEM. Blocks.
///
/// # Errors
/// [`ConfigError::CertificateRead`], [`ConfigError::Certificate`].
pub fn authority(paths: &Paths, spec: &RegistrySpec) -> Result<Option<String>, ConfigError> {
    spec.ca.as_deref().map(|path| read(&paths.expanded(path)).map(|read| read.pem())).transpose()
}

fn read(path: &Path) -> Result<CaCertificate, ConfigError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| ConfigError::CertificateRead { path: path.to_owned(), source })?;
    // What is no text is no PEM either, and is told so.
    String::from_utf8_lossy(&bytes)
        .parse()
        .map_err(|source| ConfigError::Certificate { path: path.to_owned(), source })
}

/// Checks the file and copies it; what comes back is the copy's path.
pub(super) fn keep(paths: &Paths, name: &RegistryName, source: &Path) -> Result<PathBuf, ConfigError> {
    let certificate = read(&paths.expanded(source))?;
    let copy = kept_authority(paths, name);
    replace(&copy, certificate.pem().as_bytes())
        .map_err(|source| ConfigError::Write { path: copy.clone(), source })?;
    Ok(copy)
}

/// Removes Dockline's copy, once no registry's configuration names it.
pub(super) fn forget(paths: &Paths, name: &RegistryName, left: &[RegistrySpec]) {
    let copy = kept_authority(paths, name);
    if left.iter().any(|spec| spec.ca.as_ref() == Some(&copy)) {
        return;
    }
    match fs::remove_file(&copy) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // A certificate that nothing names harms nobody.
        Err(error) => tracing::warn!(%error, path = %copy.display(), "a certificate was not removed"),
    }
}
