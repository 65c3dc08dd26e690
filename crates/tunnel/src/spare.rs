//! A channel that was opened to see whether anything listens at the far end, kept for a moment for the connection that is
//! about to come: on a long line that spares it a round trip.

use crate::pool::PooledChannel;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long it is kept. Nothing is sent over it meanwhile, which a server may take amiss in the end.
const TIME: Duration = Duration::from_secs(1);

/// At most one of them. Cloning is cheap and shares it.
#[derive(Clone, Default)]
pub(crate) struct Spare(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    channel: Option<PooledChannel>,
    /// Grows by one with each that is kept.
    count: u64,
}

impl Spare {
    /// The channel, if there is one and its session is up.
    pub(crate) fn take(&self) -> Option<PooledChannel> {
        let kept = self.lock().channel.take();
        kept.filter(|kept| !kept.end.has_ended())
    }

    /// Keeps it, in place of an earlier one, and closes it when nobody has taken it in time.
    pub(crate) async fn keep(self, channel: PooledChannel) {
        let (earlier, count) = {
            let mut kept = self.lock();
            kept.count += 1;
            (kept.channel.replace(channel), kept.count)
        };
        close(earlier).await;
        tokio::time::sleep(TIME).await;
        let untaken = {
            let mut kept = self.lock();
            if kept.count == count { kept.channel.take() } else { None }
        };
        close(untaken).await;
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn close(channel: Option<PooledChannel>) {
    if let Some(channel) = channel {
        // It may have closed by itself.
        let _ = channel.channel.1.close().await;
    }
}
