//! Certificates of private authorities: the one kind of text from outside that ends up in a file, and so taken apart
//! and written anew.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::{fmt, str::FromStr};

/// The longest bundle that is accepted, in bytes; a certificate has about 2,000.
const LONGEST: usize = 64 * 1024;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// One or more X.509 certificates. Keeps their DER only: whatever else stood in the text is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaCertificate(Vec<Vec<u8>>);

/// A text that holds no certificate, or more than certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCertificate {
    /// Too long.
    #[error("the certificate file is longer than 64 KiB")]
    TooLong,
    /// None there.
    #[error("there is no certificate in it (-----BEGIN CERTIFICATE-----)")]
    None,
    /// A key, or something else that must not be handed around.
    #[error("it holds something else than certificates; give only the authority's certificate")]
    Other,
    /// The base64 or the DER around it does not read.
    #[error("a certificate in it is damaged")]
    Damaged,
}

impl CaCertificate {
    /// SHA-256 of the first certificate, as browsers show it: `AB:CD:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = self.0.first().map(sha2::Sha256::digest).unwrap_or_default();
        hash.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// The first certificate.
    pub(crate) fn first_der(&self) -> &[u8] {
        self.0.first().map(Vec::as_slice).unwrap_or_default()
    }

    /// PEM (RFC 7468): 64 characters a line, `\n`.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.iter().map(|der| one_pem(der)).collect()
    }
}

fn one_pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("{BEGIN}\n");
    // Base64 is ASCII, so any place is a boundary.
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + END + "\n"
}

impl FromStr for CaCertificate {
    type Err = InvalidCertificate;

    fn from_str(text: &str) -> Result<Self, InvalidCertificate> {
        if text.len() > LONGEST {
            return Err(InvalidCertificate::TooLong);
        }
        if text.matches("-----BEGIN ").count() != text.matches(BEGIN).count() {
            return Err(InvalidCertificate::Other);
        }
        let certificates = text
            .split(BEGIN)
            .skip(1)
            .map(|part| {
                let (body, _) = part.split_once(END).ok_or(InvalidCertificate::Damaged)?;
                let base64: String = body.split_ascii_whitespace().collect();
                let der = STANDARD.decode(base64).map_err(|_| InvalidCertificate::Damaged)?;
                if is_one_sequence(&der) { Ok(der) } else { Err(InvalidCertificate::Damaged) }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() { Err(InvalidCertificate::None) } else { Ok(Self(certificates)) }
    }
}

/// Whether `der` is one SEQUENCE to its last byte (X.690 §8.9), as every certificate is. Whether its contents make
/// sense is for the engine to say: it fails closed.
fn is_one_sequence(der: &[u8]) -> bool {
    let (length, header) = match der {
        [0x30, short, ..] if *short < 0x80 => (usize::from(*short), 2),
        [0x30, 0x81, a, ..] => (usize::from(*a), 3),
        [0x30, 0x82, a, b, ..] => (usize::from(*a) << 8 | usize::from(*b), 4),
        [0x30, 0x83, a, b, c, ..] => (usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c), 5),
        _ => return false,
    };
    length > 0 && der.len() == header + length
}

impl fmt::Display for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pem())
    }
}

impl TryFrom<String> for CaCertificate {
    type Error = InvalidCertificate;
    fn try_from(text: String) -> Result<Self, InvalidCertificate> {
        text.parse()
    }
}

impl From<CaCertificate> for String {
    fn from(certificate: CaCertificate) -> Self {
        certificate.pem()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(der: &[u8]) -> String {
        one_pem(der)
    }

    #[test]
    fn only_certificates_survive_and_only_their_bytes() {
        let der = [&[0x30, 0x81, 0x90][..], &[7; 0x90]].concat();
        let messy = format!(
            "subject: x\n; rm -rf /\n{}\n# more\n{}",
            pem(&der).replace('\n', "\r\n"),
            pem(&[0x30, 1, 0])
        );
        let read: CaCertificate = messy.parse().unwrap();
        assert_eq!(read.pem(), pem(&der) + &pem(&[0x30, 1, 0]));
        assert_eq!(read.pem().parse::<CaCertificate>().unwrap(), read);
        assert_eq!(read.fingerprint().len(), 95);
        assert!(read.pem().lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn anything_else_is_refused() {
        let good = pem(&[0x30, 1, 0]);
        for (bad, why) in [
            (String::new(), InvalidCertificate::None),
            (
                good.clone() + "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n",
                InvalidCertificate::Other,
            ),
            (pem(&[0x30, 2, 0]), InvalidCertificate::Damaged),
            (pem(&[0x31, 1, 0]), InvalidCertificate::Damaged),
            (good.replace("MA", "M*"), InvalidCertificate::Damaged),
            (format!("{BEGIN}\nMAEA\n"), InvalidCertificate::Damaged),
            ("x".repeat(LONGEST + 1), InvalidCertificate::TooLong),
        ] {
            assert_eq!(bad.parse::<CaCertificate>().unwrap_err(), why, "{bad}");
        }
    }
}
