//! Private key files: reading, judging and decrypting them.

use crate::error::TunnelError;
use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A key file as far as it can be read without a passphrase.
pub(super) struct KeyFile {
    pub path: PathBuf,
    /// The public half; an encrypted file of the old PEM format shows none unless there is a `.pub` beside it.
    pub public: Option<PublicKey>,
    pub secret: KeySecret,
    /// `PATH-cert.pub`, if there is one.
    pub certificate: Option<Certificate>,
}

/// The private half.
pub(super) enum KeySecret {
    /// Ready to sign.
    Plain(Arc<PrivateKey>),
    /// The file's text, still encrypted.
    Encrypted(String),
    /// `IdentityFile` names a public key: the private one is the agent's.
    InAgent,
}

/// Reads a key file. `Ok(None)` if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<KeyFile>, TunnelError> {
    let unusable = |reason: String| TunnelError::KeyUnusable { path: path.to_owned(), reason };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The private half may be in the agent alone, with the public one as a file.
            return Ok(read_public(path).map(|public| KeyFile {
                path: path.to_owned(),
                public: Some(public),
                secret: KeySecret::InAgent,
                certificate: None,
            }));
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(unusable("it is not a private key".to_owned()));
        }
        Err(error) => return Err(unusable(error.to_string())),
    };
    if let Ok(public) = PublicKey::from_openssh(text.trim()) {
        return Ok(Some(KeyFile {
            path: path.to_owned(),
            public: Some(public),
            secret: KeySecret::InAgent,
            certificate: None,
        }));
    }
    check_permissions(path)?;
    let certificate = std::fs::read_to_string(with_suffix(path, "-cert.pub"))
        .ok()
        .and_then(|text| Certificate::from_openssh(text.trim()).ok());
    let (public, secret) = match PrivateKey::from_openssh(&text) {
        Ok(key) if key.is_encrypted() => (Some(key.public_key().clone()), KeySecret::Encrypted(text)),
        Ok(key) => (Some(key.public_key().clone()), KeySecret::Plain(Arc::new(key))),
        Err(_) if text.contains("ENCRYPTED") => (read_public(path), KeySecret::Encrypted(text)),
        Err(_) => {
            let key = decode_secret_key(&text, None)
                .map_err(|_| unusable("it is not a private key of a kind that Dockline knows".to_owned()))?;
            (Some(key.public_key().clone()), KeySecret::Plain(Arc::new(key)))
        }
    };
    Ok(Some(KeyFile { path: path.to_owned(), public, secret, certificate }))
}

/// Decrypts a key file's text; `None` if the passphrase is wrong. Off the runtime's threads: the key derivation is
/// slow on purpose.
pub(super) async fn decrypt(text: &str, passphrase: &SecretString) -> Option<Arc<PrivateKey>> {
    let (text, passphrase) = (text.to_owned(), passphrase.clone());
    let decrypting =
        tokio::task::spawn_blocking(move || decode_secret_key(&text, Some(passphrase.expose_secret())));
    decrypting.await.ok()?.ok().map(Arc::new)
}

fn read_public(path: &Path) -> Option<PublicKey> {
    let text = std::fs::read_to_string(with_suffix(path, ".pub")).ok()?;
    PublicKey::from_openssh(text.trim()).ok()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// As `ssh`, which ignores a private key that others may read.
#[cfg(unix)]
fn check_permissions(path: &Path) -> Result<(), TunnelError> {
    use std::os::unix::fs::PermissionsExt as _;
    match path.metadata() {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Err(TunnelError::KeyUnusable {
            path: path.to_owned(),
            reason: format!("other users may read it; `chmod 600 {}` mends that", path.display()),
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_permissions(_: &Path) -> Result<(), TunnelError> {
    Ok(())
}
