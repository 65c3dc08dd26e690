//! What a registry turned out to speak: engines try TLS first, and what comes back to that tells.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long that counts. A registry that is given a certificate meanwhile is found out after that.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// Of one registry; shared by all of its entrances.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    plain_since: Mutex<Option<Instant>>,
}

impl Spoken {
    /// Notes the first byte that the registry answered to a ClientHello with.
    pub(crate) fn answered(&self, first: u8, now: Instant) {
        *self.plain_since.lock().unwrap_or_else(PoisonError::into_inner) = (!is_of_tls(first)).then_some(now);
    }

    /// Whether it answered, not long ago, in something else than TLS.
    pub(super) fn is_plain(&self, now: Instant) -> bool {
        let since = *self.plain_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| now.saturating_duration_since(since) < COUNTS_FOR)
    }
}

/// The type of a record (RFC 8446, 5.1 and appendix B.1): change_cipher_spec to application_data, and heartbeat.
const fn is_of_tls(first: u8) -> bool {
    matches!(first, 20..=24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_http_counts_for_a_while_and_one_in_tls_ends_it() {
        let (spoken, now) = (Spoken::default(), Instant::now());
        assert!(!spoken.is_plain(now));
        spoken.answered(b'H', now);
        assert!(spoken.is_plain(now) && spoken.is_plain(now + COUNTS_FOR - Duration::from_millis(1)));
        assert!(!spoken.is_plain(now + COUNTS_FOR));
        for of_tls in [22, 21] {
            spoken.answered(b'H', now);
            spoken.answered(of_tls, now);
            assert!(!spoken.is_plain(now), "{of_tls}: a handshake, an alert");
        }
    }
}
