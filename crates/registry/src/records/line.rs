//! What the line to a registry carries, found out from the requests that go over it anyway.

use super::Records;
use std::{
    sync::{PoisonError, atomic::Ordering},
    time::Instant,
};

/// Fewer bytes in a request tell nothing of the line.
const ENOUGH: u64 = 2 << 20;

/// A request whose bytes are all here when it begins: how long it takes tells what the line carries.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    records: &'a Records,
    begin: Instant,
    /// 1 if it counts among those that share the line.
    share: u32,
}

impl Request<'_> {
    /// It has ended, after so many bytes.
    pub(crate) fn carried(self, registry: &str, bytes: u64) {
        let (seconds, shares) =
            (self.begin.elapsed().as_secs_f64(), self.records.requests.load(Ordering::Relaxed));
        if bytes < ENOUGH || seconds <= 0.0 {
            return;
        }
        let seen = (bytes as f64 * f64::from(shares) / seconds) as u64;
        let mut layers = self.records.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = layers.rates.entry(registry.to_owned()).or_insert(seen);
        // It can carry that; that it carried less may have other causes, so the figure falls slowly.
        *rate = seen.max(*rate - *rate / 8);
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.records.requests.fetch_sub(self.share, Ordering::Relaxed);
    }
}

impl Records {
    /// Bytes a second that the line to this registry has carried; `None` before there is a figure.
    #[must_use]
    pub fn rate(&self, registry: &str) -> Option<u64> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner).rates.get(registry).copied()
    }

    /// A request of so many bytes begins; those of some length that are under way at once share the line.
    pub(crate) fn begin_request(&self, bytes: u64) -> Request<'_> {
        let share = u32::from(bytes >= ENOUGH);
        self.requests.fetch_add(share, Ordering::Relaxed);
        Request { records: self, begin: Instant::now(), share }
    }
}
