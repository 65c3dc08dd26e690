//! Tests of [`super`].

use super::*;
use crate::{Operation, archive::ArchiveError};
use std::time::Duration;

/// What else ends a push says nothing of how the registry wants its layers.
#[test]
fn only_refusals_speak_against_whole_layers() {
    let operation = Operation::WriteBlob;
    let details = String::new;
    let failed = |status| RegistryError::Failed { operation, status, details: details() };
    for status in [400, 404, 411, 413, 416, 501] {
        assert!(is_refusal_of_bytes(&failed(status)), "{status}");
    }
    let denied = RegistryError::Denied { operation, user: None, details: details() };
    let not_found = RegistryError::NotFound { what: "repository app".to_owned(), details: details() };
    assert!(is_refusal_of_bytes(&denied) && is_refusal_of_bytes(&not_found));

    for status in [429, 500, 502, 503, 504] {
        assert!(!is_refusal_of_bytes(&failed(status)), "{status}");
    }
    let others = [
        RegistryError::TimedOut { operation, idle: Duration::from_secs(60) },
        RegistryError::DiskFull { details: details() },
        RegistryError::Auth { operation, details: details() },
        RegistryError::Source { source: io::Error::other("unplugged") },
        ArchiveError::Missing { name: "1/layer.tar".to_owned() }.into(),
    ];
    for error in others {
        assert!(!is_refusal_of_bytes(&error), "{error:?}");
    }
}
