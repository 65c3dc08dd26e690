//! Errors as a person meets them: a stable code, a sentence, and what to do.

use serde::{Deserialize, Serialize};

/// Stable names of everything that can go wrong. Faces switch on these alone, never on a message.
///
/// The exit status of the command line follows the group ([`Code::exit_status`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    // What was asked.
    /// The command does not make sense as given.
    InvalidArgument,
    /// No registry of that name is configured.
    RegistryUnknown,
    /// A registry of that name, or at that address and port, exists.
    RegistryExists,
    /// There is no such thing (any more): a transfer, an open question, an offer, a change of setup's to undo.
    NotFound,
    // Configuration.
    /// The configuration does not read; the message names file, line and column.
    ConfigInvalid,
    /// The configuration file cannot be read or written.
    ConfigIo,
    // The way to the host.
    /// The SSH host's name does not resolve.
    SshHostNotFound,
    /// The SSH host does not answer, or refuses the connection.
    SshUnreachable,
    /// It answered, but not in time, or not as an SSH server.
    SshProtocol,
    /// None of our keys or passwords was accepted.
    SshAuth,
    /// A key file is missing, unreadable or not a private key.
    SshKeyUnusable,
    /// The host is not in known_hosts, and nobody was there to ask, or they said no; or its certificate is not valid.
    HostKeyUnknown,
    /// The host's key is not the one in known_hosts.
    HostKeyChanged,
    /// The host's key is marked `@revoked`, or is in the list of `RevokedHostKeys`.
    HostKeyRevoked,
    /// The session was lost.
    SshLost,
    /// The jump host could not be passed.
    SshJump,
    /// Host options (`~/.ssh/config`) could not be read, or ask for what Dockline does not have.
    SshConfig,
    // The forward.
    /// The host could not connect to the registry's port: nothing listens there; or it opens no further channel.
    RemoteClosed,
    /// sshd does not allow the forward, or does not let us run programs.
    ForwardForbidden,
    /// The local address and port are taken.
    PortInUse,
    /// The local address is not one of this machine's.
    AddressUnavailable,
    /// The tunnel was closed under its user.
    Disconnected,
    // The engine.
    /// No Docker or Podman answers.
    EngineUnavailable,
    /// The engine's socket may not be opened by this user.
    EnginePermission,
    /// The engine does not have that image.
    ImageNotFound,
    /// The engine failed in a way we have no better name for.
    EngineFailed,
    /// The engine cannot reach the registry's address.
    EngineCannotReach,
    // The registry.
    /// The registry does not answer (the tunnel does).
    RegistryUnreachable,
    /// The registry wants a login.
    RegistryAuth,
    /// The registry says that this login may not do this.
    RegistryDenied,
    /// The registry has no such repository or tag.
    ReferenceNotFound,
    /// The registry failed; its own words are in the details.
    RegistryFailed,
    /// The registry's disk is full.
    RegistryDiskFull,
    /// The registry does not list its repositories.
    CatalogueRefused,
    /// The registry does not let anyone delete.
    DeleteRefused,
    /// The registry's garbage cannot be collected: how it runs on its host does not allow it, or it failed.
    CollectRefused,
    /// The registry's certificate is not to be trusted: unknown authority, expired, another name.
    CertificateUntrusted,
    /// The registry wants a certificate from us, or does not accept ours.
    ClientCertificateNeeded,
    /// A credential helper is missing, failed or took too long.
    CredentialHelper,
    /// What arrived is not what was sent.
    DigestMismatch,
    /// Not an image reference.
    ReferenceInvalid,
    // Archives and files.
    /// Not an image archive, or a damaged one.
    ArchiveInvalid,
    /// A local file cannot be read or written.
    FileIo,
    // System settings.
    /// The hosts file cannot be changed safely; the message says why.
    HostsRefused,
    /// The hosts file changed since the plan was shown.
    HostsChanged,
    /// An engine's settings cannot be changed safely; the message names the file and says why.
    SettingsRefused,
    /// A file of settings changed since the plan was shown.
    SettingsChanged,
    /// This machine does not lead the registry's name to the registry's address.
    NameNotSetUp,
    /// The engine lacks settings without which it cannot push to the registry.
    EngineNotSetUp,
    /// Leave to change a system file was not given.
    PermissionDenied,
    // The owner.
    /// The owner went away, or there is none.
    OwnerGone,
    /// The owner is of another version, with which this program cannot speak.
    OwnerVersion,
    /// The owner cannot do that now: it is ending, in use, or busy with what must not be disturbed.
    OwnerBusy,
    /// A question needs an answer and nobody is there to give it.
    NobodyToAsk,
    /// The operating system's keyring does not work.
    Keyring,
    // Newer versions.
    /// Whoever is asked for newer versions does not answer, or answers with a failure.
    UpdateUnreachable,
    /// The answer does not name a version in the way it should.
    UpdateInvalid,
    /// The person stopped it.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// A defect of Dockline's own.
    Internal,
}

impl Code {
    /// The exit status of the command line for this error: scripts can tell the groups apart.
    ///
    /// 2 wrong use (as clap's), 3 configuration, 4 SSH, 5 host key, 6 forward, 7 engine, 8 registry, 9 files,
    /// 10 system settings, 11 owner, 12 newer versions, 130 cancelled (as a shell reports Ctrl-C), 70 a defect (`EX_SOFTWARE`).
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::InvalidArgument
            | Self::RegistryUnknown
            | Self::RegistryExists
            | Self::NotFound
            | Self::ReferenceInvalid => 2,
            Self::ConfigInvalid | Self::ConfigIo => 3,
            Self::SshHostNotFound
            | Self::SshUnreachable
            | Self::SshProtocol
            | Self::SshAuth
            | Self::SshKeyUnusable
            | Self::SshLost
            | Self::SshJump
            | Self::SshConfig => 4,
            Self::HostKeyUnknown | Self::HostKeyChanged | Self::HostKeyRevoked => 5,
            Self::RemoteClosed
            | Self::ForwardForbidden
            | Self::PortInUse
            | Self::AddressUnavailable
            | Self::Disconnected => 6,
            Self::EngineUnavailable
            | Self::EnginePermission
            | Self::ImageNotFound
            | Self::EngineFailed
            | Self::EngineCannotReach => 7,
            Self::RegistryUnreachable
            | Self::RegistryAuth
            | Self::RegistryDenied
            | Self::ReferenceNotFound
            | Self::RegistryFailed
            | Self::RegistryDiskFull
            | Self::CatalogueRefused
            | Self::DeleteRefused
            | Self::CollectRefused
            | Self::CertificateUntrusted
            | Self::ClientCertificateNeeded
            | Self::CredentialHelper
            | Self::DigestMismatch => 8,
            Self::ArchiveInvalid | Self::FileIo => 9,
            Self::HostsRefused
            | Self::HostsChanged
            | Self::SettingsRefused
            | Self::SettingsChanged
            | Self::NameNotSetUp
            | Self::EngineNotSetUp
            | Self::PermissionDenied => 10,
            Self::OwnerGone
            | Self::OwnerVersion
            | Self::OwnerBusy
            | Self::NobodyToAsk
            | Self::Keyring
            | Self::TimedOut => 11,
            Self::UpdateUnreachable | Self::UpdateInvalid => 12,
            Self::Cancelled => 130,
            Self::Internal => 70,
        }
    }
}

/// An error as every face shows it. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct UiError {
    /// What to switch on.
    pub code: Code,
    /// What happened and why: whole sentences.
    pub message: String,
    /// What to do about it: whole sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Somebody else's own words (the engine's, the registry's), for a bug report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

impl UiError {
    /// An error without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, details: None }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the original words.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }
}
