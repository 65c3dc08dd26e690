//! A channel that was opened to see whether anything listens at the far end, kept for a moment for the connection that is
//! about to come: on a long line that spares it a round trip.

use crate::pool::PooledChannel;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long it is kept. Nothing is sent over it meanwhile, which a server may take amiss in the end.
const KEPT: Duration = Duration::from_secs(1);

/// At most one of them. Cloning is cheap and shares it.
#[derive(Clone, Default)]
pub(crate) struct Spare(Arc<Mutex<Option<PooledChannel>>>);

impl Spare {
    /// The channel, if there is one and its session is up.
    pub(crate) fn take(&self) -> Option<PooledChannel> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|kept| !kept.end.has_ended())
    }

    /// Keeps it, in place of an earlier one, and closes it when nobody has taken it in time.
    pub(crate) async fn keep(self, channel: PooledChannel) {
        let earlier = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(channel);
        close(earlier).await;
        tokio::time::sleep(KEPT).await;
        close(self.take()).await;
    }
}

async fn close(channel: Option<PooledChannel>) {
    if let Some(channel) = channel {
        // It may have closed by itself.
        let _ = channel.channel.1.close().await;
    }
}
