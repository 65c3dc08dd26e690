//! The registry's files.
//!
//! ```text
//! blobs/sha256/ab/abcd…                 contents, one file a digest, whatever repository
//! repositories/NAME/_blobs/sha256/abcd…       empty: this repository has that blob
//! repositories/NAME/_manifests/sha256/abcd…   the media type of a manifest of this repository
//! repositories/NAME/_tags/TAG                 the digest it means
//! repositories/NAME/_referrers/sha256/abcd…/ef01…   what refers to the first: its descriptor
//! uploads/                              what is on its way; emptied at start
//! ```
//!
//! Names of repositories have no component that begins with an underscore, so the folders cannot meet. Every
//! file is written elsewhere and renamed into place: after a kill there is all of it or nothing.

use super::{answer::Refusal, route::TagOrDigest};
use crate::Digest;
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::fs;

/// The root folder.
#[derive(Debug)]
pub(super) struct Storage {
    root: PathBuf,
}

/// What one repository has of a blob or a manifest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Blob,
    Manifest,
}

impl Kind {
    const fn folder(self) -> &'static str {
        match self {
            Self::Blob => "_blobs",
            Self::Manifest => "_manifests",
        }
    }
}

impl Storage {
    pub(super) async fn open(root: &Path) -> io::Result<Self> {
        let storage = Self { root: root.to_owned() };
        fs::create_dir_all(root).await?;
        match fs::remove_dir_all(storage.uploads()).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(storage.uploads()).await?;
        Ok(storage)
    }

    fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    fn repositories(&self) -> PathBuf {
        self.root.join("repositories")
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.repositories().join(name)
    }

    /// Where the contents of a digest are.
    pub(super) fn blob_path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join("blobs").join(digest.algorithm().as_str()).join(&hex[..2]).join(hex)
    }

    fn link_path(&self, repository: &str, kind: Kind, digest: &Digest) -> PathBuf {
        self.repository(repository).join(kind.folder()).join(digest.algorithm().as_str()).join(digest.hex())
    }

    fn tag_path(&self, repository: &str, tag: &str) -> PathBuf {
        self.repository(repository).join("_tags").join(tag)
    }

    /// A file to be filled and then kept with [`Self::keep`].
    pub(super) fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix("upload-").tempfile_in(self.uploads())
    }

    /// Puts finished contents in their place and notes that `repository` has them.
    pub(super) async fn keep(
        &self,
        repository: &str,
        digest: &Digest,
        file: tempfile::TempPath,
    ) -> io::Result<()> {
        let target = self.blob_path(digest);
        make_parent(&target).await?;
        fs::rename(&file, &target).await?;
        // The path is another file's now, or nobody's; there is nothing to remove.
        let _ = file.keep();
        self.link(repository, Kind::Blob, digest, "").await
    }

    /// Contents that are in memory, without a link: manifests.
    pub(super) async fn keep_bytes(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        self.write(&self.blob_path(digest), bytes).await
    }

    /// Notes that `repository` has the blob or manifest.
    pub(super) async fn link(
        &self,
        repository: &str,
        kind: Kind,
        digest: &Digest,
        note: &str,
    ) -> io::Result<()> {
        self.write(&self.link_path(repository, kind, digest), note.as_bytes()).await
    }

    /// What was noted when the blob or manifest was linked; `None` if the repository does not have it.
    pub(super) async fn note(
        &self,
        repository: &str,
        kind: Kind,
        digest: &Digest,
    ) -> io::Result<Option<String>> {
        optional(fs::read_to_string(self.link_path(repository, kind, digest)).await)
    }

    pub(super) async fn unlink(&self, repository: &str, kind: Kind, digest: &Digest) -> io::Result<bool> {
        Ok(optional(fs::remove_file(self.link_path(repository, kind, digest)).await)?.is_some())
    }

    fn referrer_path(&self, repository: &str, subject: &Digest) -> PathBuf {
        let folder = self.repository(repository).join("_referrers").join(subject.algorithm().as_str());
        folder.join(subject.hex())
    }

    /// Notes that the manifest `digest` refers to `subject`; `note` is what a list says of it.
    pub(super) async fn link_referrer(
        &self,
        repository: &str,
        subject: &Digest,
        digest: &Digest,
        note: &str,
    ) -> io::Result<()> {
        self.write(&self.referrer_path(repository, subject).join(digest.hex()), note.as_bytes()).await
    }

    pub(super) async fn unlink_referrer(
        &self,
        repository: &str,
        subject: &Digest,
        digest: &Digest,
    ) -> io::Result<()> {
        let path = self.referrer_path(repository, subject).join(digest.hex());
        optional(fs::remove_file(path).await).map(drop)
    }

    /// What was noted of those that refer to `subject`, in a steady order.
    pub(super) async fn referrers(&self, repository: &str, subject: &Digest) -> io::Result<Vec<String>> {
        let folder = self.referrer_path(repository, subject);
        let mut found = names(&folder).await?;
        found.sort();
        let mut notes = Vec::new();
        for name in found {
            notes.extend(optional(fs::read_to_string(folder.join(name)).await)?);
        }
        Ok(notes)
    }

    pub(super) async fn put_tag(&self, repository: &str, tag: &str, digest: &Digest) -> io::Result<()> {
        self.write(&self.tag_path(repository, tag), digest.to_string().as_bytes()).await
    }

    pub(super) async fn remove_tag(&self, repository: &str, tag: &str) -> io::Result<bool> {
        Ok(optional(fs::remove_file(self.tag_path(repository, tag)).await)?.is_some())
    }

    /// What a tag or digest means in `repository`.
    pub(super) async fn resolve(&self, repository: &str, reference: &TagOrDigest) -> Result<Digest, Refusal> {
        let unknown = || match reference {
            TagOrDigest::Tag(tag) => Refusal::ManifestUnknown(tag.clone()),
            TagOrDigest::Digest(digest) => Refusal::ManifestUnknown(digest.to_string()),
        };
        match reference {
            TagOrDigest::Digest(digest) => Ok(digest.clone()),
            TagOrDigest::Tag(tag) => optional(fs::read_to_string(self.tag_path(repository, tag)).await)?
                .ok_or_else(unknown)?
                .trim()
                .parse()
                .map_err(|_| unknown()),
        }
    }

    /// The tags of a repository, sorted; `None` if there is no such repository.
    pub(super) async fn tags(&self, repository: &str) -> io::Result<Option<Vec<String>>> {
        if optional(fs::metadata(self.repository(repository)).await)?.is_none() {
            return Ok(None);
        }
        let mut tags = names(&self.repository(repository).join("_tags")).await?;
        tags.sort();
        Ok(Some(tags))
    }

    /// All repositories, sorted.
    pub(super) async fn catalog(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut open = vec![String::new()];
        while let Some(name) = open.pop() {
            for part in names(&self.repositories().join(&name)).await? {
                if part == "_manifests" {
                    found.push(name.clone());
                } else if !part.starts_with('_') {
                    open.push(if name.is_empty() { part } else { format!("{name}/{part}") });
                }
            }
        }
        found.sort();
        Ok(found)
    }

    async fn write(&self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.temporary()?.into_temp_path();
        fs::write(&file, bytes).await?;
        make_parent(target).await?;
        fs::rename(&file, target).await?;
        let _ = file.keep();
        Ok(())
    }
}

async fn make_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).await,
        None => Ok(()),
    }
}

async fn names(folder: &Path) -> io::Result<Vec<String>> {
    let Some(mut entries) = optional(fs::read_dir(folder).await)? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

/// A file that is not there is an answer, not a failure.
fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
