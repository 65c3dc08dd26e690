//! How often in a row the session ended where a secret should have been judged.
//!
//! A connection that breaks has judged nothing, so the secret is tried once more. But there are servers whose way of
//! saying no is to hang up: a secret that is tried for ever is a failed login each time in the eyes of such a one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many losses in a row count as a refusal.
pub(super) const REFUSAL: usize = 2;

/// After so long a server is given another chance: what has hung up may have been the trouble of that hour. The keyring's
/// password would not be tried again otherwise where there is nobody who types.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// By login.
#[derive(Default)]
pub(super) struct Losses(Mutex<HashMap<String, (usize, Instant)>>);

impl Losses {
    /// How many there have been since the last verdict.
    pub(super) fn of(&self, login: &str) -> usize {
        self.of_at(login, Instant::now())
    }

    fn of_at(&self, login: &str, now: Instant) -> usize {
        let losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = losses.get(login).filter(|(_, last)| now.duration_since(*last) < FORGOTTEN);
        recent.map_or(0, |(count, _)| *count)
    }

    /// Counts one of a session that began when there had been `before`, and says whether it is a refusal. Sessions that
    /// end together, since the network does, are one loss and not several in a row.
    pub(super) fn count(&self, login: String, before: usize) -> bool {
        self.count_at(login, before, Instant::now())
    }

    fn count_at(&self, login: String, before: usize, now: Instant) -> bool {
        let count = self.of_at(&login, now).max(before + 1);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(login, (count, now));
        count >= REFUSAL
    }

    /// The server has said yes or no.
    pub(super) fn judged(&self, login: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(login);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_loss_in_a_row_is_a_refusal() {
        let (losses, login) = (Losses::default(), || "bob@h".to_owned());
        assert!(!losses.count(login(), 0));
        assert!(!losses.count(login(), 0), "they ended together");
        assert_eq!((losses.of("bob@h"), losses.of("eve@h")), (1, 0));
        losses.judged("bob@h");
        assert!(!losses.count(login(), 0), "there was a verdict in between");
        assert!(losses.count(login(), 1) && losses.count(login(), 2));
    }

    #[test]
    fn losses_of_another_hour_do_not_count() {
        let (losses, start) = (Losses::default(), Instant::now());
        losses.count_at("bob@h".to_owned(), 1, start);
        assert_eq!(losses.of_at("bob@h", start + FORGOTTEN - Duration::from_secs(1)), 2);
        assert_eq!(losses.of_at("bob@h", start + FORGOTTEN), 0);
    }
}
