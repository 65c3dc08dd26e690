//! The rules of the lifecycle, over single steps and over random histories.

use super::{
    waits::{
        FIRST_BACKOFF, FIRST_PUSHED_BACK, LONGEST_BACKOFF, LONGEST_COOL_DOWN, LONGEST_PUSHED_BACK,
        SHORTEST_PAUSE,
    },
    *,
};
use dockline_model::{Code, TransferId};
use proptest::prelude::*;

const LINGER: Duration = Duration::from_secs(10);

fn error() -> UiError {
    UiError::new(Code::SshLost, "The session was lost.")
}

fn manual(id: u64) -> Input {
    Input::Acquire { id: LeaseId(id), holder: LeaseHolder::Manual }
}

fn transfer(id: u64) -> Input {
    Input::Acquire { id: LeaseId(id), holder: LeaseHolder::Transfer { id: TransferId(id) } }
}

fn connection(id: u64) -> Input {
    let peer = "127.0.0.1:40000".parse().unwrap();
    Input::Acquire { id: LeaseId(id), holder: LeaseHolder::Connection { peer } }
}

fn release(id: u64) -> Input {
    Input::Release { id: LeaseId(id) }
}

fn failed(retriable: bool) -> Input {
    Input::DialFailed { error: error(), retriable, pushed_back: false, jitter: 0.5 }
}

const fn at(seconds: u64) -> Moment {
    Duration::from_secs(seconds)
}

fn up() -> Lifecycle {
    let mut tunnel = Lifecycle::new(LINGER);
    assert_eq!(tunnel.handle(manual(1), at(0)), [Effect::Dial]);
    assert_eq!(tunnel.handle(Input::Dialled, at(1)), []);
    assert_eq!(*tunnel.state(), State::Up { since: at(1) });
    tunnel
}

#[test]
fn a_tunnel_lingers_exactly_as_long_as_it_should() {
    let mut tunnel = up();
    assert_eq!(tunnel.handle(release(1), at(20)), [Effect::SetTimer(at(30))]);
    let almost = at(30) - Duration::from_nanos(1);
    assert_eq!(tunnel.handle(Input::Tick, almost), [Effect::SetTimer(at(30))]);
    assert_eq!(tunnel.handle(Input::Tick, at(30)), [Effect::Close]);
    assert_eq!(tunnel.handle(Input::Closed, at(31)), []);
    assert_eq!(*tunnel.state(), State::Idle);
}

#[test]
fn a_lease_during_the_linger_does_not_dial() {
    let mut tunnel = up();
    tunnel.handle(release(1), at(20));
    assert_eq!(tunnel.handle(transfer(2), at(25)), [Effect::CancelTimer]);
    assert_eq!(*tunnel.state(), State::Up { since: at(1) });
    assert_eq!(tunnel.handle(Input::Tick, at(30)), []);
}

#[test]
fn a_lease_during_the_close_dials_again_after_it() {
    let mut tunnel = up();
    tunnel.handle(release(1), at(20));
    tunnel.handle(Input::Tick, at(30));
    assert_eq!(tunnel.handle(transfer(2), at(30)), []);
    assert_eq!(tunnel.handle(Input::Closed, at(31)), [Effect::Dial]);
}

#[test]
fn a_lost_session_is_dialled_at_once_and_then_with_growing_waits() {
    let mut tunnel = up();
    assert_eq!(tunnel.handle(Input::SessionLost { error: error() }, at(5)), [Effect::Dial]);
    let mut now = at(6);
    let mut last = Duration::ZERO;
    for failures in 1..8 {
        let effects = tunnel.handle(failed(true), now);
        let [Effect::SetTimer(retry)] = effects[..] else { panic!("{effects:?}") };
        assert!(retry - now >= last, "the wait after failure {failures} shrank");
        last = retry - now;
        assert_eq!(tunnel.handle(Input::Tick, retry), [Effect::Dial]);
        now = retry;
    }
    assert_eq!(tunnel.handle(Input::Dialled, now), []);
    assert!(matches!(tunnel.state(), State::Up { .. }));
}

#[test]
fn somebody_new_shortens_the_wait_but_not_below_the_pause() {
    let mut tunnel = Lifecycle::new(LINGER);
    tunnel.handle(manual(1), at(0));
    let mut now = at(0);
    for _ in 0..8 {
        tunnel.handle(failed(true), now);
        now += LONGEST_BACKOFF;
        tunnel.handle(Input::Tick, now);
    }
    tunnel.handle(failed(true), now);
    assert_eq!(tunnel.handle(transfer(2), now), [Effect::SetTimer(now + SHORTEST_PAUSE)]);
    assert_eq!(tunnel.handle(transfer(3), now), []);
}

#[test]
fn what_cannot_be_mended_waits_for_a_new_lease() {
    let mut tunnel = Lifecycle::new(LINGER);
    tunnel.handle(manual(1), at(0));
    assert_eq!(tunnel.handle(failed(false), at(1)), []);
    assert_eq!(tunnel.handle(Input::Tick, at(100)), []);
    assert_eq!(tunnel.handle(release(1), at(100)), []);
    assert!(matches!(tunnel.state(), State::Failed { .. }));
    assert_eq!(tunnel.handle(manual(2), at(101)), [Effect::Dial]);
}

#[test]
fn programs_are_refused_during_the_cool_down_and_a_person_is_not() {
    let mut tunnel = Lifecycle::new(LINGER);
    assert_eq!(tunnel.handle(connection(1), at(0)), [Effect::Dial]);
    // Those who come while it is tried share the try.
    assert_eq!(tunnel.handle(connection(2), at(1)), []);
    tunnel.handle(failed(false), at(1));
    for id in 3..50 {
        assert_eq!(tunnel.handle(connection(id), at(id)), []);
        tunnel.handle(release(id), at(id));
    }
    // The network has nothing to do with it.
    assert_eq!(tunnel.handle(Input::PathChanged, at(50)), []);
    assert_eq!(tunnel.handle(connection(60), at(61)), [Effect::Dial], "the cool-down is a minute");
    tunnel.handle(failed(false), at(62));
    assert_eq!(tunnel.handle(connection(61), at(62 + 119)), [], "the next is two");
    assert_eq!(tunnel.handle(manual(62), at(62 + 119)), [Effect::Dial], "Connect does not wait for it");
    tunnel.handle(Input::Dialled, at(200));
    tunnel.handle(Input::Disconnect { force: true }, at(201));
    tunnel.handle(Input::Closed, at(201));
    // Success clears the count.
    tunnel.handle(connection(70), at(300));
    tunnel.handle(failed(false), at(300));
    assert_eq!(tunnel.handle(connection(71), at(361)), [Effect::Dial]);
}

#[test]
fn a_changed_path_is_checked_while_up_and_dialled_at_once_while_down() {
    let mut tunnel = up();
    assert_eq!(tunnel.handle(Input::PathChanged, at(2)), [Effect::Check]);
    tunnel.handle(Input::SessionLost { error: error() }, at(3));
    let mut now = at(3);
    for _ in 0..8 {
        tunnel.handle(failed(true), now);
        now += LONGEST_BACKOFF;
        tunnel.handle(Input::Tick, now);
    }
    tunnel.handle(failed(true), now);
    // No later than a second after the last failure, and the waits begin anew.
    assert_eq!(tunnel.handle(Input::PathChanged, now), [Effect::SetTimer(now + SHORTEST_PAUSE)]);
    now += SHORTEST_PAUSE;
    assert_eq!(tunnel.handle(Input::Tick, now), [Effect::Dial]);
    let effects = tunnel.handle(failed(true), now);
    let [Effect::SetTimer(retry)] = effects[..] else { panic!("{effects:?}") };
    assert!(retry - now <= FIRST_BACKOFF);
    assert_eq!(tunnel.handle(Input::PathChanged, retry), [], "it is due anyway");
}

#[test]
fn a_server_that_hung_up_is_left_alone_for_a_while() {
    let pushed_back =
        || Input::DialFailed { error: error(), retriable: true, pushed_back: true, jitter: 0.0 };
    let mut tunnel = Lifecycle::new(LINGER);
    tunnel.handle(connection(1), at(0));
    assert_eq!(tunnel.handle(pushed_back(), at(0)), [Effect::SetTimer(at(2))]);
    assert_eq!(tunnel.handle(connection(2), at(0)), [], "programs do not shorten the wait");
    assert_eq!(tunnel.handle(Input::Tick, at(2)), [Effect::Dial]);
    assert_eq!(tunnel.handle(pushed_back(), at(2)), [Effect::SetTimer(at(6))]);
    assert_eq!(tunnel.handle(manual(3), at(2)), [Effect::SetTimer(at(3))], "a person does");
}

#[test]
fn disconnect_leaves_others_alone_unless_forced() {
    let mut tunnel = up();
    tunnel.handle(transfer(2), at(2));
    assert_eq!(tunnel.handle(Input::Disconnect { force: false }, at(3)), []);
    assert_eq!(tunnel.leases().len(), 1);
    assert!(matches!(tunnel.state(), State::Up { .. }));
    assert_eq!(
        tunnel.handle(Input::Disconnect { force: true }, at(4)),
        [Effect::ResetConnections, Effect::Close]
    );
    assert_eq!(tunnel.handle(release(2), at(5)), [], "a lease that was taken away may still be released");
}

#[test]
fn a_dial_outlives_those_who_wanted_it_unless_disconnected() {
    let mut tunnel = Lifecycle::new(LINGER);
    tunnel.handle(transfer(1), at(0));
    assert_eq!(tunnel.handle(release(1), at(1)), []);
    assert_eq!(tunnel.handle(Input::Dialled, at(2)), [Effect::SetTimer(at(12))]);

    let mut tunnel = Lifecycle::new(LINGER);
    tunnel.handle(manual(1), at(0));
    assert_eq!(tunnel.handle(Input::Disconnect { force: false }, at(1)), [Effect::AbortDial]);
    assert_eq!(*tunnel.state(), State::Idle);
}

/// What a random history is made of; the world below turns it into inputs that make sense.
#[derive(Debug, Clone)]
enum Step {
    Acquire(u8),
    Release(prop::sample::Index),
    DialSucceeds,
    DialFails(bool, bool, f64),
    PathChanges,
    Lose,
    CloseEnds,
    Wait(u64),
    Disconnect(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Acquire),
        4 => any::<prop::sample::Index>().prop_map(Step::Release),
        3 => Just(Step::DialSucceeds),
        2 => (any::<bool>(), any::<bool>(), 0.0..1.0_f64)
            .prop_map(|(retriable, pushed_back, jitter)| Step::DialFails(retriable, pushed_back, jitter)),
        1 => Just(Step::PathChanges),
        1 => Just(Step::Lose),
        2 => Just(Step::CloseEnds),
        4 => (0..12_000_u64).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Disconnect),
    ]
}

/// What an actor that performs the effects would have in its hands.
#[derive(Default)]
struct World {
    now: Moment,
    dialling: bool,
    session: bool,
    closing: bool,
    timer: Option<Moment>,
    unheld_since: Option<Moment>,
}

impl World {
    fn perform(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Dial => {
                    assert!(!self.dialling, "two dials at once");
                    assert!(!self.session, "a dial beside a session");
                    self.dialling = true;
                }
                Effect::AbortDial => {
                    assert!(self.dialling, "no dial to abort");
                    self.dialling = false;
                }
                Effect::Close => {
                    assert!(self.session, "no session to close");
                    assert!(!self.closing, "closed twice");
                    self.closing = true;
                }
                Effect::SetTimer(moment) => self.timer = Some(*moment),
                Effect::CancelTimer => self.timer = None,
                Effect::ResetConnections => {}
                Effect::Check => assert!(self.session && !self.closing, "no session to check"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_histories_keep_the_rules(
        linger in prop_oneof![Just(0_u64), 1..10_000_u64],
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let linger = Duration::from_millis(linger);
        let mut tunnel = Lifecycle::new(linger);
        let mut world = World::default();
        let mut held: Vec<(LeaseId, bool)> = Vec::new();
        let mut next = 0;
        for step in steps {
            let mut inputs = Vec::new();
            match step {
                Step::Acquire(kind) => {
                    next += 1;
                    held.push((LeaseId(next), kind == 0));
                    inputs.push(match kind {
                        0 => manual(next),
                        1 => transfer(next),
                        _ => connection(next),
                    });
                    // Only a cool-down, which a program may not end, leaves a wish without an effect.
                    if let State::Failed { until, .. } = tunnel.state()
                        && kind == 2
                        && world.now < *until
                    {
                        prop_assert_eq!(tunnel.clone().handle(inputs[0].clone(), world.now), []);
                    }
                }
                Step::Release(index) if !held.is_empty() => {
                    let (id, _) = held.swap_remove(index.index(held.len()));
                    inputs.push(Input::Release { id });
                }
                Step::DialSucceeds if world.dialling => {
                    world.dialling = false;
                    world.session = true;
                    inputs.push(Input::Dialled);
                }
                Step::DialFails(retriable, pushed_back, jitter) if world.dialling => {
                    world.dialling = false;
                    inputs.push(Input::DialFailed { error: error(), retriable, pushed_back, jitter });
                }
                Step::PathChanges => inputs.push(Input::PathChanged),
                Step::Lose if world.session && !world.closing => {
                    world.session = false;
                    inputs.push(Input::SessionLost { error: error() });
                }
                Step::CloseEnds if world.closing => {
                    world.closing = false;
                    world.session = false;
                    inputs.push(Input::Closed);
                }
                Step::Disconnect(force) => {
                    held.retain(|(_, by_hand)| !by_hand && !force);
                    inputs.push(Input::Disconnect { force });
                }
                Step::Wait(millis) => {
                    let end = world.now + Duration::from_millis(millis);
                    while let Some(timer) = world.timer.filter(|timer| *timer <= end) {
                        world.timer = None;
                        world.now = timer;
                        let was_lingering = matches!(tunnel.state(), State::Lingering { .. });
                        let effects = tunnel.handle(Input::Tick, timer);
                        if was_lingering && effects.contains(&Effect::Close) {
                            prop_assert_eq!(world.unheld_since.map(|t| t + linger), Some(timer));
                        }
                        world.perform(&effects);
                    }
                    world.now = end;
                }
                Step::Release(_) | Step::DialSucceeds | Step::DialFails(..) | Step::Lose | Step::CloseEnds => {}
            }
            for input in inputs {
                let effects = tunnel.handle(input, world.now);
                world.perform(&effects);
            }

            // No lost lease, none made up.
            let mut expected: Vec<_> = held.iter().map(|(id, _)| *id).collect();
            expected.sort();
            prop_assert_eq!(tunnel.leases().keys().copied().collect::<Vec<_>>(), expected);

            // The moment from which nobody held an open session.
            if world.session && !world.closing && tunnel.leases().is_empty() {
                world.unheld_since.get_or_insert(world.now);
            } else {
                world.unheld_since = None;
            }

            match tunnel.state() {
                State::Up { .. } => {
                    prop_assert!(world.session && !world.closing);
                    prop_assert!(!tunnel.leases().is_empty(), "up without a lease");
                }
                State::Lingering { until, .. } => {
                    prop_assert!(world.session && tunnel.leases().is_empty());
                    prop_assert_eq!(world.timer, Some(*until));
                    prop_assert!(*until > world.now, "lingered past its end");
                }
                State::Connecting { .. } => prop_assert!(world.dialling),
                State::Reconnecting { dialling, retry_at, .. } => {
                    prop_assert_eq!(world.dialling, *dialling);
                    prop_assert!(!tunnel.leases().is_empty(), "reconnecting for nobody");
                    if !dialling {
                        prop_assert_eq!(world.timer, Some(*retry_at));
                        prop_assert!(*retry_at <= world.now + LONGEST_PUSHED_BACK);
                    }
                }
                State::Closing => prop_assert!(world.closing),
                State::Idle | State::Failed { .. } => {
                    prop_assert!(!world.session && !world.dialling);
                }
            }
            if matches!(tunnel.state(), State::Idle) {
                prop_assert!(tunnel.leases().is_empty(), "idle although it is wanted");
            }
        }
    }

    #[test]
    fn waits_are_bounded(step in 0..100_u32, jitter in 0.0..1.0_f64) {
        let growth = 1 << step.saturating_sub(1).min(10);
        let wait = backoff(step, false, jitter);
        prop_assert!(wait >= FIRST_BACKOFF / 2);
        prop_assert!(wait <= LONGEST_BACKOFF.min(FIRST_BACKOFF * growth));
        let wait = backoff(step, true, jitter);
        prop_assert!(wait >= FIRST_PUSHED_BACK / 2);
        prop_assert!(wait <= LONGEST_PUSHED_BACK.min(FIRST_PUSHED_BACK * growth));
        prop_assert!(cool_down(step) <= LONGEST_COOL_DOWN);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// An hour without the host in virtual time, the network coming back at some moment of it.
    #[test]
    fn a_returning_network_is_used_within_a_second_and_a_dead_one_is_not_hammered(
        back_at in 1_000..3_600_000_u64,
        dial_takes in 0..3_000_u64,
        jitters in prop::collection::vec(0.0..1.0_f64, 16),
    ) {
        let mut tunnel = up();
        let mut now = at(5);
        let back_at = now + Duration::from_millis(back_at);
        let dial_takes = Duration::from_millis(dial_takes);
        tunnel.handle(Input::SessionLost { error: error() }, now);
        let (mut dials, mut dialling) = (1_u32, true);
        let mut retry = now;
        loop {
            let next = if dialling { now + dial_takes } else { retry };
            if next >= back_at {
                break;
            }
            now = next;
            if dialling {
                let jitter = jitters[dials as usize % jitters.len()];
                let input = Input::DialFailed { error: error(), retriable: true, pushed_back: false, jitter };
                let effects = tunnel.handle(input, now);
                let [Effect::SetTimer(at)] = effects[..] else { panic!("{effects:?}") };
                (retry, dialling) = (at, false);
            } else {
                prop_assert_eq!(tunnel.handle(Input::Tick, now), [Effect::Dial]);
                dials += 1;
                dialling = true;
            }
        }
        // At least half the longest wait lies between two dials once it has been reached.
        let hour = (back_at - at(5)).as_secs_f64();
        prop_assert!(f64::from(dials) <= 8.0 + hour / (LONGEST_BACKOFF / 2).as_secs_f64(), "{} dials", dials);
        if !dialling {
            let effects = tunnel.handle(Input::PathChanged, back_at);
            let begins = match effects[..] {
                [Effect::SetTimer(at)] => at,
                [] => retry,
                _ => panic!("{effects:?}"),
            };
            prop_assert!(begins <= back_at + SHORTEST_PAUSE, "begins {:?} after", begins - back_at);
        }
    }
}

#[test]
fn a_hundred_who_want_it_at_once_cause_one_dial() {
    let mut tunnel = Lifecycle::new(LINGER);
    let dials = (0..100).flat_map(|id| tunnel.handle(transfer(id), at(0))).count();
    assert_eq!(dials, 1);
    assert_eq!(tunnel.leases().len(), 100);
}
