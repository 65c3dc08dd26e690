//! Waiting for what nobody announces: a folder does not tell when a file comes, nor dockerd when a name goes.

use std::{
    thread,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until it is so. Panics, naming `what`, if that takes longer than a minute.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        #[allow(clippy::disallowed_methods, reason = "there is no event to wait for")]
        thread::sleep(PAUSE);
    }
}
