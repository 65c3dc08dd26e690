//! What an engine's words mean. Engines give no codes with a failed transfer, only sentences of Go's libraries
//! and of the registry, so this one table reads them; everything above it switches on [`Cause`].

use crate::progress::Evidence;

/// Why a transfer failed, as far as can be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The engine has no image of that name.
    NoSuchImage,
    /// The name is not a reference.
    BadReference,
    /// The registry has no such repository or tag.
    NoSuchReference,
    /// The image exists, but not for this machine's platform.
    WrongPlatform,
    /// The registry wants a login, or another one.
    LoginNeeded,
    /// The registry refuses this login, or everyone, this action.
    Denied,
    /// The registry takes no pushes.
    ReadOnly,
    /// The registry took a part of a layer and could store no more.
    RegistryDiskFull,
    /// The registry answered with a server error.
    RegistryFailed,
    /// The registry has been asked as often as it allows.
    TooManyRequests,
    /// The engine's own disk is full.
    EngineDiskFull,
    /// The engine does not know the registry's name.
    NameUnknown,
    /// Nothing listens at the registry's address as the engine sees it.
    NothingListens,
    /// The engine cannot route to that address, or goes through a proxy that cannot.
    NoRoute,
    /// The engine insists on HTTPS and the registry speaks HTTP.
    WantsHttps,
    /// The engine does not trust the registry's certificate.
    Untrusted,
    /// The registry speaks TLS, and would not with the engine: it asks for a certificate.
    WantsCertificate,
    /// The connection was accepted and then closed: the tunnel is there, the registry behind it is not.
    HungUp,
    /// The connection was lost after the registry had answered.
    Lost,
    /// No answer in time.
    NoAnswer,
    /// None of these.
    Unknown,
}

/// Whether the words came from a push or from a pull: a full disk is at the other end of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toward {
    Registry,
    Engine,
}

/// Sentences by what they mean; the first that occurs decides, so the more telling come first.
const WORDS: &[(&str, Cause)] = &[
    // dockerd image store, containerd store, Podman.
    ("does not exist locally with the tag", Cause::NoSuchImage),
    ("tag does not exist", Cause::NoSuchImage),
    ("no such image", Cause::NoSuchImage),
    ("image not known", Cause::NoSuchImage),
    // distribution/reference.
    ("invalid reference format", Cause::BadReference),
    ("invalid tag format", Cause::BadReference),
    ("repository name must be", Cause::BadReference),
    ("is not a containers-storage-transport reference", Cause::BadReference),
    // A defect of ours, though it ends in “EOF”.
    ("missing x-registry-auth", Cause::Unknown),
    ("no matching manifest for", Cause::WrongPlatform),
    ("no image found in manifest list for", Cause::WrongPlatform),
    ("no image found in image index for", Cause::WrongPlatform),
    // Transport, before the registry's own words: `net/http`, `net`, `crypto/x509`.
    ("server gave http response to https client", Cause::WantsHttps),
    ("first record does not look like a tls handshake", Cause::WantsHttps),
    // An engine that may do without TLS (loopback) has tried it first, and trusts whatever certificate there is.
    ("client sent an http request to an https server", Cause::WantsCertificate),
    ("plain http request was sent to https port", Cause::WantsCertificate),
    ("certificate required", Cause::WantsCertificate),
    ("no required ssl certificate was sent", Cause::WantsCertificate),
    // Go's servers before TLS 1.3's own word for it, of a client that showed none; what they say of one that they do not know.
    ("remote error: tls: bad certificate", Cause::WantsCertificate),
    ("remote error: tls: unknown certificate authority", Cause::WantsCertificate),
    ("x509:", Cause::Untrusted),
    ("tls: failed to verify", Cause::Untrusted),
    ("remote error: tls", Cause::Untrusted),
    ("no such host", Cause::NameUnknown),
    ("server misbehaving", Cause::NameUnknown),
    ("temporary failure in name resolution", Cause::NameUnknown),
    ("proxyconnect", Cause::NoRoute),
    ("no route to host", Cause::NoRoute),
    ("network is unreachable", Cause::NoRoute),
    ("cannot assign requested address", Cause::NoRoute),
    ("connection refused", Cause::NothingListens),
    ("actively refused", Cause::NothingListens),
    ("connection reset by peer", Cause::HungUp),
    ("forcibly closed", Cause::HungUp),
    ("broken pipe", Cause::HungUp),
    // Go was still writing when the other end closed: something had been sent, whether bars told of it or not.
    ("use of closed network connection", Cause::Lost),
    ("server closed idle connection", Cause::HungUp),
    ("i/o timeout", Cause::NoAnswer),
    ("client.timeout exceeded", Cause::NoAnswer),
    ("context deadline exceeded", Cause::NoAnswer),
    ("request canceled while waiting for connection", Cause::NoAnswer),
    ("tls handshake timeout", Cause::NoAnswer),
    ("awaiting headers", Cause::NoAnswer),
    // The registry's error codes (distribution-spec) as each engine words them.
    ("no space left on device", Cause::RegistryDiskFull),
    // The specification's code and HTTP's words for the status 429. Docker Hub words its pull limit with the former.
    ("toomanyrequests", Cause::TooManyRequests),
    ("too many requests", Cause::TooManyRequests),
    ("no basic auth credentials", Cause::LoginNeeded),
    ("authentication required", Cause::LoginNeeded),
    ("authorization failed", Cause::LoginNeeded),
    ("unauthorized", Cause::LoginNeeded),
    ("denied", Cause::Denied),
    ("insufficient_scope", Cause::Denied),
    ("403 forbidden", Cause::Denied),
    ("manifest unknown", Cause::NoSuchReference),
    ("name unknown", Cause::NoSuchReference),
    ("repository name not known", Cause::NoSuchReference),
    ("405 method not allowed", Cause::ReadOnly),
    ("statuscode: 405", Cause::ReadOnly),
    // docker-registry says it in plain text, which dockerd before 23 cannot read and later ones repeat.
    ("http 405 response", Cause::ReadOnly),
    ("method not allowed", Cause::ReadOnly),
    ("unsupported", Cause::ReadOnly),
    ("received unexpected http status: 5", Cause::RegistryFailed),
    // containerd, of a registry that could not store the end of a layer.
    ("blob upload invalid", Cause::RegistryFailed),
    ("invalid status code from registry 5", Cause::RegistryFailed),
    ("500 internal server error", Cause::RegistryFailed),
    ("502 bad gateway", Cause::RegistryFailed),
    ("503 service unavailable", Cause::RegistryFailed),
    ("504 gateway timeout", Cause::RegistryFailed),
    ("507 insufficient storage", Cause::RegistryDiskFull),
];

/// What an engine was at when it failed, which it comes to only after the registry has answered: Podman's words and
/// containerd's, and dockerd's own for the configuration. Neither tells of bytes that moved.
const AFTER_AN_ANSWER: &[&str] = &[
    // containers/image, `copy/single.go` and `image/docker_schema2.go`.
    "parsing image configuration",
    "reading blob",
    "writing blob",
    // moby, `distribution/pull_v2.go`.
    "pulling image configuration",
    // containerd, `core/remotes/handlers.go` and `core/content/helpers.go`.
    "failed to copy",
];

impl Cause {
    /// Reads `words`, with what the course of the transfer tells besides.
    pub(crate) fn of(words: &str, toward: Toward, evidence: Evidence) -> Self {
        let lower = words.to_ascii_lowercase();
        let found = WORDS.iter().find(|(phrase, _)| lower.contains(phrase)).map(|(_, cause)| *cause);
        let has_answered = evidence.bytes_moved
            || evidence.has_manifest
            || AFTER_AN_ANSWER.iter().any(|phrase| lower.contains(phrase));
        match found {
            // What the registry has answered could reach it; it has lost the way since.
            Some(Self::NothingListens | Self::HungUp | Self::NoAnswer) if has_answered => Self::Lost,
            // The full disk is where the bytes go: on a pull the words are the engine's own.
            Some(Self::RegistryDiskFull) if toward == Toward::Engine => Self::EngineDiskFull,
            // docker-registry 2.8 answers a full disk with a bare 500, which dockerd repeats without its body. A
            // registry that takes megabytes of a layer and then answers so, again and again, has run full as good
            // as always; `error` words it as the likelihood that it is.
            Some(Self::RegistryFailed)
                if toward == Toward::Registry
                    && evidence.large_layer_retried
                    && lower.contains("500 internal server error") =>
            {
                Self::RegistryDiskFull
            }
            Some(cause) => cause,
            None if lower.ends_with(": not found") => Self::NoSuchReference,
            None if lower.ends_with("eof") && has_answered => Self::Lost,
            None if lower.ends_with("eof") => Self::HungUp,
            None => Self::Unknown,
        }
    }
}
