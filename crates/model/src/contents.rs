//! What is in a registry: repositories, tags, manifests, what refers to them, and the room they take.

use crate::RegistryName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a face wants to see of a registry's contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Look {
    /// The repositories, a page of them. → [`Contents::Repositories`]
    Repositories {
        /// [`NamePage::next`] of the page before; the first page if absent.
        #[serde(default)]
        after: Option<String>,
        /// How many at most; 200 if absent. A registry may send fewer, and more pages.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// The tags of a repository, a page of them. → [`Contents::Tags`]
    Tags {
        /// `team/app`.
        repository: String,
        /// [`NamePage::next`] of the page before; the first page if absent.
        #[serde(default)]
        after: Option<String>,
        /// How many at most; 200 if absent.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// One manifest or index with what it is made of. → [`Contents::Manifest`]
    Manifest {
        /// `team/app`.
        repository: String,
        /// A tag or a digest.
        reference: String,
    },
    /// Signatures, attestations and the like that refer to a manifest. → [`Contents::Referrers`]
    Referrers {
        /// `team/app`.
        repository: String,
        /// The manifest's digest.
        digest: String,
    },
    /// What deleting an image would take away and what it would free; nothing is deleted.
    /// → [`Contents::DeletePlan`]
    PlanDelete {
        /// `team/app`.
        repository: String,
        /// A tag or a digest.
        reference: String,
    },
    /// How much room each repository takes. Reads every manifest, so it may take minutes; progress comes as
    /// [`Change::Usage`](crate::Change::Usage). → [`Contents::Usage`]
    Usage,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Contents {
    /// A page of repositories.
    Repositories {
        /// The page.
        page: NamePage,
    },
    /// A page of tags.
    Tags {
        /// The page.
        page: NamePage,
    },
    /// A manifest.
    Manifest {
        /// What it is made of.
        manifest: Box<ManifestView>,
    },
    /// What refers to a manifest.
    Referrers {
        /// In the registry's order.
        referrers: Vec<ReferrerView>,
    },
    /// What deleting would do.
    DeletePlan {
        /// To be shown, and sent back in [`Command::DeleteImage`](crate::Command::DeleteImage).
        plan: DeletePlan,
    },
    /// The room that repositories take.
    Usage {
        /// The figures.
        usage: RegistryUsage,
    },
}

/// Some names, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NamePage {
    /// In the registry's order.
    pub names: Vec<String>,
    /// What to ask for the next page with; `None` on the last.
    pub next: Option<String>,
}

/// What a manifest describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ManifestKind {
    /// A container image for one platform.
    Image,
    /// A list of images, one for each platform.
    Index,
    /// Something else: a signature, a chart, a bill of materials.
    Artifact,
}

/// A manifest or index, and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ManifestView {
    /// `cr.boss.org:5000/team/app:v1`, as asked for.
    pub reference: String,
    /// `sha256:…`.
    pub digest: String,
    /// `application/vnd.oci.image.manifest.v1+json` and the like.
    pub media_type: String,
    /// What it describes.
    pub kind: ManifestKind,
    /// Bytes of the manifest itself.
    pub size: u64,
    /// Bytes of configuration and layers as the registry stores them (compressed); of an index, of all its images
    /// without counting a layer twice.
    pub content_size: u64,
    /// When the image was made, as its configuration says: RFC 3339.
    pub created: Option<String>,
    /// What kind of artifact it is, if it says so.
    pub artifact_type: Option<String>,
    /// The manifest this one refers to (`subject`).
    pub subject: Option<String>,
    /// Of an index its images, in order; of an image its own platform, if it says so.
    pub images: Vec<PlatformView>,
    /// Of an image or artifact, bottom first.
    pub layers: Vec<BlobView>,
    /// Of an image.
    pub config: Option<ConfigView>,
    /// The manifest's annotations.
    #[cfg_attr(feature = "typescript", ts(type = "{ [key: string]: string }"))]
    pub annotations: BTreeMap<String, String>,
}

/// One image of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PlatformView {
    /// `linux/amd64`, `linux/arm/v7`; `None` if it does not say.
    pub platform: Option<String>,
    /// Of its manifest.
    pub digest: String,
    /// Its manifest's type.
    pub media_type: String,
    /// Bytes of its configuration and layers (compressed); `None` if its manifest is not in the registry.
    pub content_size: Option<u64>,
    /// BuildKit's attestation (provenance, bill of materials) for another entry rather than an image of its own.
    pub is_attestation: bool,
}

/// A blob of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct BlobView {
    /// `sha256:…`.
    pub digest: String,
    /// Its type.
    pub media_type: String,
    /// Bytes as stored.
    pub size: u64,
    /// The build step that made it, where the configuration's history tells.
    pub created_by: Option<String>,
}

/// What an image's configuration says about running it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConfigView {
    /// `sha256:…`; for engines, the image's ID.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// `ENTRYPOINT`.
    pub entrypoint: Vec<String>,
    /// `CMD`.
    pub command: Vec<String>,
    /// `ENV`, as `NAME=value`.
    pub environment: Vec<String>,
    /// `EXPOSE`, as `80/tcp`.
    pub ports: Vec<String>,
    /// `USER`.
    pub user: Option<String>,
    /// `WORKDIR`.
    pub folder: Option<String>,
    /// `LABEL`.
    #[cfg_attr(feature = "typescript", ts(type = "{ [key: string]: string }"))]
    pub labels: BTreeMap<String, String>,
}

/// A manifest that refers to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReferrerView {
    /// `sha256:…`.
    pub digest: String,
    /// Its manifest's type.
    pub media_type: String,
    /// What it is: `application/vnd.dev.cosign.artifact.sig.v1+json` and the like.
    pub artifact_type: Option<String>,
    /// Bytes of its manifest.
    pub size: u64,
    /// Its annotations.
    #[cfg_attr(feature = "typescript", ts(type = "{ [key: string]: string }"))]
    pub annotations: BTreeMap<String, String>,
}

/// What deleting an image takes away and frees. Nothing has been deleted when a person sees this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DeletePlan {
    /// `team/app`.
    pub repository: String,
    /// The tag or digest it was asked for by.
    pub reference: String,
    /// The manifest that goes.
    pub digest: String,
    /// Every tag of the repository that names it: all of them go with it.
    pub tags: Vec<String>,
    /// Bytes of its layers that no other tag of the repository uses. They stay on the registry's disk until its
    /// garbage collection runs there, and longer if another repository uses them.
    pub unused_bytes: u64,
    /// Bytes of its layers that other tags of the repository use as well: nothing will free them.
    pub shared_bytes: u64,
    /// Whole sentences that a person should read before they agree.
    pub notes: Vec<String>,
}

/// The room that a registry's repositories take, by what their tags lead to. What no tag leads to is not seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RegistryUsage {
    /// The largest first.
    pub repositories: Vec<RepositoryUsage>,
    /// Bytes of everything, each blob counted once, as the registry stores it.
    pub total_bytes: u64,
}

/// The room that one repository takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RepositoryUsage {
    /// `team/app`.
    pub repository: String,
    /// How many tags it has.
    pub tags: u64,
    /// How many different manifests and indexes these lead to.
    pub manifests: u64,
    /// Bytes of blobs that no other repository uses.
    pub unique_bytes: u64,
    /// Bytes of blobs that other repositories use as well.
    pub shared_bytes: u64,
    /// Tags whose manifests could not be read (of a kind nobody reads any more, damaged, or deleted meanwhile).
    pub unread: u64,
}

/// How far measuring is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct UsageProgress {
    /// Of which registry.
    pub registry: RegistryName,
    /// Repositories that are measured.
    pub done: u64,
    /// Repositories in all.
    pub total: u64,
    /// Tags looked at so far.
    pub tags: u64,
}
