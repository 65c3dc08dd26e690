//! Channels that were opened to see whether anything listens at the far end, kept for a moment for the connections that are
//! about to come: on a long line that spares each of them a round trip.

use crate::pool::PooledChannel;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long they are kept. Nothing is sent over them meanwhile, which a server may take amiss in the end.
const TIME: Duration = Duration::from_secs(1);

/// Those that were opened last. Cloning is cheap and shares them.
#[derive(Clone, Default)]
pub(crate) struct Spare(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    channels: Vec<PooledChannel>,
    /// Grows by one each time that some are kept.
    count: u64,
}

impl Spare {
    /// One of them whose session is up.
    pub(crate) fn take(&self) -> Option<PooledChannel> {
        let mut kept = self.lock();
        std::iter::from_fn(|| kept.channels.pop()).find(|channel| !channel.end.has_ended())
    }

    /// Keeps them, in place of earlier ones, and closes those that nobody has taken in time.
    pub(crate) async fn keep(self, channels: Vec<PooledChannel>) {
        let (earlier, count) = {
            let mut kept = self.lock();
            kept.count += 1;
            (std::mem::replace(&mut kept.channels, channels), kept.count)
        };
        close(earlier).await;
        tokio::time::sleep(TIME).await;
        let untaken = {
            let mut kept = self.lock();
            if kept.count == count { std::mem::take(&mut kept.channels) } else { Vec::new() }
        };
        close(untaken).await;
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes channels that carry nothing.
pub(crate) async fn close(channels: Vec<PooledChannel>) {
    for pooled in channels {
        // It may have closed by itself.
        let _ = pooled.channel.1.close().await;
    }
}
