//! What is known about getting in at one registry, shared by the clones of its client.

use super::{Challenge, Credentials};
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// See the module. Clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::client) struct Auth {
    state: Arc<Mutex<State>>,
    /// One question to the person, the helper or the token server at a time; the others wait for its answer.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) challenge: Option<Challenge>,
    pub(super) credentials: Known,
    /// Whether the registry, or its token server, has taken them.
    pub(super) are_good: bool,
    pub(super) tokens: BTreeMap<String, Token>,
    /// What the token server has given in place of the identity token that is kept. Whoever keeps that is not told, as
    /// Docker does not tell it: it has to stay good.
    pub(super) next_identity: Option<SecretString>,
    /// How often a person would not log in. Who waited meanwhile does not ask them again.
    pub(super) refusals: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) enum Known {
    /// Nobody has looked.
    #[default]
    Unsought,
    None,
    Some(Credentials),
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    good_until: Instant,
    /// The same by the clock on the wall: an `Instant` stands still while a laptop sleeps, and the registry's time does not.
    good_until_by_clock: SystemTime,
    /// Whether the registry has taken it.
    has_let_in: bool,
}

impl Token {
    /// One that is good for so long from now on.
    pub(super) fn new(header: HeaderValue, good_for: Duration) -> Self {
        let (good_until, good_until_by_clock) = (Instant::now() + good_for, SystemTime::now() + good_for);
        Self { header, good_until, good_until_by_clock, has_let_in: false }
    }

    pub(super) fn is_good(&self, now: Instant, clock: SystemTime) -> bool {
        now < self.good_until && clock < self.good_until_by_clock
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("good_until", &self.good_until).finish_non_exhaustive()
    }
}

/// What became of a token that the registry has refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Somebody else's turn has done away with it before.
    Before,
    /// The registry has taken it until now: it ended before its time, or was taken back.
    Ended,
    /// It never did.
    Fresh,
}

impl Auth {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token for a scope, if there is one that is still good.
    pub(super) fn token(&self, scope: &str) -> Option<HeaderValue> {
        let state = self.state();
        let token = state.tokens.get(scope)?;
        token.is_good(Instant::now(), SystemTime::now()).then(|| token.header.clone())
    }

    /// The registry has taken a request with this.
    pub(super) fn has_let_in(&self, used: &HeaderValue) {
        for token in self.state().tokens.values_mut().filter(|token| token.header == *used) {
            token.has_let_in = true;
        }
    }

    /// Forgets a token that was refused.
    pub(super) fn refuse(&self, used: Option<&HeaderValue>) -> Refused {
        let mut refused = Refused::Before;
        self.state().tokens.retain(|_, token| {
            let is_it = Some(&token.header) == used;
            if is_it {
                refused = if token.has_let_in { Refused::Ended } else { Refused::Fresh };
            }
            !is_it
        });
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_while_the_machine_sleeps() {
        let token = Token::new(HeaderValue::from_static("Bearer x"), Duration::from_secs(300));
        let (now, clock) = (Instant::now(), SystemTime::now());
        let later = Duration::from_secs(299);
        assert!(token.is_good(now, clock) && token.is_good(now + later, clock + later));
        // Awake for a second, asleep for an hour.
        assert!(!token.is_good(now + Duration::from_secs(1), clock + Duration::from_secs(3600)));
        // A clock that is set back makes no token live longer.
        assert!(!token.is_good(now + Duration::from_secs(301), clock - Duration::from_secs(3600)));
    }
}
