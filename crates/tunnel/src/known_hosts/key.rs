//! Public keys as known_hosts and revocation lists compare them: by type and content, whatever certificate is
//! wrapped around them.

use russh::keys::{Certificate, HashAlg, PublicKey, PublicKeyOrCertificate, ssh_key::public::KeyData};

/// What every certificate's type ends in (OpenSSH's PROTOCOL.certkeys).
const CERTIFICATE_SUFFIX: &str = "-cert-v01@openssh.com";
/// OpenSSH does not read smaller RSA keys (`SSH_RSA_MINIMUM_MODULUS_SIZE`).
const SMALLEST_RSA_BITS: u32 = 1024;

/// A public key without its comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    key_type: String,
    blob: Vec<u8>,
    fingerprint: String,
}

impl Key {
    /// Its type as in known_hosts: `ssh-ed25519`, `ssh-rsa`, …
    #[must_use]
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// The key as it travels (RFC 4253 §6.6).
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The key that a host showed, or the one in the certificate that it showed. `None` for keys that OpenSSH would
    /// not read either.
    #[must_use]
    pub fn shown(shown: &PublicKeyOrCertificate) -> Option<Self> {
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => Self::of(key.key_data()),
            PublicKeyOrCertificate::Certificate(certificate) => Self::of(certificate.public_key()),
        }
    }

    /// The key in `data`. `None` for kinds that are not known, and for RSA keys that are too small.
    #[must_use]
    pub fn of(data: &KeyData) -> Option<Self> {
        if matches!(data, KeyData::Other(_) | KeyData::Certificate(_)) {
            return None;
        }
        if data.rsa().is_some_and(|rsa| rsa.key_size() < SMALLEST_RSA_BITS) {
            return None;
        }
        let key = PublicKey::new(data.clone(), "");
        let key_type = match data {
            // The hash of a signature is no part of the key (RFC 8332 §3).
            KeyData::Rsa(_) => "ssh-rsa".to_owned(),
            KeyData::Dsa(_)
            | KeyData::Ecdsa(_)
            | KeyData::Ed25519(_)
            | KeyData::SkEcdsaSha2NistP256(_)
            | KeyData::SkEd25519(_)
            | KeyData::Certificate(_)
            | KeyData::Other(_)
            | _ => key.algorithm().as_str().to_owned(),
        };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        Some(Self { key_type, blob: key.to_bytes().ok()?, fingerprint })
    }
}

/// What stands in a file: a key, or a certificate with a key in it.
pub(super) struct WrittenKey {
    pub key: Key,
    pub is_certificate: bool,
}

/// Reads a key as it travels. Nothing may follow it.
pub(super) fn read(blob: &[u8]) -> Option<WrittenKey> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let written_type = std::str::from_utf8(rest.get(..u32::from_be_bytes(*length) as usize)?).ok()?;
    // A certificate's authority may be a certificate again for the library's reader, which has no limit of depth.
    let marker = CERTIFICATE_SUFFIX.as_bytes();
    if blob.windows(marker.len()).filter(|window| *window == marker).count() > 1 {
        return None;
    }
    if written_type.ends_with(CERTIFICATE_SUFFIX) {
        let certificate = Certificate::from_bytes(blob).ok()?;
        return Some(WrittenKey { key: Key::of(certificate.public_key())?, is_certificate: true });
    }
    let key = PublicKey::from_bytes(blob).ok()?;
    Some(WrittenKey { key: Key::of(key.key_data())?, is_certificate: false })
}

/// Reads `TYPE BASE64…`, the part of a line that `authorized_keys`, known_hosts and lists of revoked keys share
/// (`sshkey_read` of OpenSSH). A type that contradicts the key makes it unreadable.
pub(super) fn read_text(text: &[u8]) -> Option<WrittenKey> {
    let (written_type, rest) = split_word(text);
    let (blob, _) = split_word(rest);
    let written_type = std::str::from_utf8(written_type).ok()?;
    // OpenSSH's decoder passes over white space, which a line that ends in CR LF has at its end.
    let blob: Vec<u8> = blob.iter().copied().filter(|byte| !is_c_space(*byte)).collect();
    let read = read(&base64::Engine::decode(&base64::engine::general_purpose::STANDARD, blob).ok()?)?;
    let (plain_type, says_certificate) = match written_type.strip_suffix(CERTIFICATE_SUFFIX) {
        Some("sk-ssh-ed25519") => ("sk-ssh-ed25519@openssh.com", true),
        Some("sk-ecdsa-sha2-nistp256") => ("sk-ecdsa-sha2-nistp256@openssh.com", true),
        Some(plain) => (plain, true),
        None => (written_type, false),
    };
    // The names of signatures with RSA keys are taken for the key's.
    let plain_type =
        if matches!(plain_type, "rsa-sha2-256" | "rsa-sha2-512") { "ssh-rsa" } else { plain_type };
    (plain_type == read.key.key_type && says_certificate == read.is_certificate).then_some(read)
}

/// The text up to the next blank or tab, and what follows all of those.
pub(super) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(is_blank).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, trim_blank(rest))
}

/// Without blanks and tabs in front.
pub(super) fn trim_blank(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    &text[start..]
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// C's `isspace`, which unlike Rust's counts the vertical tab.
fn is_c_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
