//! Why a host is not trusted.

/// Why an unknown host was not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody was there to be asked.
    NobodyAsked,
    /// A person was asked, and said no.
    Refused,
    /// `StrictHostKeyChecking yes` keeps anybody from being asked.
    Strict,
}

/// What is wrong with a host's certificate (OpenSSH's PROTOCOL.certkeys).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// It is a user's.
    #[error("it is not a host's certificate")]
    NotForHosts,
    /// Its time has not come.
    #[error("its time has not come yet")]
    NotYetValid,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// It is for other hosts.
    #[error("it is for {}, not for {wanted}", names.join(", "))]
    OtherNames {
        /// The hosts it is for.
        names: Vec<String>,
        /// The one that was asked for.
        wanted: String,
    },
    /// It has conditions that Dockline does not know.
    #[error("it has conditions that Dockline does not know ({0})")]
    CriticalOptions(String),
    /// It is signed with an algorithm that is not allowed (`CASignatureAlgorithms`).
    #[error("it is signed with {0}, which is not allowed")]
    SignatureAlgorithm(String),
    /// The signature is not its authority's.
    #[error("its signature is wrong")]
    Signature,
}
