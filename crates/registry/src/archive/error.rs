//! What can be wrong with an image archive.

use crate::Digest;
use dockline_model::{Code, UiError, sentence};
use std::{io, path::PathBuf};

/// Why a file cannot be read as an image archive. Each message is a whole sentence.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file itself cannot be opened or read.
    #[error("the file {} could not be read: {source}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Unpacking a compressed archive needs room that is not there.
    #[error("the file {} is compressed, and there was no room to unpack it: {source}", .path.display())]
    Unpack {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not a tar.
    #[error("the file {} is not an image archive: it is not a tar file", .path.display())]
    NotATar {
        /// Which.
        path: PathBuf,
    },
    /// A folder of something else.
    #[error(
        "the folder {} is not an image: it has no file oci-layout in it, as an OCI layout has",
        .path.display()
    )]
    NotALayout {
        /// Which.
        path: PathBuf,
    },
    /// Compressed in a way this version does not read.
    #[error("the file {} is compressed with {compression}, which Dockline cannot read yet", .path.display())]
    Compression {
        /// Which.
        path: PathBuf,
        /// By what.
        compression: &'static str,
    },
    /// The tar ends in the middle, or its headers are damaged.
    #[error("the file {} is damaged or was not copied completely: {source}", .path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A tar of something else.
    #[error(
        "the file {} is a tar file but not an image archive: it has neither manifest.json (docker save) nor index.json \
         (OCI layout)",
        .path.display()
    )]
    NoManifest {
        /// Which.
        path: PathBuf,
    },
    /// `docker export`: a container's files, without what makes them an image.
    #[error(
        "the file {} holds a container's file system (docker export), not an image (docker save)",
        .path.display()
    )]
    Exported {
        /// Which.
        path: PathBuf,
    },
    /// A JSON file in it does not read.
    #[error("the archive's {name} does not read: {source}")]
    Json {
        /// Which file.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A JSON file in it is too large to be what it claims.
    #[error("the archive's {name} is {size} bytes long; no real one is")]
    TooLarge {
        /// Which file.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// Its files disagree with one another.
    #[error("the archive contradicts itself: {what}")]
    Inconsistent {
        /// How.
        what: String,
    },
    /// A file that is named is not there.
    #[error("the archive is incomplete: {name} is missing")]
    Missing {
        /// Which.
        name: String,
    },
    /// A file's contents are not what its name or the manifest says.
    #[error("the archive's {name} is damaged: its digest ought to be {expected} and is {actual}")]
    WrongDigest {
        /// Which.
        name: String,
        /// Ought to be.
        expected: Digest,
        /// Is.
        actual: Digest,
    },
    /// A name that leads out of the archive.
    #[error("the archive names a file outside itself ({name}); no honest image archive does")]
    UnsafeName {
        /// The name.
        name: String,
    },
    /// An index or a manifest without any image.
    #[error("the archive has no image in it")]
    NoImage,
    /// More than one image, and the name asked for is not among them (or among them twice).
    #[error("the archive has several images in it: {}", .names.join(", "))]
    SeveralImages {
        /// Their names.
        names: Vec<String>,
    },
    /// The image that was asked for is not in it.
    #[error("the archive has no image called {wanted}; it has {}", .names.join(", "))]
    NoSuchImage {
        /// What was asked for.
        wanted: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// Docker's image format of 2014, whose layers have digests of another kind.
    #[error(
        "the archive's {name} is a schema 1 manifest, which Docker has not written since 2016 and registries refuse"
    )]
    SchemaOne {
        /// Which file.
        name: String,
    },
    /// All of an image is wanted, and the archive has only some.
    #[error("the archive has not all of the image: its index names {missing} as well")]
    Incomplete {
        /// `linux/arm64, an attestation`.
        missing: String,
    },
    /// A multi-platform image without this machine's.
    #[error("the archive has no image for {wanted}; it has {available}")]
    NoPlatform {
        /// `linux/amd64`.
        wanted: String,
        /// What there is.
        available: String,
    },
}

impl From<&ArchiveError> for UiError {
    fn from(error: &ArchiveError) -> Self {
        let message = sentence(error);
        let ui = |code| Self::new(code, message);
        let again = "Make it again with docker save, podman save or skopeo copy.";
        match error {
            ArchiveError::Read { .. } => ui(Code::FileIo).hint("Check the path, and who may read it."),
            ArchiveError::Unpack { .. } => {
                ui(Code::FileIo).hint("Free some space in the folder for temporary files (TMPDIR).")
            }
            ArchiveError::SeveralImages { .. } => {
                ui(Code::ArchiveInvalid).hint("Say which one (--image NAME), or push it under its own name.")
            }
            ArchiveError::NoSuchImage { .. } => ui(Code::ArchiveInvalid)
                .hint("Name one that is there, as `tar xOf FILE manifest.json` shows them."),
            ArchiveError::SchemaOne { .. } => ui(Code::ArchiveInvalid)
                .hint("Pull the image once with Docker 25 or older and save it again: that converts it."),
            ArchiveError::Exported { .. } => {
                ui(Code::ArchiveInvalid).hint("Use docker save IMAGE instead of docker export CONTAINER.")
            }
            ArchiveError::Compression { .. } => {
                ui(Code::ArchiveInvalid).hint("Unpack it first, or compress it with gzip.")
            }
            ArchiveError::UnsafeName { .. } => {
                ui(Code::ArchiveInvalid).hint("Do not use this file unless you trust where it came from.")
            }
            ArchiveError::NotALayout { .. } => ui(Code::ArchiveInvalid).hint(
                "Name the folder that holds oci-layout and index.json (skopeo copy writes one: oci:FOLDER), or an \
                 archive file (docker save --output app.tar).",
            ),
            ArchiveError::NotATar { .. }
            | ArchiveError::Damaged { .. }
            | ArchiveError::NoManifest { .. }
            | ArchiveError::Json { .. }
            | ArchiveError::TooLarge { .. }
            | ArchiveError::Inconsistent { .. }
            | ArchiveError::Missing { .. }
            | ArchiveError::WrongDigest { .. }
            | ArchiveError::NoImage => ui(Code::ArchiveInvalid).hint(again),
            ArchiveError::Incomplete { .. } => ui(Code::ArchiveInvalid).hint(
                "Push it without --all-platforms, or make an archive of all of it: skopeo copy --all, or dockline pull \
                 --output FILE --all-platforms.",
            ),
            ArchiveError::NoPlatform { .. } => {
                ui(Code::ArchiveInvalid).hint("Save the image for this platform (docker save --platform).")
            }
        }
    }
}
