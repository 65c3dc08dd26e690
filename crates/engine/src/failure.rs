//! What a request that failed is to the rest of the crate.

use crate::{Cause, EngineEndpoint, EngineError, Operation, cause::Toward, progress::Evidence};
use bollard::errors::Error;
use std::io;

pub(crate) fn broken_off(operation: Operation, reference: &str, source: Option<hyper::Error>) -> EngineError {
    EngineError::BrokenOff { operation, reference: reference.to_owned(), source }
}

pub(crate) fn refusal(
    operation: Operation,
    reference: &str,
    words: String,
    evidence: Evidence,
) -> EngineError {
    let toward = if operation == Operation::Push { Toward::Registry } else { Toward::Engine };
    let cause = Cause::of(&words, toward, evidence);
    EngineError::Refused { operation, reference: reference.to_owned(), cause, words }
}

pub(crate) fn request_failed(
    endpoint: &EngineEndpoint,
    operation: Operation,
    reference: Option<&str>,
    error: Error,
) -> EngineError {
    match (error, reference) {
        (Error::IOError { err }, _) if is_refused_dial(&err) => {
            EngineError::Connect { endpoint: endpoint.clone(), source: err }
        }
        (Error::DockerResponseServerError { message, .. }, Some(reference)) => {
            refusal(operation, reference, message, Evidence::default())
        }
        (other, _) => EngineError::Request { operation, source: Box::new(other) },
    }
}

/// Whether it is the connection that failed: nothing else in a request ends in one of these.
fn is_refused_dial(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::Unsupported
    )
}
