//! The parts of an error's sentence that depend on what happened.

use super::TunnelError;
use std::io;

pub(super) fn connect_reason(error: &io::Error) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::ConnectionRefused {
        "the connection was refused".to_owned()
    } else if matches!(kind, io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) {
        "there is no route to it".to_owned()
    } else {
        error.to_string()
    }
}

pub(super) fn sentences(failures: &[TunnelError]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

pub(super) fn tried_list(tried: &[String]) -> String {
    if tried.is_empty() {
        ": there was no key and no password to try".to_owned()
    } else {
        format!(" with {}", tried.join(", "))
    }
}
