//! Memory given back to the system after many connections.
//!
//! The allocator keeps what was freed between two things that are still in use, which after a thousand connections is
//! most of what they needed.

use std::{sync::atomic::Ordering, time::Duration};

use crate::pump::Traffic;

/// After so many connections at once it is worth the milliseconds.
const MANY: u64 = 64;
/// Their tasks, and their ends at the server, are gone a moment later.
const PAUSE: Duration = Duration::from_millis(200);

/// Counts a connection for as long as it lives, and has memory given back after the last of many.
pub(crate) struct Counted<'a> {
    traffic: &'a std::sync::Arc<Traffic>,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(traffic: &'a std::sync::Arc<Traffic>) -> Self {
        let open = traffic.open.fetch_add(1, Ordering::Relaxed) + 1;
        traffic.most_open.fetch_max(open, Ordering::Relaxed);
        Self { traffic }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let is_last = self.traffic.open.fetch_sub(1, Ordering::Relaxed) == 1;
        if !is_last || self.traffic.most_open.swap(0, Ordering::Relaxed) < MANY {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async {
            tokio::time::sleep(PAUSE).await;
            let _ = tokio::task::spawn_blocking(give_back).await;
        });
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library offers it in no other way")]
fn give_back() {
    // SAFETY: malloc_trim(3) may be called at any time from any thread; it touches only memory that nobody uses.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

/// Other systems' allocators do it by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
