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

/// How far a transfer is. Its bars count bytes as the image has them, and the line bytes as they are packed on it; what
/// has moved so far tells how the one goes into the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Course {
    /// Bytes of the image so far, and in all.
    pub(super) current: u64,
    pub(super) total: u64,
    /// Those of `current` that did not have to move.
    pub(super) skipped: u64,
    /// Whether `total` is all of it, and not only what has been told so far.
    pub(super) is_known: bool,
    /// Bytes that crossed the line; `None` where nobody counts them.
    pub(super) sent: Option<u64>,
    /// Bytes a second: on the line, where they are counted there.
    pub(super) rate: Option<u64>,
}

/// Seconds until the end at that rate; `None` while nothing moves, and while nobody has told how much it is.
pub(super) fn seconds_left(course: Course) -> Option<u64> {
    if !course.is_known || course.total == 0 {
        return None;
    }
    let rate = u128::from(course.rate.filter(|rate| *rate > 0)?);
    let left = u128::from(course.total.saturating_sub(course.current));
    let moved = u128::from(course.current.saturating_sub(course.skipped));
    let on_the_line = match course.sent {
        Some(sent) if moved > 0 => (left * u128::from(sent)).div_ceil(moved),
        // Nothing of the image yet: how well it packs is not known.
        Some(_) if left > 0 => return None,
        Some(_) | None => left,
    };
    u64::try_from(on_the_line.div_ceil(rate)).ok()
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
        assert!(meter.samples.len() < 60, "the window is bounded");
    }

    #[test]
    fn the_time_left_is_that_of_the_bytes_on_the_line() {
        let course = Course { current: 10_000, total: 20_000, is_known: true, ..Course::default() };
        let left = seconds_left;
        assert_eq!(left(Course { rate: Some(0), ..course }), None);
        assert_eq!(left(Course { rate: Some(3000), ..course }), Some(4));
        // Packed to a quarter: 2,500 more bytes on the line.
        let packed = Course { sent: Some(2500), rate: Some(500), ..course };
        assert_eq!(left(packed), Some(5));
        // Half of what is done was there already, so the rest packs half as well as it looks.
        assert_eq!(left(Course { skipped: 5000, ..packed }), Some(10));
        // Sent again after a loss, more than the image has.
        assert_eq!(left(Course { sent: Some(40_000), rate: Some(40_000), ..course }), Some(1));
        assert_eq!(left(Course { current: 0, sent: Some(0), rate: Some(10), ..course }), None);
        assert_eq!(left(Course { current: 20_000, sent: Some(9), rate: Some(10), ..course }), Some(0));
        let huge = Course { current: 1, total: u64::MAX, sent: Some(u64::MAX), rate: Some(1), ..course };
        assert_eq!(left(huge), None);
        // More layers are to come; and an engine that tells of none.
        assert_eq!(left(Course { is_known: false, ..packed }), None);
        assert_eq!(left(Course { current: 0, total: 0, ..packed }), None);
    }
}
