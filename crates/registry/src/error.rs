//! What can go wrong between Dockline and a registry, and how it is put to a person.

use crate::{ArchiveError, CertificateFlaw, Digest, InvalidReference};
use dockline_model::{Code, UiError, sentence};
use std::{io, path::PathBuf, time::Duration};

/// Why talking to a registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No connection, or it was lost.
    #[error("the registry at {address} does not answer: {}", root_cause(.source))]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What the connection said.
        #[source]
        source: reqwest::Error,
    },
    /// Connected, and then nothing moved.
    #[error("the registry sent nothing for {} seconds while Dockline waited to {operation}", .idle.as_secs())]
    TimedOut {
        /// What was being done.
        operation: Operation,
        /// How long nothing moved.
        idle: Duration,
    },
    /// 401.
    #[error("the registry wants a login before it lets anyone {operation}")]
    Auth {
        /// What was being done.
        operation: Operation,
        /// The registry's words.
        details: String,
    },
    /// What was kept for the login, or asking for it, failed.
    #[error(transparent)]
    Credentials(UiError),
    /// The server that the registry names for its tokens.
    #[error("the server {realm}, where the registry's logins are checked, does not answer: {}", root_cause(.source))]
    TokenServer {
        /// Its URL.
        realm: String,
        /// What the connection said.
        #[source]
        source: reqwest::Error,
    },
    /// A token server at the far host's own loopback, at another port than the registry's.
    #[error("the registry has its logins checked at {realm}, and the tunnel does not lead there")]
    RealmUnreachable {
        /// Its URL.
        realm: String,
    },
    /// A token server without TLS somewhere on the network.
    #[error("the registry has its logins checked at {realm}, where the password would go unencrypted")]
    RealmUnsafe {
        /// Its URL.
        realm: String,
    },
    /// The registry's certificate.
    #[error("the certificate of {authority} cannot be trusted: {flaw}")]
    Certificate {
        /// Whose.
        authority: String,
        /// Why not.
        flaw: CertificateFlaw,
    },
    /// The registry wants ours.
    #[error("the registry {}", if *.has_one { "does not accept our certificate" } else { "asks for a certificate of ours" })]
    ClientCertificate {
        /// Whether we showed one.
        has_one: bool,
    },
    /// Ours does not serve, or not with its key.
    #[error("the certificate {} cannot be shown to the registry: {flaw}", .path.display())]
    ClientIdentity {
        /// Which file.
        path: PathBuf,
        /// Why not.
        flaw: String,
    },
    /// A PEM file.
    #[error("the certificate file {} does not read: {source}", .path.display())]
    CertificateFile {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// 403, or a method that a read-only registry does not allow.
    #[error("the registry does not allow Dockline to {operation}")]
    Denied {
        /// What was being done.
        operation: Operation,
        /// As whom, if the registry was told.
        user: Option<String>,
        /// The registry's words.
        details: String,
    },
    /// Somebody else has given the tag to another image since.
    #[error("the registry has {found} as {what} by now, and {pushed} was pushed")]
    Overtaken {
        /// Repository and tag.
        what: String,
        /// What it has.
        found: Digest,
        /// What is there as well, by its digest.
        pushed: Digest,
    },
    /// No list of repositories, or not for us.
    #[error("the registry does not list its repositories")]
    NoCatalogue {
        /// The registry's words.
        details: String,
    },
    /// Deleting is switched off.
    #[error("the registry does not let anyone delete")]
    NoDelete {
        /// The registry's words.
        details: String,
    },
    /// 404.
    #[error("the registry has no {what}")]
    NotFound {
        /// A repository, a tag, a blob, by name.
        what: String,
        /// The registry's words.
        details: String,
    },
    /// The registry's storage is full.
    #[error("the registry's disk is full")]
    DiskFull {
        /// The registry's words.
        details: String,
    },
    /// 5xx, or a refusal that has no better name.
    #[error("the registry failed to {operation} (HTTP {status})")]
    Failed {
        /// What was being done.
        operation: Operation,
        /// The HTTP status.
        status: u16,
        /// The registry's words.
        details: String,
    },
    /// A refusal of a piece of a layer that can be read only once. The next push sends it in a single request.
    #[error(transparent)]
    PiecesRefused(Box<RegistryError>),
    /// What answers is not a registry, or breaks the distribution-spec.
    #[error("what answers at {address} does not speak the registry protocol: {what}")]
    Protocol {
        /// Where.
        address: String,
        /// What was wrong.
        what: String,
    },
    /// A redirect to somewhere the tunnel does not reach.
    #[error(
        "the registry keeps its data elsewhere and sends Dockline to {to}, which this tunnel does not reach"
    )]
    Redirected {
        /// The host it names.
        to: String,
    },
    /// What arrived, or what the registry holds, is not what was sent.
    #[error("{what} arrived damaged: {expected} was expected and {actual} came")]
    DigestMismatch {
        /// A manifest or a blob.
        what: String,
        /// Ought to be.
        expected: Digest,
        /// Is.
        actual: Digest,
    },
    /// An index without an image for this machine.
    #[error("{reference} has no image for {wanted}; it has {available}")]
    NoPlatform {
        /// Which image.
        reference: String,
        /// `linux/amd64`.
        wanted: String,
        /// The platforms there are.
        available: String,
    },
    /// A manifest of a kind that is no container image, or that older Docker made and nobody reads any more.
    #[error("{reference} is {media_type}, which is not a container image that Dockline can carry")]
    UnsupportedManifest {
        /// Which.
        reference: String,
        /// Its media type.
        media_type: String,
    },
    /// Docker's image format of 2014, whose layers have digests of another kind.
    #[error(
        "{reference} is a schema 1 manifest, Docker's image format until 2016, which Dockline does not carry"
    )]
    SchemaOne {
        /// Which.
        reference: String,
    },
    /// More than one image, and an archive of docker's holds one.
    #[error(
        "{reference} is more than one image, or comes with others, and docker's own archives hold only one"
    )]
    NeedsOci {
        /// Which.
        reference: String,
    },
    /// Not a reference.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// The `authority` of the configuration cannot stand in a `Host` header.
    #[error("“{authority}” cannot stand in a Host header")]
    Authority {
        /// As given.
        authority: String,
    },
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be set up")]
    Setup {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Not an image archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The file to be written is there already.
    #[error("the file {} exists already, and Dockline does not overwrite it", .path.display())]
    FileExists {
        /// Which.
        path: PathBuf,
    },
    /// A local file.
    #[error("the file {} could not be {operation}: {source}", .path.display())]
    File {
        /// What was being done to it.
        operation: FileOperation,
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What was to be sent could not be read.
    #[error("a layer could not be read any further: {source}")]
    Source {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A background thread panicked: a defect.
    #[error("a part of Dockline that reads archives ended by itself")]
    Worker {
        /// How.
        #[source]
        source: tokio::task::JoinError,
    },
}

/// What was being asked of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `GET /v2/`.
    Ping,
    /// Read a manifest.
    ReadManifest,
    /// Write a manifest.
    WriteManifest,
    /// Ask for or read a blob.
    ReadBlob,
    /// Write a blob.
    WriteBlob,
    /// List tags or repositories.
    List,
    /// Delete a manifest.
    Delete,
    /// Get a token for a login.
    Login,
}

impl std::fmt::Display for Operation {
    /// Fits behind "could not", "does not allow Dockline to".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ping => "ask it anything",
            Self::ReadManifest => "read the image's manifest",
            Self::WriteManifest => "store the image's manifest",
            Self::ReadBlob => "read a layer",
            Self::WriteBlob => "store a layer",
            Self::List => "list its images",
            Self::Delete => "delete an image",
            Self::Login => "log in",
        })
    }
}

/// What was being done to a local file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOperation {
    /// Reading it.
    Read,
    /// Making or writing it.
    Write,
}

impl std::fmt::Display for FileOperation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "written",
        })
    }
}

/// reqwest's outer sentences ("error sending request") say nothing; the innermost does.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

impl From<&RegistryError> for UiError {
    fn from(error: &RegistryError) -> Self {
        let ui = |code| Self::new(code, sentence(error));
        match error {
            RegistryError::Unreachable { source, .. } => ui(Code::RegistryUnreachable)
                .hint(
                    "Check that the registry runs on its host and that the tunnel ends at its port, then try again.",
                )
                .details(root_cause(source)),
            RegistryError::TimedOut { .. } => ui(Code::TimedOut)
                .hint("The link or the registry's disk may be overloaded; what was sent is kept, so try again."),
            RegistryError::Auth { details, .. } => ui(Code::RegistryAuth)
                .hint("Log in with `dockline login` and the registry's name; if you did, name or password are not right any more.")
                .details(details),
            RegistryError::Credentials(error) => error.clone(),
            RegistryError::TokenServer { source, .. } => ui(Code::RegistryUnreachable)
                .hint("Check that it runs; the registry's configuration names it (auth: token: realm).")
                .details(root_cause(source)),
            RegistryError::RealmUnreachable { .. } => ui(Code::RegistryUnreachable).hint(
                "Let the registry's own port lead to it as well (nginx: location /auth/), and name it so in the \
                 registry's configuration (auth: token: realm).",
            ),
            RegistryError::RealmUnsafe { .. } => ui(Code::RegistryAuth).hint(
                "Give the token server TLS, or let the registry's own port lead to it (nginx: location /auth/).",
            ),
            RegistryError::Certificate { flaw, .. } => ui(Code::CertificateUntrusted).hint(match flaw {
                CertificateFlaw::UnknownAuthority => {
                    "If a private authority signed it, name that authority's certificate: dockline setup REGISTRY \
                     --ca FILE, or ca = \"FILE\" in the configuration."
                }
                CertificateFlaw::Expired => "Whoever runs the registry has to renew it.",
                CertificateFlaw::NotYetValid => "Check the clocks of this machine and of the registry's host.",
                CertificateFlaw::OtherName => {
                    "Call the registry by a name that is in its certificate, or have one made for this name."
                }
                CertificateFlaw::Other(_) => "Ask whoever runs the registry about its certificate.",
            }),
            RegistryError::ClientCertificate { .. } => ui(Code::ClientCertificateNeeded).hint(
                "Name one that its owner made for you: client-certificate and client-key in the configuration, or \
                 client.cert and client.key in ~/.docker/certs.d/REGISTRY:PORT.",
            ),
            RegistryError::ClientIdentity { .. } => ui(Code::FileIo).hint(
                "Have it made again, with its own key; openssl makes version 3 where it is given extensions \
                 (openssl x509 -req -extfile FILE).",
            ),
            RegistryError::CertificateFile { .. } => {
                ui(Code::FileIo).hint("It has to be a PEM file, with BEGIN CERTIFICATE in it.")
            }
            RegistryError::Denied { user: Some(user), details, .. } => ui(Code::RegistryDenied)
                .hint(format!(
                    "You are logged in there as {user}. Ask whoever runs the registry what that login may do, or \
                     log in as somebody else."
                ))
                .details(details),
            RegistryError::Denied { details, .. } => ui(Code::RegistryDenied)
                .hint("Ask whoever runs the registry whether it is read-only, or who may write there.")
                .details(details),
            RegistryError::NoCatalogue { details } => ui(Code::CatalogueRefused)
                .hint("Name a repository: its tags and images can be seen all the same.")
                .details(details),
            RegistryError::NoDelete { details } => ui(Code::DeleteRefused)
                .hint(
                    "Allow it in the registry's configuration (storage: delete: enabled: true, or \
                     REGISTRY_STORAGE_DELETE_ENABLED=true) and start it again.",
                )
                .details(details),
            RegistryError::NotFound { details, what } if what.starts_with("repository ") => {
                ui(Code::ReferenceNotFound)
                    .hint(
                        "Check the name for typing errors. Some registries (Amazon's ECR) take pushes only to \
                         repositories that were made before.",
                    )
                    .details(details)
            }
            RegistryError::NotFound { details, .. } => ui(Code::ReferenceNotFound)
                .hint("Check the name and the tag for typing errors.")
                .details(details),
            RegistryError::DiskFull { details } => ui(Code::RegistryDiskFull)
                .hint(
                    "Free space on the registry's host: delete tags nobody needs and run the registry's garbage \
                     collection, or give it a larger disk. Then push again; layers that arrived are kept.",
                )
                .details(details),
            RegistryError::Failed { details, status: 429, .. } => ui(Code::RegistryFailed)
                .hint("The registry limits how often it may be asked; wait a while, or log in there.")
                .details(details),
            RegistryError::Failed { operation, details, status } => match operation {
                // registry 2.8 answers many troubles of its storage with a 500 that names none of them.
                Operation::WriteBlob | Operation::WriteManifest if *status >= 500 => ui(Code::RegistryFailed)
                    .hint(
                        "This is often a full disk or missing write permission on the registry's host: look there \
                         at df and at the registry's log.",
                    )
                    .details(details),
                Operation::Ping
                | Operation::ReadManifest
                | Operation::ReadBlob
                | Operation::List
                | Operation::Delete
                | Operation::Login
                | Operation::WriteBlob
                | Operation::WriteManifest => ui(Code::RegistryFailed)
                    .hint("The registry's log on its host says more.")
                    .details(details),
            },
            RegistryError::PiecesRefused(refusal) => Self::from(&**refusal).hint(
                "Push it again: the registry did not take a layer in pieces, and now gets each one in a single \
                 request.",
            ),
            RegistryError::Protocol { .. } => ui(Code::RegistryFailed)
                .hint("Check that the tunnel ends at the registry's port and not at another program's."),
            RegistryError::Redirected { .. } => ui(Code::RegistryFailed).hint(
                "Turn redirects off in the registry's configuration (storage: redirect: disable: true).",
            ),
            RegistryError::Overtaken { .. } => ui(Code::DigestMismatch)
                .hint("Somebody else may have pushed the same tag meanwhile; try again."),
            RegistryError::DigestMismatch { .. } => ui(Code::DigestMismatch)
                .hint("Try again; if it happens again, the registry's storage is damaged."),
            RegistryError::NoPlatform { .. } => ui(Code::ReferenceNotFound)
                .hint("Choose a platform that there is, or build and push the image for this one as well."),
            RegistryError::NeedsOci { .. } => {
                ui(Code::InvalidArgument).hint("Write an OCI archive instead (--format oci), or choose one platform.")
            }
            RegistryError::UnsupportedManifest { .. } => ui(Code::RegistryFailed)
                .hint("Push the image again with a current Docker or Podman."),
            RegistryError::SchemaOne { .. } => ui(Code::RegistryFailed).hint(
                "Convert it once, with skopeo copy --format v2s2, or by a pull and a push with Docker 25 or older.",
            ),
            RegistryError::Reference(_) | RegistryError::Authority { .. } => ui(Code::ReferenceInvalid),
            RegistryError::Setup { source } => ui(Code::Internal).details(root_cause(source)),
            RegistryError::Archive(archive) => Self::from(archive),
            RegistryError::FileExists { .. } => {
                ui(Code::FileIo).hint("Choose another name, or move that file away.")
            }
            RegistryError::File { source, .. } => {
                let is = |kind| source.kind() == kind;
                let ui = ui(Code::FileIo);
                if is(io::ErrorKind::NotFound) {
                    ui.hint("Check the path.")
                } else if is(io::ErrorKind::PermissionDenied) {
                    ui.hint("Check who may read and write there.")
                } else if is(io::ErrorKind::StorageFull) || is(io::ErrorKind::QuotaExceeded) {
                    ui.hint("This machine's disk is full; free some space and try again.")
                } else {
                    ui
                }
            }
            RegistryError::Source { .. } => {
                ui(Code::FileIo).hint("Check that the archive's disk is still there and try again.")
            }
            RegistryError::Worker { source } => ui(Code::Internal).details(source.to_string()),
        }
    }
}

impl From<RegistryError> for UiError {
    fn from(error: RegistryError) -> Self {
        Self::from(&error)
    }
}
