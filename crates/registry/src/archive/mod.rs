//! Image archives: what `docker save`, `podman save` and `skopeo` write, read in place with bounded memory.
//!
//! Three layouts are understood: docker's own (`manifest.json` and one tar a layer), the OCI image layout
//! (`index.json` and `blobs/`), and what Docker writes since version 25, which is both at once. Where both are
//! there the OCI side is read: it keeps the digest the image already has. An OCI layout may also be a folder.

mod error;
mod folder;
mod layout;
mod scratch;
mod tarball;
mod whole;
pub(crate) mod write;

pub use error::ArchiveError;
pub(crate) use layout::{Layer, LayerKind, ManifestPlan, Selected, check as check_digest};
pub(crate) use tarball::{Section, Tarball, read_at, read_up_to};
pub(crate) use whole::{Blob, Whole, gather};

use crate::Reference;
use std::path::Path;

/// An image in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveImage {
    /// Its names as the archive gives them (`app:v1`, `cr.boss.org:5000/app:v1`); none if it was saved by ID.
    pub names: Vec<String>,
}

impl ArchiveImage {
    fn fits(&self, wish: &Wish<'_>) -> bool {
        let mut names = self.names.iter().filter_map(|name| name.parse::<Reference>().ok());
        match wish {
            Wish::Like { repository, tag } => {
                names.any(|name| name.repository() == *repository && name.tag_or_latest() == *tag)
            }
            Wish::Named(wanted) => names.any(|name| {
                let same_place = wanted.host().is_none() || name.authority() == wanted.authority();
                same_place
                    && name.repository() == wanted.repository()
                    && name.tag_or_latest() == wanted.tag_or_latest()
            }),
        }
    }

    fn shown(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| "one without a name".to_owned())
    }
}

/// Which image of several is meant.
#[derive(Debug)]
pub(crate) enum Wish<'a> {
    /// The only one there is, or the one that is called so at whatever registry.
    Like {
        /// Without a host.
        repository: &'a str,
        /// Of the repository.
        tag: &'a str,
    },
    /// The one of that name, even if there is only one of another.
    Named(&'a Reference),
}

/// Which images an archive holds, without reading its layers. A compressed archive is unpacked for this.
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

/// Picks the image to push. Blocks.
pub(crate) fn select(tarball: &Tarball, wish: &Wish<'_>) -> Result<Selected, ArchiveError> {
    layout::resolve(tarball, choose(tarball, wish)?)
}

fn choose(tarball: &Tarball, wish: &Wish<'_>) -> Result<layout::Found, ArchiveError> {
    let mut found = layout::list(tarball)?;
    if found.len() > 1 || matches!(wish, Wish::Named(_)) {
        let names: Vec<String> = found.iter().map(|found| found.image.shown()).collect();
        found.retain(|found| found.image.fits(wish));
        if let (Wish::Named(wanted), true) = (wish, found.is_empty()) {
            return Err(ArchiveError::NoSuchImage { wanted: wanted.to_string(), names });
        }
        if found.len() > 1 || found.is_empty() {
            return Err(ArchiveError::SeveralImages { names });
        }
    }
    found.pop().ok_or(ArchiveError::NoImage)
}
