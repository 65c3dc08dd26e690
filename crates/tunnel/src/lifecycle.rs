//! The life of a tunnel, decided without doing anything: no IO, no clock, no runtime.
//!
//! [`Lifecycle::handle`] takes what happened and the present moment, and returns what is to be done about it. One
//! task per registry (the actor) performs the effects. That is what lets the rules be tested over random inputs:
//!
//! - A tunnel is up only while something holds it, or until the linger after the last holder has passed.
//! - However many acquire it at once, there is one dial.
//! - A dial that has begun is finished even if those who wanted it have left: a person may be in the middle of
//!   answering a question for it, and the next attempt of the same program finds the tunnel lingering. Only
//!   [`Input::Disconnect`] gives it up.
//! - [`State::Failed`] is for what another try cannot mend; a *new* lease tries once more all the same, since that
//!   is what a person does after mending it. Everything else backs off and tries again while somebody waits.

use dockline_model::{LeaseHolder, UiError};
use std::{collections::BTreeMap, time::Duration};

/// A point in time: how long after the tunnel was made. Monotonic; the actor knows what it is on the wall.
pub type Moment = Duration;

/// Number of a lease, unique within one tunnel and growing, so that the map is in the order of acquisition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// The first wait after a failed dial.
pub const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// No wait is longer than this.
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(15);
/// Somebody new who wants the tunnel shortens the wait, but dials never follow each other closer than this
/// (sshd's `PerSourcePenalties` and `MaxStartups`).
pub const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// One hold on the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who.
    pub holder: LeaseHolder,
    /// Since when.
    pub since: Moment,
}

/// Where in its life a tunnel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No session, and nobody wants one.
    Idle,
    /// The first dial is under way.
    Connecting {
        /// Since when.
        since: Moment,
    },
    /// There is a session, and it is held.
    Up {
        /// When the session came up.
        since: Moment,
    },
    /// The session was lost or could not be had, and somebody still wants it.
    Reconnecting {
        /// Dials that failed in a row.
        failures: u32,
        /// When the next dial begins, or began.
        retry_at: Moment,
        /// When the session was lost, or the last dial failed.
        failed_at: Moment,
        /// Whether that dial is under way.
        dialling: bool,
        /// Why the last one failed.
        error: UiError,
    },
    /// There is a session that nobody holds.
    Lingering {
        /// When the session came up.
        since: Moment,
        /// When it is closed.
        until: Moment,
    },
    /// The session is being closed.
    Closing,
    /// The last dial failed in a way that another try cannot mend.
    Failed {
        /// Why.
        error: UiError,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Somebody wants the tunnel.
    Acquire {
        /// A number never used before.
        id: LeaseId,
        /// Who.
        holder: LeaseHolder,
    },
    /// Somebody is done with it. A lease that is not in the map (any more) is nothing to worry about.
    Release {
        /// Which lease.
        id: LeaseId,
    },
    /// The dial that was asked for succeeded.
    Dialled,
    /// The dial that was asked for failed.
    DialFailed {
        /// Why.
        error: UiError,
        /// Whether another try may succeed without anybody doing anything.
        retriable: bool,
        /// A random number in `0.0..1.0`, which spreads the next try.
        jitter: f64,
    },
    /// The last session ended without having been asked to.
    SessionLost {
        /// Why.
        error: UiError,
    },
    /// The session that was to be closed is closed.
    Closed,
    /// The timer that was set has run out, or may have.
    Tick,
    /// A person wants it closed: manual leases are dropped, and with `force` all others too.
    Disconnect {
        /// Close it under whoever holds it.
        force: bool,
    },
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Begin to dial. Never while a dial is under way or a session exists.
    Dial,
    /// Give the dial up; its outcome is of no interest any more.
    AbortDial,
    /// Close the session and say [`Input::Closed`] when that is done.
    Close,
    /// Send [`Input::Tick`] at this moment; replaces a timer set before.
    SetTimer(Moment),
    /// No tick is wanted any more.
    CancelTimer,
    /// Cut the connections of those whose leases were taken away.
    ResetConnections,
}

/// The machine.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    state: State,
    leases: BTreeMap<LeaseId, Held>,
    linger: Duration,
}

impl Lifecycle {
    /// A tunnel that nothing has used yet. `linger`: how long it outlives its last lease.
    #[must_use]
    pub const fn new(linger: Duration) -> Self {
        Self { state: State::Idle, leases: BTreeMap::new(), linger }
    }

    /// Where it is.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Who holds it, oldest first. The count is the length of this map and is stored nowhere.
    #[must_use]
    pub const fn leases(&self) -> &BTreeMap<LeaseId, Held> {
        &self.leases
    }

    /// Whether there is a session that may carry channels.
    #[must_use]
    pub const fn has_session(&self) -> bool {
        match self.state {
            State::Up { .. } | State::Lingering { .. } => true,
            State::Idle
            | State::Connecting { .. }
            | State::Reconnecting { .. }
            | State::Closing
            | State::Failed { .. } => false,
        }
    }

    /// Takes in what happened at `now`, and says what is to be done, in this order.
    pub fn handle(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        match input {
            Input::Acquire { id, holder } => {
                self.leases.insert(id, Held { holder, since: now });
                self.acquired(now)
            }
            Input::Release { id } => {
                if self.leases.remove(&id).is_some() && self.leases.is_empty() {
                    self.released(now)
                } else {
                    Vec::new()
                }
            }
            Input::Dialled => self.dialled(now),
            Input::DialFailed { error, retriable, jitter } => self.dial_failed(error, retriable, jitter, now),
            Input::SessionLost { error } => self.session_lost(error, now),
            Input::Closed => self.closed(now),
            Input::Tick => self.tick(now),
            Input::Disconnect { force } => self.disconnect(force),
        }
    }

    fn dial(&mut self, now: Moment) -> Vec<Effect> {
        self.state = State::Connecting { since: now };
        vec![Effect::Dial]
    }

    fn acquired(&mut self, now: Moment) -> Vec<Effect> {
        match &mut self.state {
            State::Idle | State::Failed { .. } => self.dial(now),
            State::Lingering { since, .. } => {
                self.state = State::Up { since: *since };
                vec![Effect::CancelTimer]
            }
            State::Reconnecting { retry_at, failed_at, dialling: false, .. } => {
                let sooner = now.max(*failed_at + SHORTEST_PAUSE);
                if sooner < *retry_at {
                    *retry_at = sooner;
                    vec![Effect::SetTimer(sooner)]
                } else {
                    Vec::new()
                }
            }
            // `Closing` sees the lease when the session is closed, and dials anew.
            State::Connecting { .. } | State::Up { .. } | State::Reconnecting { .. } | State::Closing => {
                Vec::new()
            }
        }
    }

    /// The last lease is gone.
    fn released(&mut self, now: Moment) -> Vec<Effect> {
        match self.state {
            State::Up { since } => self.linger_or_close(since, now),
            State::Reconnecting { dialling, .. } => {
                self.state = State::Idle;
                vec![if dialling { Effect::AbortDial } else { Effect::CancelTimer }]
            }
            State::Idle
            | State::Connecting { .. }
            | State::Lingering { .. }
            | State::Closing
            | State::Failed { .. } => Vec::new(),
        }
    }

    fn linger_or_close(&mut self, since: Moment, now: Moment) -> Vec<Effect> {
        if self.linger.is_zero() {
            self.state = State::Closing;
            vec![Effect::Close]
        } else {
            let until = now + self.linger;
            self.state = State::Lingering { since, until };
            vec![Effect::SetTimer(until)]
        }
    }

    fn dialled(&mut self, now: Moment) -> Vec<Effect> {
        match self.state {
            State::Connecting { .. } | State::Reconnecting { dialling: true, .. } => {
                if self.leases.is_empty() {
                    return self.linger_or_close(now, now);
                }
                self.state = State::Up { since: now };
                Vec::new()
            }
            State::Idle
            | State::Up { .. }
            | State::Reconnecting { .. }
            | State::Lingering { .. }
            | State::Closing
            | State::Failed { .. } => Vec::new(),
        }
    }

    fn dial_failed(&mut self, error: UiError, retriable: bool, jitter: f64, now: Moment) -> Vec<Effect> {
        let failures = match &self.state {
            State::Connecting { .. } => 1,
            State::Reconnecting { failures, dialling: true, .. } => failures.saturating_add(1),
            State::Idle
            | State::Up { .. }
            | State::Reconnecting { .. }
            | State::Lingering { .. }
            | State::Closing
            | State::Failed { .. } => return Vec::new(),
        };
        if !retriable {
            self.state = State::Failed { error };
            return Vec::new();
        }
        if self.leases.is_empty() {
            self.state = State::Idle;
            return Vec::new();
        }
        let retry_at = now + backoff(failures, jitter);
        self.state = State::Reconnecting { failures, retry_at, failed_at: now, dialling: false, error };
        vec![Effect::SetTimer(retry_at)]
    }

    fn session_lost(&mut self, error: UiError, now: Moment) -> Vec<Effect> {
        match self.state {
            // It was up a moment ago, so the first dial follows at once; only its failure begins the waiting.
            State::Up { .. } => {
                self.state =
                    State::Reconnecting { failures: 0, retry_at: now, failed_at: now, dialling: true, error };
                vec![Effect::Dial]
            }
            State::Lingering { .. } => {
                self.state = State::Idle;
                vec![Effect::CancelTimer]
            }
            // Its end is what `Closing` waits for, and the actor reports that as `Closed`.
            State::Idle
            | State::Connecting { .. }
            | State::Reconnecting { .. }
            | State::Closing
            | State::Failed { .. } => Vec::new(),
        }
    }

    fn closed(&mut self, now: Moment) -> Vec<Effect> {
        match self.state {
            State::Closing if self.leases.is_empty() => {
                self.state = State::Idle;
                Vec::new()
            }
            State::Closing => self.dial(now),
            State::Idle
            | State::Connecting { .. }
            | State::Up { .. }
            | State::Reconnecting { .. }
            | State::Lingering { .. }
            | State::Failed { .. } => Vec::new(),
        }
    }

    fn tick(&mut self, now: Moment) -> Vec<Effect> {
        match &mut self.state {
            State::Lingering { until, .. } if now >= *until => {
                self.state = State::Closing;
                vec![Effect::Close]
            }
            State::Reconnecting { retry_at, dialling, .. } if !*dialling && now >= *retry_at => {
                *dialling = true;
                vec![Effect::Dial]
            }
            // Early, or left over from a timer that was cancelled.
            State::Lingering { until, .. } => vec![Effect::SetTimer(*until)],
            State::Reconnecting { retry_at, dialling: false, .. } => vec![Effect::SetTimer(*retry_at)],
            State::Reconnecting { .. }
            | State::Idle
            | State::Connecting { .. }
            | State::Up { .. }
            | State::Closing
            | State::Failed { .. } => Vec::new(),
        }
    }

    fn disconnect(&mut self, force: bool) -> Vec<Effect> {
        let before = self.leases.len();
        self.leases.retain(|_, held| match held.holder {
            LeaseHolder::Manual => false,
            LeaseHolder::Face { .. } | LeaseHolder::Transfer { .. } | LeaseHolder::Connection { .. } => {
                !force
            }
        });
        let mut effects = if force && before != 0 { vec![Effect::ResetConnections] } else { Vec::new() };
        if !self.leases.is_empty() {
            return effects;
        }
        // Who says "disconnect" wants it closed, not lingering.
        match self.state {
            State::Up { .. } => {
                self.state = State::Closing;
                effects.push(Effect::Close);
            }
            State::Lingering { .. } => {
                self.state = State::Closing;
                effects.extend([Effect::CancelTimer, Effect::Close]);
            }
            State::Connecting { .. } | State::Reconnecting { dialling: true, .. } => {
                self.state = State::Idle;
                effects.push(Effect::AbortDial);
            }
            State::Reconnecting { dialling: false, .. } => {
                self.state = State::Idle;
                effects.push(Effect::CancelTimer);
            }
            State::Failed { .. } => self.state = State::Idle,
            State::Idle | State::Closing => {}
        }
        effects
    }
}

/// How long to wait after the `failures`th failure in a row: doubling from [`FIRST_BACKOFF`] to
/// [`LONGEST_BACKOFF`], of which the upper half is up to `jitter` (`0.0..1.0`), so that many clients that lost
/// the same host at the same moment do not come back at the same moment.
#[must_use]
pub fn backoff(failures: u32, jitter: f64) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1_u32 << failures.saturating_sub(1).min(10));
    let half = doubled.min(LONGEST_BACKOFF) / 2;
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    half + half.mul_f64(jitter)
}

#[cfg(test)]
mod tests;
