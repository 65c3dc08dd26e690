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
//! - [`State::Failed`] is for what another try cannot mend. A person who asks again has perhaps mended it, and is
//!   believed; programs that merely connect are refused until a cool-down has passed, because a login that fails once
//!   for each of them locks the account out. Everything else backs off and tries again while somebody waits.
//! - A network that changed, or a machine that woke up, is a reason to try at once and to begin the waits anew.

mod machine;
mod waits;

pub use waits::{backoff, cool_down};

use dockline_model::{LeaseHolder, UiError};
use std::{collections::BTreeMap, time::Duration};

/// A point in time: how long after the tunnel was made. Monotonic; the actor knows what it is on the wall.
pub type Moment = Duration;

/// Number of a lease, unique within one tunnel and growing, so that the map is in the order of acquisition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

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
        /// Dials that failed in a row, for display.
        failures: u32,
        /// How many of them in the same way since the network last changed; the wait grows with it.
        step: u32,
        /// Whether the server hung up before the session was up: it is full, or wants us to stay away for a while.
        pushed_back: bool,
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
        /// Until when programs that connect do not cause another try.
        until: Moment,
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
        /// Whether the server hung up before the session was up.
        pushed_back: bool,
        /// A random number in `0.0..1.0`, which spreads the next try.
        jitter: f64,
    },
    /// The last session ended without having been asked to.
    SessionLost {
        /// Why.
        error: UiError,
    },
    /// The way to the host may be another than before: the network changed, or the machine slept.
    PathChanged,
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
    /// Find out at once whether the sessions are still alive.
    Check,
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
    /// Dials in a row that failed in a way that another try cannot mend.
    refusals: u32,
}

#[cfg(test)]
mod tests;
