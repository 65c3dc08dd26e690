//! What the engine says when the settings have been changed: its own list, and a real request of its own.

use dockline_engine::{Cause, Engine, EngineError, Reached, facts};
use dockline_model::{CheckOutcome, Code, UiError};
use std::{net::IpAddr, time::Duration};
use tokio::time::{Instant, sleep};

/// Go reads a changed hosts file after five seconds (`net/hosts.go`, `cacheMaxAge`); one more for the request.
pub(super) const HOSTS_CACHE: Duration = Duration::from_secs(6);
/// A reload takes milliseconds; no engine says that it has ignored one.
const RELOAD: Duration = Duration::from_secs(5);
/// Neither a cache in another process nor a list behind an API tells of its changes.
const ASK_AGAIN: Duration = Duration::from_millis(300);

/// Has the engine ask the registry at `authority`, and again for as long as it may still go by the old hosts file.
pub(crate) async fn reaches(engine: &Engine, authority: &str) -> CheckOutcome {
    let deadline = Instant::now() + HOSTS_CACHE;
    loop {
        match engine.probe(authority).await {
            Ok(Reached::Registry) => return CheckOutcome::Reached { login_wanted: false },
            Ok(Reached::RegistryWantsLogin) => return CheckOutcome::Reached { login_wanted: true },
            Err(error) if may_be_old(&error) && Instant::now() < deadline => sleep(ASK_AGAIN).await,
            Err(error) => return CheckOutcome::NotReached { error: UiError::from(&error) },
        }
    }
}

/// What an engine with the old hosts file says: it does not know the name, or asks whoever has it in public DNS.
fn may_be_old(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Refused {
            cause: Cause::NameUnknown
                | Cause::NothingListens
                | Cause::NoRoute
                | Cause::WantsHttps
                | Cause::Untrusted
                | Cause::NoAnswer,
            ..
        }
    )
}

/// After an undo: the engine's own list must be without the entry, and an address must be refused. A *name* is not asked
/// for, since it may lead anywhere once the hosts file does not say.
pub(super) async fn withdrawn(engine: &Engine, authority: &str) -> CheckOutcome {
    let deadline = Instant::now() + RELOAD;
    loop {
        match facts::insecure(engine).await {
            Ok(listed) if !listed.iter().any(|entry| entry == authority) => break,
            Ok(_) if Instant::now() < deadline => sleep(ASK_AGAIN).await,
            Ok(_) => return CheckOutcome::NotReached { error: still_listed(authority) },
            Err(error) => return CheckOutcome::NotAsked { why: UiError::from(&error).message },
        }
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    // Engines speak HTTP to loopback in any case.
    if !host.parse::<IpAddr>().is_ok_and(|address| !address.is_loopback()) {
        return CheckOutcome::Withdrawn;
    }
    match engine.probe(authority).await {
        Err(_) => CheckOutcome::Withdrawn,
        Ok(Reached::Registry | Reached::RegistryWantsLogin) => CheckOutcome::NotAsked {
            why: format!("The engine still speaks HTTP to {authority}, by another setting than Dockline's."),
        },
    }
}

fn still_listed(authority: &str) -> UiError {
    UiError::new(
        Code::EngineFailed,
        format!("The engine still lists {authority} among its insecure registries: it did not read its settings again."),
    )
    .hint("See its log for why (journalctl -u docker), and reload it: sudo systemctl reload docker")
}
