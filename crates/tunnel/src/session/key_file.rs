//! Private key files: reading, judging and decrypting them.

use crate::error::TunnelError;
use base64::{Engine as _, engine::general_purpose::STANDARD};
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
                certificate: read_certificate(&with_suffix(path, "-cert.pub")),
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
            certificate: certificate_of_public(path),
        }));
    }
    check_permissions(path)?;
    let certificate = read_certificate(&with_suffix(path, "-cert.pub"));
    let parsed = PrivateKey::from_openssh(&text).or_else(|error| {
        let padded = pad_short_scalar(&text).ok_or(error)?;
        PrivateKey::from_bytes(&padded)
    });
    let (public, secret) = match parsed {
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

/// Reads a certificate. `None` if there is none, or no readable one.
pub(super) fn read_certificate(path: &Path) -> Option<Certificate> {
    Certificate::from_openssh(std::fs::read_to_string(path).ok()?.trim()).ok()
}

/// `id_x.pub` has its certificate in `id_x-cert.pub`.
fn certificate_of_public(path: &Path) -> Option<Certificate> {
    let text = path.to_str()?;
    read_certificate(Path::new(&format!("{}-cert.pub", text.strip_suffix(".pub").unwrap_or(text))))
}

/// The container of an unencrypted ECDSA key (OpenSSH's PROTOCOL.key) with its secret number padded to the curve's
/// size. OpenSSH writes it without leading zeros, which one key in 256 has, and the library refuses those.
fn pad_short_scalar(text: &str) -> Option<Vec<u8>> {
    fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (field, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        *rest = after;
        Some(field)
    }
    fn put(out: &mut Vec<u8>, field: &[u8]) {
        out.extend((field.len() as u32).to_be_bytes());
        out.extend(field);
    }
    let armour = text.trim().strip_prefix("-----BEGIN OPENSSH PRIVATE KEY-----")?;
    let base64: String = armour.split_once("-----END")?.0.split_ascii_whitespace().collect();
    let container = STANDARD.decode(base64).ok()?;
    let magic = b"openssh-key-v1\0";
    let mut rest = container.strip_prefix(magic)?;
    let (cipher, kdf, kdf_options) = (field(&mut rest)?, field(&mut rest)?, field(&mut rest)?);
    let (count, after) = rest.split_first_chunk::<4>()?;
    rest = after;
    let (public, mut secret) = (field(&mut rest)?, field(&mut rest)?);
    let (check, after) = secret.split_first_chunk::<8>()?;
    secret = after;
    let (key_type, curve, point) = (field(&mut secret)?, field(&mut secret)?, field(&mut secret)?);
    let (scalar, comment) = (field(&mut secret)?, field(&mut secret)?);
    if cipher != b"none" || curve != b"nistp256" || scalar.len() >= 32 {
        return None;
    }
    let mut padded = check.to_vec();
    for field in [key_type, curve, point] {
        put(&mut padded, field);
    }
    put(&mut padded, &[&[0; 32][scalar.len()..], scalar].concat());
    put(&mut padded, comment);
    padded.extend((1..).take((8 - padded.len() % 8) % 8));
    let mut whole = magic.to_vec();
    for field in [cipher, kdf, kdf_options] {
        put(&mut whole, field);
    }
    whole.extend(count);
    put(&mut whole, public);
    put(&mut whole, &padded);
    Some(whole)
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
            reason: format!("other users may read it; `chmod 600 {}` fixes that", path.display()),
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Windows has access lists instead of modes; they are not looked at, and a profile's own keep other accounts out.
#[cfg(not(unix))]
fn check_permissions(_: &Path) -> Result<(), TunnelError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Made for this test by `ssh-keygen -t ecdsa`, and used nowhere: its secret number is 31 bytes long.
    const SHORT: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQQbplTvP3HrnK8irhxth4SxXbSdMxud
zQSrRuCiMCCrd28WVDfN2jJppOQ5t8IsDln7dXI+mm8LzmgXXdVj6yvhAAAAoH1ebjp9Xm
46AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBumVO8/ceucryKu
HG2HhLFdtJ0zG53NBKtG4KIwIKt3bxZUN83aMmmk5Dm3wiwOWft1cj6abwvOaBdd1WPrK+
EAAAAfC0uHZ0peE2/xY+FwGAI5QxTrS07/Jmni4K1/XDgkbwAAAAdyb290QHZtAQI=
-----END OPENSSH PRIVATE KEY-----
";

    #[test]
    fn a_key_with_a_short_secret_number_is_read() {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id_ecdsa");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(SHORT.as_bytes()).unwrap();
        let key = read(&path).unwrap().unwrap();
        assert!(matches!(key.secret, KeySecret::Plain(_)));
        assert!(key.public.unwrap().to_openssh().unwrap().starts_with("ecdsa-sha2-nistp256 "));
    }
}
