//! How fast a tunnel may carry bytes, where a person has set a limit.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What may be carried at once after a pause, in time at the limit's rate: short enough that a meter shows the limit,
/// long enough that a small request never waits.
const BURST: Duration = Duration::from_millis(250);

/// One direction of all of a tunnel's connections. Without a limit it costs one load.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// Bytes a second; 0 for no limit.
    rate: AtomicU64,
    /// When what was carried so far would be through at that rate.
    through: Mutex<Option<Instant>>,
}

impl Throttle {
    /// Takes effect with the next bytes.
    pub(crate) fn limit(&self, rate: Option<u64>) {
        self.rate.store(rate.unwrap_or(0), Ordering::Relaxed);
        *self.through.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How long whoever has just carried `bytes` waits before the next ones.
    pub(crate) fn wait(&self, bytes: usize) -> Option<Duration> {
        let rate = self.rate.load(Ordering::Relaxed);
        if rate == 0 {
            return None;
        }
        self.wait_at(bytes, rate, Instant::now())
    }

    fn wait_at(&self, bytes: usize, rate: u64, now: Instant) -> Option<Duration> {
        let mut through = self.through.lock().unwrap_or_else(PoisonError::into_inner);
        let from = through.map_or(now, |through| through.max(now.checked_sub(BURST).unwrap_or(now)));
        let until = from + Duration::from_secs_f64(bytes as f64 / rate as f64);
        *through = Some(until);
        until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u64 = 1_000_000;

    #[test]
    fn together_they_carry_no_more_than_the_limit() {
        let (throttle, begun) = (Throttle::default(), Instant::now());
        // Two that take turns, each waiting as it is told.
        let mut turns = [begun, begun];
        for turn in 0..100 {
            let now = &mut turns[turn % 2];
            *now += throttle.wait_at(100_000, RATE, *now).unwrap_or_default();
        }
        let took = turns[0].max(turns[1]).duration_since(begun).as_secs_f64();
        assert!((9.5..=10.5).contains(&took), "10 MB at 1 MB/s took {took} s");
    }

    #[test]
    fn a_pause_saves_up_no_more_than_a_burst() {
        let (throttle, begun) = (Throttle::default(), Instant::now());
        throttle.wait_at(1, RATE, begun);
        let later = begun + Duration::from_secs(60);
        assert_eq!(throttle.wait_at(200_000, RATE, later), None);
        let wait = throttle.wait_at(1_050_000, RATE, later).unwrap();
        assert!((Duration::from_millis(900)..=Duration::from_millis(1100)).contains(&wait), "{wait:?}");
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let throttle = Throttle::default();
        assert_eq!(throttle.wait(usize::MAX), None);
        throttle.limit(Some(RATE));
        assert!(throttle.wait(10_000_000).is_some());
        throttle.limit(None);
        assert_eq!(throttle.wait(usize::MAX), None);
    }
}
