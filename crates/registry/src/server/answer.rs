//! Answers and refusals, in the distribution-spec's words.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;
use std::io;

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no such endpoint")]
    Unknown,
    #[error("this registry does not do that")]
    Unsupported,
    #[error("requests of web browsers are not served")]
    Browser,
    #[error("this registry is not called {0:?}")]
    Host(String),
    #[error("repository {0} is not known here")]
    NameUnknown(String),
    #[error("blob {0} is not known in this repository")]
    BlobUnknown(String),
    #[error("manifest {0} is not known in this repository")]
    ManifestUnknown(String),
    #[error("the manifest names {0}, which this repository does not have")]
    ManifestBlobUnknown(String),
    #[error("the manifest is not one: {0}")]
    ManifestInvalid(String),
    #[error("what was sent is not what its digest says: {0}")]
    DigestInvalid(String),
    #[error("no such upload, or it was given up")]
    UploadUnknown,
    #[error("more was sent than belongs there")]
    TooLarge,
    #[error("the upload is at byte {received}, not where this chunk begins")]
    ChunkOutOfOrder { received: u64, location: String },
    #[error("no such range; the blob has {size} bytes")]
    Range { size: u64 },
    #[error("the client went away in the middle")]
    ClientGone,
    #[error("{0}")]
    Storage(#[from] io::Error),
}

impl Refusal {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "NAME_INVALID"),
            Self::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
            Self::Browser | Self::Host(_) => (StatusCode::FORBIDDEN, "DENIED"),
            Self::NameUnknown(_) => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Self::BlobUnknown(_) => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            Self::ManifestUnknown(_) => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Self::ManifestBlobUnknown(_) => (StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"),
            Self::ManifestInvalid(_) => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Self::DigestInvalid(_) => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            Self::UploadUnknown => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID"),
            Self::ChunkOutOfOrder { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            Self::Range { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID"),
            Self::ClientGone => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID"),
            Self::Storage(_) => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
        }
    }

    pub(super) fn into_response(self, is_head: bool) -> Response {
        let (status, code) = self.status_and_code();
        let message = if let Self::Storage(error) = &self {
            tracing::warn!(%error, "the built-in registry's storage failed");
            // Paths and the like stay here; that the disk is full the other side must be able to tell.
            if error.kind() == io::ErrorKind::StorageFull {
                "no space left on device".to_owned()
            } else {
                format!("the storage failed: {}", error.kind())
            }
        } else {
            self.to_string()
        };
        let body = json!({ "errors": [{ "code": code, "message": message }] });
        let mut response = json_with(status, &body);
        match self {
            Self::ChunkOutOfOrder { received, location } => {
                put(&mut response, "location", &location);
                put(&mut response, "range", &format!("0-{}", received.saturating_sub(1)));
            }
            Self::Range { size } => put(&mut response, "content-range", &format!("bytes */{size}")),
            Self::Unknown
            | Self::Unsupported
            | Self::Browser
            | Self::Host(_)
            | Self::NameUnknown(_)
            | Self::BlobUnknown(_)
            | Self::ManifestUnknown(_)
            | Self::ManifestBlobUnknown(_)
            | Self::ManifestInvalid(_)
            | Self::DigestInvalid(_)
            | Self::UploadUnknown
            | Self::TooLarge
            | Self::ClientGone
            | Self::Storage(_) => {}
        }
        if is_head {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

pub(super) fn json(value: &serde_json::Value) -> Response {
    json_with(StatusCode::OK, value)
}

fn json_with(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE.as_str(), "application/json");
    // Docker before 1.13 and some scripts tell a registry by this.
    put(&mut response, "docker-distribution-api-version", "registry/2.0");
    response
}

pub(super) fn empty(status: StatusCode, headers: &[(&'static str, &str)]) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    put(&mut response, "docker-distribution-api-version", "registry/2.0");
    for (name, value) in headers {
        put(&mut response, name, value);
    }
    response
}

pub(super) fn put(response: &mut Response, name: &str, value: &str) {
    let name = header::HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}

/// The value of `key` in a query, unescaped.
pub(super) fn query_value(query: Option<&str>, key: &str) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.into_owned())
}
