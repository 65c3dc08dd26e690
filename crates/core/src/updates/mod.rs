//! Whether there is a newer version of Dockline: the address that is asked, the question, and what is kept of the answer.
//!
//! Nobody is asked unless a person switched that on or asks for it, and nothing is asked but one `GET` of a small JSON
//! document: no version, no name, no number of this installation goes out. A team can have the document on a host of its
//! own.
//!
//! ```json
//! { "version": "1.2.0", "url": "https://example.org/dockline/1.2.0", "notes": "What is new, in plain text." }
//! ```
//!
//! Nothing is downloaded or installed: a person is told, and shown the page.

mod address;
mod ask;
mod error;
mod kept;
#[cfg(test)]
mod tests;

pub(crate) use address::Address;
pub(crate) use ask::{Document, PATIENCE, ask};
pub(crate) use error::UpdateError;
pub(crate) use kept::Kept;

use semver::Version;

/// The version that runs.
pub(crate) const RUNNING: &str = env!("CARGO_PKG_VERSION");

/// Whether `version` comes after the one that runs (Semantic Versioning 2.0.0, 11: build metadata does not count).
fn is_newer_than(version: &Version, running: &str) -> bool {
    // Our own version always reads; one that did not would have everything newer than it.
    Version::parse(running).map_or(true, |running| version.cmp_precedence(&running).is_gt())
}
