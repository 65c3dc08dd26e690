//! What happens around a tunnel: the machine's network changes, or the machine sleeps.
//!
//! The system tells that *something* about its links, addresses or routes is different, which happens all the time on a
//! machine with containers. It concerns a tunnel only if the way to its host is another than before: the address from
//! which the machine would speak to it, and whether that address's link is up.

mod path;
mod sleep;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod notices;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod unknown;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use notices::Notices;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
use unknown::Notices;
#[cfg(windows)]
use windows::Notices;

pub(crate) use path::is_ours;

use path::Path;
use sleep::{Clocks, slept};
use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How often the clocks are compared while a tunnel is up or wanted.
const CLOCK_INTERVAL: Duration = Duration::from_secs(2);
/// Changes come in bursts: a link, then its addresses, then their routes. Short against the two seconds in which a
/// tunnel is to be back.
const SETTLE: Duration = Duration::from_millis(100);

/// The machine as one tunnel sees it.
#[derive(Debug)]
pub(crate) struct Surroundings {
    changes: watch::Sender<u64>,
    concerned: watch::Sender<bool>,
    /// The addresses that were last dialled.
    hosts: Mutex<Vec<IpAddr>>,
}

impl Surroundings {
    pub(crate) fn new() -> Self {
        Self { changes: watch::channel(0).0, concerned: watch::channel(false).0, hosts: Mutex::default() }
    }

    /// Changes whenever the way to the host may be another one, or the machine slept.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether anybody wants to know at present. Nothing is watched for a tunnel that is not wanted.
    pub(crate) fn concern(&self, concerned: bool) {
        self.concerned.send_if_modified(|before| std::mem::replace(before, concerned) != concerned);
    }

    /// The way to these addresses is what matters from now on.
    pub(crate) fn heading_for(&self, addresses: &[IpAddr]) {
        *self.hosts.lock().unwrap_or_else(PoisonError::into_inner) = addresses.to_vec();
    }

    /// Watches for as long as it is polled; never ends.
    pub(crate) async fn watch(&self) {
        let mut concerned = self.concerned.subscribe();
        let mut over = self.concerned.subscribe();
        // The sender is ours, so there is no error.
        while concerned.wait_for(|concerned| *concerned).await.is_ok() {
            tokio::select! {
                () = self.watch_while_concerned() => {}
                _ = over.wait_for(|concerned| !*concerned) => {}
            }
        }
        std::future::pending().await
    }

    async fn watch_while_concerned(&self) {
        let mut notices = Notices::open()
            .inspect_err(|error| tracing::debug!(%error, "changes of the network are not told"))
            .ok();
        let mut path = self.path();
        let mut clocks = Clocks::now();
        loop {
            tokio::select! {
                () = next(&mut notices) => {
                    tokio::time::sleep(SETTLE).await;
                    let now = self.path();
                    if now != path {
                        tracing::info!("the network has changed");
                        path = now;
                        self.changes.send_modify(|count| *count += 1);
                    }
                }
                () = tokio::time::sleep(CLOCK_INTERVAL.saturating_sub(clocks.monotonic.elapsed())) => {
                    let passed = clocks.passed();
                    clocks = Clocks::now();
                    if slept(CLOCK_INTERVAL, passed.monotonic, passed.wall) {
                        tracing::info!("the machine slept");
                        path = self.path();
                        self.changes.send_modify(|count| *count += 1);
                    }
                }
            }
        }
    }

    fn path(&self) -> Path {
        Path::to(&self.hosts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn next(notices: &mut Option<Notices>) {
    match notices {
        Some(notices) => notices.next().await,
        None => std::future::pending().await,
    }
}
