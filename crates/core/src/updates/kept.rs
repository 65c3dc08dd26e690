//! What is kept of the answers: a file in the state folder, replaced whole.

use super::{Address, Document, RUNNING, is_newer_than};
use crate::files::replace;
use dockline_model::{Asked, Release, UiError, UnixMillis, UpdateCheck, UpdateFailure, UpdatesView};
use semver::Version;
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path, time::Duration};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// When a question that failed is asked again: the network may not have been there yet.
const AGAIN: Duration = Duration::from_secs(6 * 60 * 60);

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Who said so; an answer of somebody else's counts for nothing once another address is set.
    address: String,
    answer: Option<Answer>,
    failure: Option<UpdateFailure>,
    /// The latest version that any answer ever named: what a person may have been told of.
    #[serde(default)]
    told: Option<Version>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    at: UnixMillis,
    document: Document,
    is_news: bool,
}

impl Kept {
    /// What an earlier owner kept; nothing where that does not read, since it can be asked for again. Blocks.
    pub(crate) fn read(path: &Path) -> Self {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "what was known of newer versions cannot be read");
                }
                return Self::default();
            }
        };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was known of newer versions does not read");
            Self::default()
        })
    }

    /// Writes it down. Blocks.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        replace(path, &serde_json::to_vec(self)?)
    }

    /// Takes an answer in.
    pub(crate) fn answered(&mut self, address: &Address, now: UnixMillis, document: Document) {
        self.is_about(address);
        let is_later = self.told.as_ref().is_none_or(|told| document.version.cmp_precedence(told).is_gt());
        let is_news = is_later && is_newer_than(&document.version, RUNNING);
        if is_later {
            self.told = Some(document.version.clone());
        }
        self.answer = Some(Answer { at: now, document, is_news });
        self.failure = None;
    }

    /// Takes in that there was none. The last one stays.
    pub(crate) fn failed(&mut self, address: &Address, now: UnixMillis, error: UiError) {
        self.is_about(address);
        self.failure = Some(UpdateFailure { at: now, error });
    }

    fn is_about(&mut self, address: &Address) {
        let address = address.to_string();
        if self.address != address {
            *self = Self { address, answer: None, failure: None, told: self.told.take() };
        }
    }

    /// What a person is shown while `address` is the one that is asked, and `running` the version that runs.
    pub(crate) fn view(&self, address: Option<&str>, running: &str, asking: bool) -> UpdatesView {
        let is_of_it = address == Some(self.address.as_str());
        let last = self.answer.as_ref().filter(|_| is_of_it).map(|Answer { at, document, is_news }| {
            let Document { version, url, notes } = document;
            let release = Release { version: version.to_string(), url: url.clone(), notes: notes.clone() };
            Asked {
                at: *at,
                newest: version.to_string(),
                release: is_newer_than(version, running).then_some(release),
                is_news: *is_news,
            }
        });
        let failure = self.failure.clone().filter(|_| is_of_it);
        UpdatesView { running: running.to_owned(), asking, last, failure }
    }

    /// How long until `address` is to be asked by itself; `None` where it never is.
    pub(crate) fn due_in(&self, check: UpdateCheck, address: &Address, now: UnixMillis) -> Option<Duration> {
        let every = match check {
            UpdateCheck::Off => return None,
            UpdateCheck::Daily => DAY,
            UpdateCheck::Weekly => 7 * DAY,
        };
        if self.address != address.to_string() {
            return Some(Duration::ZERO);
        }
        let after = |then: UnixMillis, wait: Duration| {
            // A time that is still to come was noted by a clock that was wrong.
            match now.0.checked_sub(then.0) {
                Some(gone) => wait.saturating_sub(Duration::from_millis(gone)),
                None => Duration::ZERO,
            }
        };
        let of_answer = self.answer.as_ref().map_or(Duration::ZERO, |answer| after(answer.at, every));
        let of_failure = self.failure.as_ref().map_or(Duration::ZERO, |failure| after(failure.at, AGAIN));
        Some(of_answer.max(of_failure))
    }
}
