//! Whether a host's certificate is valid (OpenSSH's PROTOCOL.certkeys; `sshkey_cert_check_host`).

use crate::{
    error::CertificateFault,
    known_hosts::{CertificateFacts, Key},
};
use russh::keys::{Certificate, HashAlg, ssh_key::certificate::CertType};
use std::time::{SystemTime, UNIX_EPOCH};

/// What authorities may sign with unless `CASignatureAlgorithms` says otherwise: everything but SHA-1 and DSA.
const SIGNATURE_ALGORITHMS: [&str; 8] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// A certificate, and what the files may say about it.
pub(super) struct ReadCertificate<'a> {
    certificate: &'a Certificate,
    pub facts: CertificateFacts,
}

/// `None` where the authority's key is none that can be compared.
pub(super) fn read(certificate: &Certificate) -> Option<ReadCertificate<'_>> {
    let authority = Key::of(certificate.signature_key())?;
    let facts =
        CertificateFacts { authority, serial: certificate.serial(), key_id: certificate.key_id().to_owned() };
    Some(ReadCertificate { certificate, facts })
}

/// Checks everything but whether the authority is trusted. No wildcards: `principal` has to be named as it is; a
/// certificate that names nobody is for every host.
pub(super) fn check(
    read: &ReadCertificate<'_>,
    principal: &str,
    allowed: &[String],
    now: SystemTime,
) -> Result<(), CertificateFault> {
    let certificate = read.certificate;
    let algorithm = certificate.signature().algorithm();
    let is_allowed = match allowed {
        [] => SIGNATURE_ALGORITHMS.contains(&algorithm.as_str()),
        // `ssh-rsa` is SHA-1, which nobody gets by allowing it.
        allowed => allowed.iter().any(|name| name == algorithm.as_str()) && algorithm.as_str() != "ssh-rsa",
    };
    if !is_allowed {
        return Err(CertificateFault::SignatureAlgorithm(algorithm.as_str().to_owned()));
    }
    // The library looks at the dates too; asked about the first moment of the certificate's time it has only the
    // signature to say no to, unless that time is empty.
    if certificate.valid_after() >= certificate.valid_before() {
        return Err(CertificateFault::Expired);
    }
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    if certificate.validate_at(certificate.valid_after(), [&authority]).is_err() {
        return Err(CertificateFault::Signature);
    }
    match certificate.cert_type() {
        CertType::Host => {}
        CertType::User => return Err(CertificateFault::NotForHosts),
    }
    // A clock before 1970 is wrong, and no certificate's time has come then.
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now < certificate.valid_after() {
        return Err(CertificateFault::NotYetValid);
    }
    if now >= certificate.valid_before() {
        return Err(CertificateFault::Expired);
    }
    let names = certificate.valid_principals();
    if !names.is_empty() && !names.iter().any(|name| name == principal) {
        return Err(CertificateFault::OtherNames { names: names.to_vec(), wanted: principal.to_owned() });
    }
    let critical: Vec<&str> = certificate.critical_options().keys().map(String::as_str).collect();
    if !critical.is_empty() {
        return Err(CertificateFault::CriticalOptions(critical.join(", ")));
    }
    Ok(())
}
