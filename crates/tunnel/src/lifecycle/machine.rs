//! What follows from what, state by state.

use super::{
    Effect, Held, Input, LeaseId, Lifecycle, Moment, State,
    waits::{SHORTEST_PAUSE, backoff, cool_down},
};
use dockline_model::{LeaseHolder, UiError};
use std::{collections::BTreeMap, time::Duration};

impl Lifecycle {
    /// A tunnel that nothing has used yet. `linger`: how long it outlives its last lease.
    #[must_use]
    pub const fn new(linger: Duration) -> Self {
        Self { state: State::Idle, leases: BTreeMap::new(), linger, refusals: 0 }
    }

    /// How long it outlives its last lease from now on; a linger that has begun is not changed.
    pub const fn set_linger(&mut self, linger: Duration) {
        self.linger = linger;
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
                let by_itself = match holder {
                    LeaseHolder::Connection { .. } => true,
                    LeaseHolder::Manual
                    | LeaseHolder::Face { .. }
                    | LeaseHolder::Visit
                    | LeaseHolder::Transfer { .. } => false,
                };
                self.leases.insert(id, Held { holder, since: now });
                self.acquired(by_itself, now)
            }
            Input::Release { id } => {
                if self.leases.remove(&id).is_some() && self.leases.is_empty() {
                    self.released(now)
                } else {
                    Vec::new()
                }
            }
            Input::Dialled => self.dialled(now),
            Input::DialFailed { error, retriable, pushed_back, jitter } => {
                self.dial_failed(error, retriable, pushed_back, jitter, now)
            }
            Input::PathChanged => self.path_changed(now),
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

    /// `by_itself`: a program connected, and no person asked for the tunnel.
    fn acquired(&mut self, by_itself: bool, now: Moment) -> Vec<Effect> {
        match &mut self.state {
            State::Failed { until, .. } if by_itself && now < *until => Vec::new(),
            State::Idle | State::Failed { .. } => self.dial(now),
            State::Lingering { since, .. } => {
                self.state = State::Up { since: *since };
                vec![Effect::CancelTimer]
            }
            // Who was sent away does not come back with every connection.
            State::Reconnecting { pushed_back: true, .. } if by_itself => Vec::new(),
            State::Reconnecting { retry_at, failed_at, dialling: false, .. } => {
                sooner(retry_at, *failed_at, now)
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
                self.refusals = 0;
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

    fn dial_failed(
        &mut self,
        error: UiError,
        retriable: bool,
        pushed_back: bool,
        jitter: f64,
        now: Moment,
    ) -> Vec<Effect> {
        let (failures, step) = match &self.state {
            State::Connecting { .. } => (1, 1),
            // How often the host was out of reach says nothing about how often it wanted us to stay away.
            State::Reconnecting { failures, step, pushed_back: before, dialling: true, .. } => {
                let step = if *before == pushed_back { step.saturating_add(1) } else { 1 };
                (failures.saturating_add(1), step)
            }
            State::Idle
            | State::Up { .. }
            | State::Reconnecting { .. }
            | State::Lingering { .. }
            | State::Closing
            | State::Failed { .. } => return Vec::new(),
        };
        if !retriable {
            self.refusals = self.refusals.saturating_add(1);
            self.state = State::Failed { error, until: now + cool_down(self.refusals) };
            return Vec::new();
        }
        if self.leases.is_empty() {
            self.state = State::Idle;
            return Vec::new();
        }
        let retry_at = now + backoff(step, pushed_back, jitter);
        self.state = State::Reconnecting {
            failures,
            step,
            pushed_back,
            retry_at,
            failed_at: now,
            dialling: false,
            error,
        };
        vec![Effect::SetTimer(retry_at)]
    }

    fn session_lost(&mut self, error: UiError, now: Moment) -> Vec<Effect> {
        match self.state {
            // It was up a moment ago, so the first dial follows at once; only its failure begins the waiting.
            State::Up { .. } => {
                self.state = State::Reconnecting {
                    failures: 0,
                    step: 0,
                    pushed_back: false,
                    retry_at: now,
                    failed_at: now,
                    dialling: true,
                    error,
                };
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

    fn path_changed(&mut self, now: Moment) -> Vec<Effect> {
        match &mut self.state {
            State::Up { .. } | State::Lingering { .. } => vec![Effect::Check],
            State::Reconnecting { step, pushed_back, retry_at, failed_at, dialling, .. } => {
                *step = 0;
                *pushed_back = false;
                // A dial that is under way takes care of itself.
                if *dialling { Vec::new() } else { sooner(retry_at, *failed_at, now) }
            }
            State::Idle | State::Connecting { .. } | State::Closing | State::Failed { .. } => Vec::new(),
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
            LeaseHolder::Face { .. }
            | LeaseHolder::Transfer { .. }
            | LeaseHolder::Visit
            | LeaseHolder::Connection { .. } => !force,
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

/// Brings the next dial forward, as far as that is allowed.
fn sooner(retry_at: &mut Moment, failed_at: Moment, now: Moment) -> Vec<Effect> {
    let earliest = now.max(failed_at + SHORTEST_PAUSE);
    if earliest < *retry_at {
        *retry_at = earliest;
        vec![Effect::SetTimer(earliest)]
    } else {
        Vec::new()
    }
}
