//! Image archives: what `docker save`, `podman save` and `skopeo` write, read in place with bounded memory.
//!
//! Three layouts are understood: docker's own (`manifest.json` and one tar a layer), the OCI image layout
//! (`index.json` and `blobs/`), and what Docker writes since version 25, which is both at once. Where both are
//! there the OCI side is read: it keeps the digest the image already has.

mod error;
mod layout;
mod tarball;
pub(crate) mod write;

pub use error::ArchiveError;
pub(crate) use layout::{Layer, LayerKind, ManifestPlan, Selected};
pub(crate) use tarball::{Section, SectionReader, Tarball};

use crate::Reference;
use std::path::Path;

/// An image in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveImage {
    /// Its names as the archive gives them (`app:v1`, `cr.boss.org:5000/app:v1`); none if it was saved by ID.
    pub names: Vec<String>,
}

impl ArchiveImage {
    /// Whether one of its names is `repository:tag`, at whatever registry.
    fn is_called(&self, repository: &str, tag: &str) -> bool {
        self.names.iter().any(|name| {
            name.parse::<Reference>()
                .is_ok_and(|name| name.repository() == repository && name.tag_or_latest() == tag)
        })
    }

    fn shown(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| "one without a name".to_owned())
    }
}

/// Which images an archive holds, without reading its layers. A gzip-compressed archive is unpacked for this.
///
/// # Errors
/// When it is not an image archive.
pub async fn images(path: &Path) -> Result<Vec<ArchiveImage>, ArchiveError> {
    let owned = path.to_owned();
    let listing = tokio::task::spawn_blocking(move || {
        let tarball = Tarball::open(&owned)?;
        Ok(layout::list(&tarball)?.into_iter().map(|found| found.image).collect())
    });
    listing.await.unwrap_or_else(|failure| {
        Err(ArchiveError::Read { path: path.to_owned(), source: std::io::Error::other(failure) })
    })
}

/// Picks the image to push: the only one, or the one called `repository:tag`. Blocks.
pub(crate) fn select(tarball: &Tarball, repository: &str, tag: &str) -> Result<Selected, ArchiveError> {
    let mut found = layout::list(tarball)?;
    if found.len() > 1 {
        let names: Vec<String> = found.iter().map(|found| found.image.shown()).collect();
        found.retain(|found| found.image.is_called(repository, tag));
        if found.len() > 1 || found.is_empty() {
            return Err(ArchiveError::SeveralImages { names });
        }
    }
    let only = found.pop().ok_or(ArchiveError::NoImage)?;
    layout::resolve(tarball, only)
}
