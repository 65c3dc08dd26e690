//! Whether the machine slept, told from clocks alone: every system announces it differently, some not at all.

use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// More than this is no late wake-up of a busy machine, nor a correction of its clock.
const TOLERANCE: Duration = Duration::from_secs(3);

/// What the clocks show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocks {
    pub monotonic: Instant,
    wall: SystemTime,
}

/// How far they went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    pub monotonic: Duration,
    pub wall: Duration,
}

impl Clocks {
    pub(super) fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    pub(super) fn passed(&self) -> Passed {
        // A clock that was set back tells nothing.
        Passed { monotonic: self.monotonic.elapsed(), wall: self.wall.elapsed().unwrap_or_default() }
    }
}

/// Whether the machine, or this program, slept during a wait of `planned`. On Linux and macOS the `monotonic` clock
/// stands still meanwhile and the `wall` clock runs ahead of it; on Windows, and for a program that was stopped
/// (SIGSTOP, a paused virtual machine), the wait itself took too long. A clock that was set ahead looks the same, and
/// costs one needless question to the server.
pub(super) fn slept(planned: Duration, monotonic: Duration, wall: Duration) -> bool {
    monotonic > planned + TOLERANCE || wall > monotonic + TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_told_from_lateness() {
        let ms = Duration::from_millis;
        for (monotonic, wall, expected) in [
            (2_000, 2_000, false),
            // A busy machine, and a clock that is being corrected.
            (4_500, 4_500, false),
            (2_000, 4_000, false),
            // Set back.
            (2_000, 0, false),
            // Linux and macOS asleep.
            (2_000, 600_000, true),
            (2_010, 5_100, true),
            // Windows asleep, or the program stopped.
            (600_000, 600_000, true),
            (600_000, 0, true),
        ] {
            assert_eq!(slept(ms(2_000), ms(monotonic), ms(wall)), expected, "{monotonic} {wall}");
        }
    }
}
