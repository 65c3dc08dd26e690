//! Questions that only a person can answer, and their answers.

use crate::{RegistryName, Secret};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Number of a question, unique within one owner's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PromptId(pub u64);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Question {
    /// A host never seen before. Answered by [`Answer::Trust`] or [`Answer::Refuse`].
    HostKey {
        /// As it will stand in known_hosts: `host` or `[host]:port`.
        host: String,
        /// `ssh-ed25519`.
        key_type: String,
        /// `SHA256:…`, as `ssh-keygen -l` prints it.
        fingerprint: String,
    },
    /// An encrypted key file. Answered by [`Answer::Secret`] or [`Answer::Refuse`].
    Passphrase {
        /// The key file.
        key: String,
        /// Whether the last answer was wrong.
        again: bool,
    },
    /// The server wants a password. Answered by [`Answer::Secret`] or [`Answer::Refuse`].
    Password {
        /// `user@host`.
        login: String,
        /// Whether the last answer was wrong.
        again: bool,
    },
    /// The server asks for something of its own: a one-time code, a second password (RFC 4256). Answered by
    /// [`Answer::Secret`] or [`Answer::Refuse`]; the answer is used once and never kept.
    Challenge {
        /// `user@host`.
        login: String,
        /// What the server says before it asks; often empty.
        instructions: String,
        /// What it asks: `Verification code:`.
        prompt: String,
        /// Whether the answer may be seen while it is typed.
        is_shown: bool,
        /// Whether the last answer was wrong.
        again: bool,
    },
    /// The registry itself wants a name and a password. Answered by [`Answer::Login`] or [`Answer::Refuse`].
    RegistryLogin {
        /// `cr.boss.org:5000`.
        authority: String,
        /// Whom it is about, if that is known: only the password is asked for then.
        user: Option<String>,
        /// Whether the last answer was wrong.
        again: bool,
    },
}

impl Question {
    /// Whether a passphrase or password is asked for, which a keyring could keep.
    #[must_use]
    pub fn wants_secret(&self) -> bool {
        match self {
            Self::Passphrase { .. } | Self::Password { .. } | Self::RegistryLogin { .. } => true,
            Self::HostKey { .. } | Self::Challenge { .. } => false,
        }
    }
}

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    /// Its number.
    pub id: PromptId,
    /// Which registry it is about.
    pub registry: RegistryName,
    /// What is asked.
    pub question: Question,
    /// Whether the operating system's keyring could keep the answer; where it could not, nobody is to be offered that.
    pub can_keep: bool,
}

/// An answer. `Debug` never shows a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Answer {
    /// Yes: remember this host key.
    Trust,
    /// No, or: stop asking.
    Refuse,
    /// The passphrase or password.
    Secret {
        /// The text itself.
        value: String,
        /// Whether to keep it in the operating system's keyring.
        remember: bool,
    },
    /// Name and password for a registry.
    Login {
        /// The name.
        user: String,
        /// The password or token.
        secret: Secret,
        /// Whether to keep both in the operating system's keyring.
        remember: bool,
    },
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trust => f.write_str("Trust"),
            Self::Refuse => f.write_str("Refuse"),
            Self::Secret { remember, .. } => write!(f, "Secret {{ value: …, remember: {remember} }}"),
            Self::Login { user, remember, .. } => {
                write!(f, "Login {{ user: {user:?}, secret: …, remember: {remember} }}")
            }
        }
    }
}
