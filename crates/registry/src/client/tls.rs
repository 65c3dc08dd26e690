//! TLS to the registry: whom to trust, what to show, and what a refusal means.

use crate::{FileOperation, RegistryError};
use reqwest::{Certificate, Identity};
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::{error::Error, io, path::PathBuf, sync::Once};

/// Whom to trust and what to show, in PEM files. All empty: the system's authorities, and nothing.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// The private authority that signed the registry's certificate: it alone is trusted.
    pub authority: Option<PathBuf>,
    /// Authorities to trust beside the system's (Docker's `certs.d`).
    pub more_authorities: Vec<PathBuf>,
    /// Our own certificate, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    /// Whether somebody took the trouble to set TLS up for this registry: it speaks TLS then. Docker's folder says nothing,
    /// since it may be left over from before the registry had a tunnel.
    pub(super) fn is_set(&self) -> bool {
        self.authority.is_some() || self.identity.is_some()
    }

    /// Takes all of it over into an HTTP client that is being made. Reads files, which are small.
    pub(super) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, RegistryError> {
        provide();
        let mut builder = builder;
        if let Some(path) = &self.authority {
            builder = builder.tls_certs_only(certificates(path)?);
        } else if !self.more_authorities.is_empty() {
            let mut more = Vec::new();
            for path in &self.more_authorities {
                more.extend(certificates(path)?);
            }
            builder = builder.tls_certs_merge(more);
        }
        if let Some((certificate, key)) = &self.identity {
            let mut pem = read(certificate)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            let identity = Identity::from_pem(&pem)
                .map_err(|source| RegistryError::CertificateFile { path: certificate.clone(), source })?;
            // What is wrong with it shows when a client is made with it, and must not be taken for a defect of ours.
            let alone = reqwest::Client::builder().tls_certs_only([]).identity(identity.clone()).build();
            alone.map_err(|source| RegistryError::ClientIdentity {
                path: certificate.clone(),
                flaw: own_flaw(&source),
            })?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }
}

/// The cryptography that russh brings as well; reqwest asks for one to be chosen for the whole process.
pub fn provide() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        // Whoever chose before us chose well enough.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn read(path: &PathBuf) -> Result<Vec<u8>, RegistryError> {
    std::fs::read(path).map_err(|source| RegistryError::File {
        operation: FileOperation::Read,
        path: path.clone(),
        source,
    })
}

fn certificates(path: &PathBuf) -> Result<Vec<Certificate>, RegistryError> {
    Certificate::from_pem_bundle(&read(path)?)
        .map_err(|source| RegistryError::CertificateFile { path: path.clone(), source })
}

/// Why a certificate of ours cannot be shown.
fn own_flaw(error: &reqwest::Error) -> String {
    match find(error) {
        Some(TlsError::InvalidCertificate(CertificateError::Other(other)))
            if other.to_string().contains("UnsupportedCertVersion") =>
        {
            "it is of X.509 version 1, and TLS libraries take version 3".to_owned()
        }
        Some(TlsError::InconsistentKeys(_)) => "the key is another certificate's".to_owned(),
        Some(other) => other.to_string(),
        None => error.to_string(),
    }
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFlaw {
    /// Nobody that is trusted signed it.
    UnknownAuthority,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// It is for other names.
    OtherName,
    /// Something rarer, in the library's words.
    Other(String),
}

impl std::fmt::Display for CertificateFlaw {
    /// Fits behind "cannot be trusted: ".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "no authority that this machine trusts has signed it",
            Self::Expired => "it has expired",
            Self::NotYetValid => "it is not valid yet",
            Self::OtherName => "it was made for another name",
            Self::Other(words) => words,
        })
    }
}

/// What TLS has to say about a failed request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Theirs is not to be trusted.
    Theirs(CertificateFlaw),
    /// Ours is missing or not accepted.
    Ours,
    /// What answers does not speak TLS.
    NotTls,
}

/// `None` if it was not about TLS.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library may add kinds of errors; they are told in its words"
)]
pub(super) fn verdict(error: &reqwest::Error) -> Option<Verdict> {
    let error = find(error)?;
    Some(match error {
        TlsError::InvalidCertificate(flaw) => Verdict::Theirs(self::flaw(flaw)),
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied,
        ) => Verdict::Ours,
        TlsError::InvalidMessage(_) => Verdict::NotTls,
        other => Verdict::Theirs(CertificateFlaw::Other(other.to_string())),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "as above")]
fn flaw(error: &CertificateError) -> CertificateFlaw {
    match error {
        CertificateError::UnknownIssuer => CertificateFlaw::UnknownAuthority,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFlaw::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFlaw::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFlaw::OtherName
        }
        other => CertificateFlaw::Other(other.to_string()),
    }
}

/// The TLS error inside: `io::Error` hides what it wraps from [`Error::source`].
fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return Some(tls);
        }
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(tls) = find(inner)
        {
            return Some(tls);
        }
        next = error.source();
    }
    None
}
