//! The file that `RevokedHostKeys` names (ssh_config(5)): a plain list of keys, or a key revocation list as
//! `ssh-keygen -k` makes it (OpenSSH's PROTOCOL.krl).
//!
//! A file that cannot be read as either refuses every key: it may be the one that revokes this one.

use super::key::{self, Key};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

const MAGIC: &[u8] = b"SSHKRL\n\0";
const FORMAT_VERSION: u32 = 1;

const SECTION_CERTIFICATES: u8 = 1;
const SECTION_EXPLICIT_KEY: u8 = 2;
const SECTION_FINGERPRINT_SHA1: u8 = 3;
const SECTION_FINGERPRINT_SHA256: u8 = 5;
const SECTION_EXTENSION: u8 = 255;

const CERTIFICATES_SERIAL_LIST: u8 = 0x20;
const CERTIFICATES_SERIAL_RANGE: u8 = 0x21;
const CERTIFICATES_SERIAL_BITMAP: u8 = 0x22;
const CERTIFICATES_KEY_ID: u8 = 0x23;
const CERTIFICATES_EXTENSION: u8 = 0x39;

/// Why a list of revoked keys could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// A plain list with a line that is no key.
    #[error("line {0} of it is not a key")]
    NotAKey(usize),
    /// A key revocation list that ends too early or contradicts itself.
    #[error("it is a damaged key revocation list")]
    Damaged,
    /// A key revocation list with a part that Dockline does not know.
    #[error("it is a key revocation list with a part of kind {0}, which Dockline cannot read")]
    UnknownSection(u8),
    /// A key revocation list of another format.
    #[error("it is a key revocation list of version {0}, which Dockline cannot read")]
    UnknownVersion(u32),
}

/// What a revocation list may say about a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The key that signed it.
    pub authority: Key,
    /// The number its authority gave it; 0 is none.
    pub serial: u64,
    /// The name its authority gave it.
    pub key_id: String,
}

/// The keys and certificates that must not be trusted, whatever known_hosts says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RevokedKeys {
    blobs: Vec<Vec<u8>>,
    sha1: Vec<[u8; 20]>,
    sha256: Vec<[u8; 32]>,
    certificates: Vec<RevokedCertificates>,
}

/// Certificates of one authority, or of any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct RevokedCertificates {
    authority: Option<Vec<u8>>,
    /// Both ends included.
    serials: Vec<(u64, u64)>,
    key_ids: Vec<Vec<u8>>,
}

impl RevokedKeys {
    /// Reads a file's content.
    ///
    /// # Errors
    /// Anything that is not fully understood: then nothing may be trusted.
    pub fn parse(content: &[u8]) -> Result<Self, RevocationError> {
        match content.strip_prefix(MAGIC) {
            Some(rest) => Self::parse_binary(&mut Reader(rest)),
            None => Self::parse_list(content),
        }
    }

    fn parse_list(content: &[u8]) -> Result<Self, RevocationError> {
        let mut revoked = Self::default();
        for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
            let line = key::trim_blank(line.split(|byte| *byte == 0).next().unwrap_or_default());
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let written = key::read_text(line).ok_or(RevocationError::NotAKey(index + 1))?;
            revoked.blobs.push(written.key.blob().to_owned());
        }
        Ok(revoked)
    }

    fn parse_binary(list: &mut Reader<'_>) -> Result<Self, RevocationError> {
        let version = list.u32()?;
        if version != FORMAT_VERSION {
            return Err(RevocationError::UnknownVersion(version));
        }
        // The list's own number, its date, and flags of which none is defined.
        let (_, _, _) = (list.u64()?, list.u64()?, list.u64()?);
        let (_reserved, _comment) = (list.string()?, list.string()?);
        let mut revoked = Self::default();
        while !list.0.is_empty() {
            let kind = list.u8()?;
            let section = &mut Reader(list.string()?);
            match kind {
                SECTION_CERTIFICATES => revoked.certificates.push(certificates(section)?),
                SECTION_EXPLICIT_KEY => {
                    while !section.0.is_empty() {
                        revoked.blobs.push(section.string()?.to_owned());
                    }
                }
                SECTION_FINGERPRINT_SHA1 => {
                    while !section.0.is_empty() {
                        revoked.sha1.push(section.hash()?);
                    }
                }
                SECTION_FINGERPRINT_SHA256 => {
                    while !section.0.is_empty() {
                        revoked.sha256.push(section.hash()?);
                    }
                }
                SECTION_EXTENSION => extension(section)?,
                // A signature (4) among them: it would have to be checked.
                unknown => return Err(RevocationError::UnknownSection(unknown)),
            }
        }
        Ok(revoked)
    }

    /// Whether a key must not be trusted, or the certificate around it.
    #[must_use]
    pub fn revokes(&self, key: &Key, certificate: Option<&CertificateFacts>) -> bool {
        self.revokes_key(key)
            || certificate.is_some_and(|certificate| {
                self.revokes_key(&certificate.authority)
                    || self.certificates.iter().any(|revoked| revoked.includes(certificate))
            })
    }

    fn revokes_key(&self, key: &Key) -> bool {
        self.blobs.iter().any(|blob| blob == key.blob())
            || (!self.sha1.is_empty() && self.sha1.contains(&Sha1::digest(key.blob()).into()))
            || (!self.sha256.is_empty() && self.sha256.contains(&Sha256::digest(key.blob()).into()))
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl RevokedCertificates {
    fn includes(&self, certificate: &CertificateFacts) -> bool {
        let is_theirs = self.authority.as_ref().is_none_or(|blob| blob == certificate.authority.blob());
        // 0 is what an authority that does not number its certificates writes.
        let by_serial = certificate.serial != 0
            && self.serials.iter().any(|(low, high)| (*low..=*high).contains(&certificate.serial));
        is_theirs && (by_serial || self.key_ids.iter().any(|id| id == certificate.key_id.as_bytes()))
    }
}

fn certificates(section: &mut Reader<'_>) -> Result<RevokedCertificates, RevocationError> {
    let authority = section.string()?;
    let _reserved = section.string()?;
    let mut revoked = RevokedCertificates::default();
    if !authority.is_empty() {
        revoked.authority = Some(key::read(authority).ok_or(RevocationError::Damaged)?.key.blob().to_owned());
    }
    while !section.0.is_empty() {
        let kind = section.u8()?;
        let part = &mut Reader(section.string()?);
        match kind {
            CERTIFICATES_SERIAL_LIST => {
                while !part.0.is_empty() {
                    let serial = part.u64()?;
                    revoked.serials.push((serial, serial));
                }
            }
            CERTIFICATES_SERIAL_RANGE => {
                revoked.serials.push((part.u64()?, part.u64()?));
                part.end()?;
            }
            CERTIFICATES_SERIAL_BITMAP => {
                let (offset, bitmap) = (part.u64()?, part.string()?);
                part.end()?;
                for (index, byte) in bitmap.iter().rev().enumerate() {
                    for bit in (0..8_u64).filter(|bit| byte >> bit & 1 == 1) {
                        let serial =
                            offset.checked_add(index as u64 * 8 + bit).ok_or(RevocationError::Damaged)?;
                        revoked.serials.push((serial, serial));
                    }
                }
            }
            CERTIFICATES_KEY_ID => {
                while !part.0.is_empty() {
                    revoked.key_ids.push(part.string()?.to_owned());
                }
            }
            CERTIFICATES_EXTENSION => extension(part)?,
            unknown => return Err(RevocationError::UnknownSection(unknown)),
        }
    }
    Ok(revoked)
}

/// An extension may be passed over unless it says that it must not.
fn extension(section: &mut Reader<'_>) -> Result<(), RevocationError> {
    let _name = section.string()?;
    let is_critical = section.u8()? != 0;
    let _content = section.string()?;
    section.end()?;
    if is_critical { Err(RevocationError::UnknownSection(SECTION_EXTENSION)) } else { Ok(()) }
}

/// Reads SSH's encodings (RFC 4251 §5) from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], RevocationError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(RevocationError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RevocationError> {
        self.take(N)?.try_into().map_err(|_| RevocationError::Damaged)
    }

    fn u8(&mut self) -> Result<u8, RevocationError> {
        self.array().map(u8::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, RevocationError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, RevocationError> {
        self.array().map(u64::from_be_bytes)
    }

    fn string(&mut self) -> Result<&'a [u8], RevocationError> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    fn hash<const N: usize>(&mut self) -> Result<[u8; N], RevocationError> {
        self.string()?.try_into().map_err(|_| RevocationError::Damaged)
    }

    fn end(&self) -> Result<(), RevocationError> {
        if self.0.is_empty() { Ok(()) } else { Err(RevocationError::Damaged) }
    }
}

#[cfg(test)]
mod tests;
