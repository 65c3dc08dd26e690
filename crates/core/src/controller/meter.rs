//! How fast a transfer goes, and how long it will take.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// The rate is that of the last few seconds: long enough to be steady, short enough to show a stall.
const WINDOW: Duration = Duration::from_secs(5);
/// Before this there is no figure.
const FIRST_FIGURE: Duration = Duration::from_millis(500);

/// A sliding window over the bytes of one transfer.
#[derive(Debug, Default)]
pub(super) struct Meter {
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Takes note of `current` bytes; returns bytes a second.
    pub(super) fn sample(&mut self, now: Instant, current: u64) -> Option<u64> {
        self.samples.push_back((now, current));
        // One sample at or before the window's beginning stays, so that the window is full.
        while self.samples.len() > 2 && now.duration_since(self.samples[1].0) >= WINDOW {
            self.samples.pop_front();
        }
        let (begin, before) = *self.samples.front()?;
        let elapsed = now.duration_since(begin);
        if elapsed < FIRST_FIGURE {
            return None;
        }
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        Some(current.saturating_sub(before).saturating_mul(1000) / millis)
    }
}

/// Seconds until `total` at `rate`; `None` while nothing moves.
pub(super) fn seconds_left(current: u64, total: u64, rate: Option<u64>) -> Option<u64> {
    let rate = rate.filter(|rate| *rate > 0)?;
    Some(total.saturating_sub(current).div_ceil(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut meter = Meter::default();
        assert_eq!(meter.sample(start, 0), None);
        assert_eq!(meter.sample(start + Duration::from_millis(100), 100), None);
        for tenth in 2..=100 {
            let now = start + Duration::from_millis(100 * tenth);
            let rate = meter.sample(now, 100 * tenth);
            if tenth >= 5 {
                assert_eq!(rate, Some(1000), "after {tenth} tenths");
            }
        }
        // A stall: the rate falls, and is nothing once the window has passed.
        let mut last = 1000;
        for tenth in 101..=150 {
            let rate = meter.sample(start + Duration::from_millis(100 * tenth), 10_000).unwrap();
            assert!(rate <= last);
            last = rate;
        }
        assert_eq!(last, 0);
        assert_eq!(seconds_left(10_000, 20_000, Some(0)), None);
        assert_eq!(seconds_left(10_000, 20_000, Some(3000)), Some(4));
        assert!(meter.samples.len() < 60, "the window is bounded");
    }
}
