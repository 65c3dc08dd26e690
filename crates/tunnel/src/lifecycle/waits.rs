//! How long to wait for what.

use std::time::Duration;

/// The first wait after a failed dial.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// No wait is longer than this.
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(15);
/// The same where the server hung up before the session was up. OpenSSH's `PerSourcePenalties` are enforced for 15 s
/// at least (sshd_config(5)), and `MaxStartups` is reached because too many come at once.
pub(super) const FIRST_PUSHED_BACK: Duration = Duration::from_secs(4);
/// See [`FIRST_PUSHED_BACK`].
pub(super) const LONGEST_PUSHED_BACK: Duration = Duration::from_secs(60);
/// Somebody new who wants the tunnel shortens the wait, but dials never follow each other closer than this.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// How long programs are refused after a login that another try cannot mend. Guards such as fail2ban lock an address
/// out after five failures in ten minutes: with these waits there are four.
pub(super) const FIRST_COOL_DOWN: Duration = Duration::from_secs(60);
/// No cool-down is longer than this.
pub(super) const LONGEST_COOL_DOWN: Duration = Duration::from_secs(15 * 60);

/// How long to wait after the `step`th failure in a row: doubling from half a second to 15 s (from 4 s to 60 s if the
/// server `pushed_back`), of which the upper half is up to `jitter` (`0.0..1.0`), so that many clients that lost the
/// same host at the same moment do not come back at the same moment.
#[must_use]
pub fn backoff(step: u32, pushed_back: bool, jitter: f64) -> Duration {
    let (first, longest) = match pushed_back {
        false => (FIRST_BACKOFF, LONGEST_BACKOFF),
        true => (FIRST_PUSHED_BACK, LONGEST_PUSHED_BACK),
    };
    let half = doubled(first, step).min(longest) / 2;
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    half + half.mul_f64(jitter)
}

/// How long programs are refused after the `refusals`th failure in a row that another try cannot mend: doubling from
/// a minute to 15.
#[must_use]
pub fn cool_down(refusals: u32) -> Duration {
    doubled(FIRST_COOL_DOWN, refusals).min(LONGEST_COOL_DOWN)
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1_u32 << times.saturating_sub(1).min(10))
}
