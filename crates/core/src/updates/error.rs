//! Why a question was not answered.

use dockline_model::{Code, UiError, sentence};

/// What goes wrong with asking for newer versions.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    /// No address is set.
    #[error("no address is set to ask for newer versions")]
    NoAddress,
    /// The HTTP client cannot be made.
    #[error("no connection can be made to ask for newer versions")]
    Setup {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It cannot be reached, or the connection broke off.
    #[error("{place} does not answer when it is asked for newer versions")]
    Unreachable {
        /// Who.
        place: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It took too long.
    #[error("{place} did not say within {seconds} s whether there is a newer version")]
    TimedOut {
        /// Who.
        place: String,
        /// How long it had.
        seconds: u64,
    },
    /// It answers with a failure.
    #[error("{place} answers with HTTP {status} when it is asked for newer versions")]
    Status {
        /// Who.
        place: String,
        /// The status.
        status: u16,
    },
    /// It sends us where we do not go.
    #[error("{place} sends on to an address that is not asked for newer versions")]
    Onward {
        /// Who.
        place: String,
        /// Where to, in its words.
        to: String,
    },
    /// It sends us on again and again.
    #[error("{place} sends on too often when it is asked for newer versions")]
    Circle {
        /// Who.
        place: String,
    },
    /// More than a document about a version can have.
    #[error("the answer of {place} is longer than {kib} KiB, and was not read")]
    TooLarge {
        /// Who.
        place: String,
        /// How long one may be.
        kib: usize,
    },
    /// Not JSON, or not with what it takes.
    #[error("the answer of {place} does not name a version")]
    Document {
        /// Who.
        place: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Not a version.
    #[error("the answer of {place} names a version that cannot be compared")]
    Version {
        /// Who.
        place: String,
        /// What it names.
        text: String,
        /// Why.
        #[source]
        source: semver::Error,
    },
    /// A page that is not to be opened.
    #[error("the answer of {place} leads to a page that is not to be opened")]
    Page {
        /// Who.
        place: String,
        /// The page, in its words.
        url: String,
    },
}

/// Whose mistake it is, and what they can do.
const FOR_ITS_KEEPER: &str = "Tell whoever keeps that document: it has a “version” such as 1.2.0 and the “url” of a page (https), \
                              and may have “notes”.";

impl From<&UpdateError> for UiError {
    fn from(error: &UpdateError) -> Self {
        let message = match error {
            // They begin with a host, which may have no dot to tell it from a word.
            UpdateError::Unreachable { .. }
            | UpdateError::TimedOut { .. }
            | UpdateError::Status { .. }
            | UpdateError::Onward { .. }
            | UpdateError::Circle { .. } => format!("{error}."),
            UpdateError::NoAddress
            | UpdateError::Setup { .. }
            | UpdateError::TooLarge { .. }
            | UpdateError::Document { .. }
            | UpdateError::Version { .. }
            | UpdateError::Page { .. } => sentence(error),
        };
        let ui = |code| Self::new(code, message);
        match error {
            UpdateError::NoAddress => ui(Code::InvalidArgument)
                .hint("Set one: dockline settings set update-url https://…"),
            UpdateError::Setup { source } => ui(Code::Internal).details(root_cause(source)),
            UpdateError::Unreachable { source, .. } => ui(Code::UpdateUnreachable)
                .hint("Check the network, and the address in the settings; nothing else depends on it.")
                .details(root_cause(source)),
            UpdateError::TimedOut { .. } => {
                ui(Code::TimedOut).hint("Try again later; nothing else depends on it.")
            }
            UpdateError::Status { .. } => ui(Code::UpdateUnreachable)
                .hint("Check the address in the settings; nothing else depends on it."),
            UpdateError::Onward { to, .. } => ui(Code::UpdateUnreachable)
                .hint("Only https is asked, and nothing on this machine for somebody elsewhere. Set the address of the document itself.")
                .details(short(to)),
            UpdateError::Circle { .. } => {
                ui(Code::UpdateUnreachable).hint("Set the address of the document itself.")
            }
            UpdateError::TooLarge { .. } => ui(Code::UpdateInvalid)
                .hint("Check that the address in the settings is that of the document, not of a page or a program."),
            UpdateError::Document { source, .. } => {
                ui(Code::UpdateInvalid).hint(FOR_ITS_KEEPER).details(source.to_string())
            }
            UpdateError::Version { text, source, .. } => {
                ui(Code::UpdateInvalid).hint(FOR_ITS_KEEPER).details(format!("{}: {source}", short(text)))
            }
            UpdateError::Page { url, .. } => {
                ui(Code::UpdateInvalid).hint(FOR_ITS_KEEPER).details(short(url))
            }
        }
    }
}

/// Somebody else's words, as long as a report can have them, and without what moves a terminal's cursor.
fn short(words: &str) -> String {
    const LONGEST: usize = 200;
    words.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

/// reqwest's outer sentences say nothing; the innermost does.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
