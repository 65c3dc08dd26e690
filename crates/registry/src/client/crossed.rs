//! How many bytes of requests' and answers' bodies have crossed the way to a registry.

use super::Client;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts what crosses the way, bytes that are sent again as well; clones share the figures. Heads of requests and
/// answers, a few hundred bytes each, are not in them.
#[derive(Debug, Clone, Default)]
pub struct Crossed(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
}

impl Crossed {
    /// Bytes sent to the registry.
    #[must_use]
    pub fn up(&self) -> u64 {
        self.0.up.load(Ordering::Relaxed)
    }

    /// Bytes received from it.
    #[must_use]
    pub fn down(&self) -> u64 {
        self.0.down.load(Ordering::Relaxed)
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.0.up.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.0.down.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Client {
    /// The same client, whose traffic is counted there; the connections are shared as with any clone.
    #[must_use]
    pub fn counted_by(&self, crossed: &Crossed) -> Self {
        Self { crossed: crossed.clone(), ..self.clone() }
    }
}
