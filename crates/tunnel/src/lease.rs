//! Leases: a number for each that holds the tunnel, and the guard that lets go.
//!
//! Nothing is counted here. That a lease was taken and that it was dropped are messages to the tunnel's one task, whose
//! map of leases is the only count there is. What has to hold for that, on however many threads leases are taken,
//! handed on and dropped: no number is given twice, and no lease is let go before it was taken. The tests have loom try
//! every order.

use crate::{
    actor::{Inbox, Message},
    lifecycle::LeaseId,
};
use dockline_model::LeaseHolder;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio_util::sync::CancellationToken;

/// Who keeps the map: the tunnel's task, by way of its inbox.
pub(crate) trait Keeper: Clone {
    /// A lease was taken.
    fn taken(&self, id: LeaseId, holder: LeaseHolder, revoked: CancellationToken);
    /// It was dropped.
    fn let_go(&self, id: LeaseId);
}

impl Keeper for Inbox {
    fn taken(&self, id: LeaseId, holder: LeaseHolder, revoked: CancellationToken) {
        // An actor that is gone holds no leases; so below.
        let _ = self.send(Message::Acquire { id, holder, revoked });
    }

    fn let_go(&self, id: LeaseId) {
        let _ = self.send(Message::Release { id });
    }
}

/// Where leases are taken. Clones give out the same numbers.
#[derive(Debug, Clone)]
pub(crate) struct Leases<K> {
    keeper: K,
    next: Arc<AtomicU64>,
}

/// See [`crate::Lease`].
#[derive(Debug)]
pub(crate) struct Guard<K: Keeper> {
    id: LeaseId,
    keeper: K,
    revoked: CancellationToken,
}

impl<K: Keeper> Leases<K> {
    pub(crate) fn new(keeper: K) -> Self {
        Self { keeper, next: Arc::new(AtomicU64::new(1)) }
    }

    pub(crate) fn take(&self, holder: LeaseHolder) -> Guard<K> {
        let id = LeaseId(self.next.fetch_add(1, Ordering::Relaxed));
        let revoked = CancellationToken::new();
        // Before anybody has the guard, and so before it can be dropped.
        self.keeper.taken(id, holder, revoked.clone());
        Guard { id, keeper: self.keeper.clone(), revoked }
    }
}

impl<K: Keeper> Guard<K> {
    pub(crate) const fn id(&self) -> LeaseId {
        self.id
    }

    /// Resolves when the lease has been taken away.
    pub(crate) async fn revoked(&self) {
        self.revoked.cancelled().await;
    }
}

impl<K: Keeper> Drop for Guard<K> {
    fn drop(&mut self) {
        self.keeper.let_go(self.id);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::lifecycle::{Effect, Input, Lifecycle, State};
    use dockline_model::TransferId;
    use loom::{
        sync::mpsc::{Receiver, Sender, channel},
        thread,
    };
    use std::{collections::BTreeSet, time::Duration};

    const LINGER: Duration = Duration::from_secs(10);

    #[derive(Clone)]
    struct ToTask(Sender<Input>);

    impl Keeper for ToTask {
        fn taken(&self, id: LeaseId, holder: LeaseHolder, _: CancellationToken) {
            self.0.send(Input::Acquire { id, holder }).unwrap();
        }

        fn let_go(&self, id: LeaseId) {
            self.0.send(Input::Release { id }).unwrap();
        }
    }

    fn transfer(id: u64) -> LeaseHolder {
        LeaseHolder::Transfer { id: TransferId(id) }
    }

    /// The tunnel's task, as far as leases go: `inputs` messages, and what has to be so after each.
    fn task(inbox: &Receiver<Input>, inputs: usize) -> Lifecycle {
        let (mut tunnel, mut taken) = (Lifecycle::new(LINGER), BTreeSet::new());
        for _ in 0..inputs {
            let input = inbox.recv().unwrap();
            match &input {
                Input::Acquire { id, .. } => assert!(taken.insert(*id), "{id:?} was given twice"),
                Input::Release { id } => assert!(taken.contains(id), "{id:?} was let go before it was taken"),
                Input::Disconnect { force } => assert!(*force),
                Input::Dialled
                | Input::DialFailed { .. }
                | Input::SessionLost { .. }
                | Input::PathChanged
                | Input::Closed
                | Input::Tick => unreachable!("nobody sends that: {input:?}"),
            }
            let effects = tunnel.handle(input, Duration::ZERO);
            for effect in effects {
                let happened = match effect {
                    Effect::Dial => Input::Dialled,
                    Effect::Close => Input::Closed,
                    Effect::AbortDial
                    | Effect::Check
                    | Effect::SetTimer(_)
                    | Effect::CancelTimer
                    | Effect::ResetConnections => continue,
                };
                // A close that somebody waits for is followed by a dial, which ends at once here.
                let next = tunnel.handle(happened, Duration::ZERO);
                if next.contains(&Effect::Dial) {
                    tunnel.handle(Input::Dialled, Duration::ZERO);
                }
            }
            let is_held = !tunnel.leases().is_empty();
            assert_eq!(matches!(tunnel.state(), State::Up { .. }), is_held, "{:?}", tunnel.state());
        }
        tunnel
    }

    fn in_every_order(check: impl Fn() + Send + Sync + 'static) {
        let mut model = loom::model::Builder::new();
        // More than two involuntary switches of a run find next to nothing and take hours (loom's documentation).
        model.preemption_bound = Some(2);
        model.check(check);
    }

    #[test]
    fn whoever_lets_go_last_leaves_nothing_held() {
        in_every_order(|| {
            let (sender, inbox) = channel();
            let leases = Leases::new(ToTask(sender));
            // Taken by one and dropped by another, as a connection's is that a task was made for.
            let handed_on = leases.take(LeaseHolder::Manual);
            let other = thread::spawn(move || drop(handed_on));
            let own = leases.clone();
            let one = thread::spawn(move || {
                let first = own.take(transfer(1));
                let second = own.take(transfer(2));
                drop(first);
                drop(second);
            });
            let tunnel = task(&inbox, 6);
            assert!(tunnel.leases().is_empty());
            assert!(matches!(tunnel.state(), State::Lingering { .. }), "{:?}", tunnel.state());
            other.join().unwrap();
            one.join().unwrap();
        });
    }

    #[test]
    fn a_disconnect_in_between_takes_no_lease_that_comes_after_it() {
        in_every_order(|| {
            let (sender, inbox) = channel();
            let leases = Leases::new(ToTask(sender.clone()));
            let person = thread::spawn(move || sender.send(Input::Disconnect { force: true }).unwrap());
            let own = leases.clone();
            let program = thread::spawn(move || {
                drop(own.take(transfer(1)));
                own.take(transfer(2))
            });
            let mut tunnel = task(&inbox, 4);
            person.join().unwrap();
            let last = program.join().unwrap();
            // It is held if the person was earlier, and not if the person was the last to speak.
            let is_held = tunnel.leases().contains_key(&last.id());
            assert_eq!(is_held, tunnel.leases().len() == 1);
            drop(last);
            let released = inbox.recv().unwrap();
            tunnel.handle(released, Duration::ZERO);
            assert!(tunnel.leases().is_empty());
        });
    }
}
