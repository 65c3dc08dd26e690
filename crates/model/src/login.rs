//! Who we are at a registry, and how we got in.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that nobody is to see: `Debug` never shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes it in.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for whoever has to send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How a registry lets people in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LoginScheme {
    /// It does not ask.
    None,
    /// Name and password with every request (RFC 7617).
    Basic,
    /// Tokens of a server of its own (distribution's token specification).
    Token {
        /// Where the tokens come from.
        realm: String,
    },
}

/// Where a name and password were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum CredentialOrigin {
    /// Dockline's own entry in the system's keyring.
    Keyring,
    /// `auths` in Docker's `config.json`.
    DockerConfig,
    /// A credential helper that Docker's `config.json` names.
    Helper {
        /// `docker-credential-NAME`'s NAME.
        name: String,
    },
    /// Given just now, and kept only until Dockline ends.
    Session,
}

/// How a registry is reached and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct AccessView {
    /// What it is called in references: `cr.boss.org:5000`.
    pub authority: String,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// How it lets people in.
    pub scheme: LoginScheme,
    /// As whom; `None` where nobody is logged in. After a logout: as whom all the same, by a login of Docker's.
    pub user: Option<String>,
    /// Where that login was found.
    pub origin: Option<CredentialOrigin>,
}
