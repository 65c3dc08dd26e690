//! One event a change, to every face at once: coalesced, numbered without gaps, bounded, and never a state lost
//! without a word.

use dockline_model::{Change, Event, OfferState, Snapshot, Subject, TransferState, TunnelState, UiError};
use futures::future::BoxFuture;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    mem::{self, Discriminant},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// An object whose state stays the same is told at most this often.
const QUIET: Duration = Duration::from_millis(100);
/// Events that may wait for one face; then it gets a snapshot instead.
const WAITING_LIMIT: usize = 512;

/// What must not be skipped: two changes of one object with the same phase differ in figures only.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Tunnel(Discriminant<TunnelState>, Option<UiError>),
    Transfer(Discriminant<TransferState>),
    Offer(Discriminant<OfferState>, Option<Box<UiError>>),
    Other(Discriminant<Change>),
}

fn phase_of(change: &Change) -> Phase {
    match change {
        Change::Registry { registry } => {
            Phase::Tunnel(mem::discriminant(&registry.tunnel.state), registry.tunnel.listener_error.clone())
        }
        Change::Transfer { transfer } => Phase::Transfer(mem::discriminant(&transfer.state)),
        Change::Offer { offer } => Phase::Offer(mem::discriminant(&offer.state), offer.error.clone()),
        Change::RegistryGone { .. }
        | Change::TransferGone { .. }
        | Change::OfferGone { .. }
        | Change::Engine { .. }
        | Change::Prompt { .. }
        | Change::PromptGone { .. }
        | Change::Config { .. }
        | Change::Setup { .. }
        | Change::Usage { .. }
        | Change::Settings { .. }
        | Change::Paused { .. }
        | Change::Doctor { .. }
        | Change::DoctorGone { .. }
        | Change::Updates { .. }
        | Change::Resync { .. } => Phase::Other(mem::discriminant(change)),
    }
}

/// The faces' mailboxes; shared between the actor, which fills them, and whoever subscribes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscribers(Arc<Mutex<Vec<Weak<Outbox>>>>);

impl Subscribers {
    /// A stream from now on; `resync` fetches the state for a reader that was too slow.
    pub(crate) fn subscribe(&self, resync: Resync) -> EventStream {
        let outbox = Arc::new(Outbox::default());
        lock(&self.0).push(Arc::downgrade(&outbox));
        EventStream { outbox, resync, behind: false, floor: 0 }
    }

    pub(crate) fn send(&self, event: &Event) {
        lock(&self.0).retain(|outbox| outbox.upgrade().inspect(|outbox| outbox.push(event)).is_some());
    }

    /// Ends every stream, once it has been read to its end.
    pub(crate) fn close(&self) {
        for outbox in lock(&self.0).drain(..).filter_map(|outbox| outbox.upgrade()) {
            lock(&outbox.queue).closed = true;
            outbox.filled.notify_one();
        }
    }
}

/// What waits for one face.
#[derive(Debug, Default)]
struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    overflowed: bool,
    closed: bool,
}

impl Outbox {
    fn push(&self, event: &Event) {
        let mut queue = lock(&self.queue);
        if queue.overflowed {
            return;
        }
        // None is left out, though a later one of the same object may have made it needless: a face takes a missing
        // number for a loss.
        queue.events.push_back(event.clone());
        if queue.events.len() > WAITING_LIMIT {
            queue.events = VecDeque::new();
            queue.overflowed = true;
        }
        drop(queue);
        self.filled.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fetches the whole state; `None` once the owner has ended.
pub(crate) type Resync = Arc<dyn Fn() -> BoxFuture<'static, Option<Snapshot>> + Send + Sync>;

/// Changes in their order.
pub struct EventStream {
    outbox: Arc<Outbox>,
    resync: Resync,
    /// Whether a snapshot is owed; kept here so that a dropped `next` owes it still.
    behind: bool,
    /// Events up to here are in the snapshot that was given.
    floor: u64,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("behind", &self.behind).finish_non_exhaustive()
    }
}

impl EventStream {
    /// One without an owner behind it.
    pub(crate) fn ended() -> Self {
        let subscribers = Subscribers::default();
        let events = subscribers.subscribe(Arc::new(|| Box::pin(async { None })));
        subscribers.close();
        events
    }

    /// The next change; `None` once the owner has ended. Whoever reads too slowly gets [`Change::Resync`] instead
    /// of what was missed. May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if self.behind {
                let snapshot = (self.resync)().await?;
                self.behind = false;
                self.floor = snapshot.sequence;
                return Some(Event { sequence: snapshot.sequence, change: Change::Resync { snapshot } });
            }
            {
                let mut queue = lock(&self.outbox.queue);
                if queue.overflowed {
                    // From here on events are collected again; the snapshot comes later, so none is missed.
                    queue.overflowed = false;
                    self.behind = true;
                    continue;
                }
                match queue.events.pop_front() {
                    Some(event) if event.sequence > self.floor => return Some(event),
                    Some(_) => continue,
                    None if queue.closed => return None,
                    None => {}
                }
            }
            self.outbox.filled.notified().await;
        }
    }

    /// The same as a [`futures::Stream`].
    pub fn into_stream(self) -> impl futures::Stream<Item = Event> + Send {
        futures::stream::unfold(self, |mut events| async move { Some((events.next().await?, events)) })
    }
}

/// Numbers the changes and holds back figures that come too fast. Belongs to the actor.
#[derive(Debug)]
pub(crate) struct Publisher {
    subscribers: Subscribers,
    sequence: u64,
    told: HashMap<Subject, Told>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    phase: Phase,
    held_back: Option<Change>,
}

impl Publisher {
    pub(crate) fn new(subscribers: Subscribers) -> Self {
        Self { subscribers, sequence: 0, told: HashMap::new() }
    }

    /// Sequence number of the last event that was sent.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Tells the faces: at once if the object's phase is new or it has been quiet for long enough, soon otherwise.
    pub(crate) fn publish(&mut self, change: Change, now: Instant) {
        let (key, phase) = (change.subject(), phase_of(&change));
        let coalesced = matches!(
            change,
            Change::Registry { .. } | Change::Transfer { .. } | Change::Offer { .. } | Change::Engine { .. }
        );
        if let Some(told) = self.told.get_mut(&key)
            && coalesced
            && told.phase == phase
            && now.duration_since(told.at) < QUIET
        {
            told.held_back = Some(change);
            return;
        }
        if coalesced {
            self.told.insert(key, Told { at: now, phase, held_back: None });
        } else {
            // Gone (or told once and for all): what was held back is history.
            self.told.remove(&key);
        }
        self.send(change);
    }

    /// Tells what was held back, and ends every stream.
    pub(crate) fn close(&mut self) {
        let held: Vec<Change> = self.told.drain().filter_map(|(_, told)| told.held_back).collect();
        held.into_iter().for_each(|change| self.send(change));
        self.subscribers.close();
    }

    /// When [`Self::flush`] has something to do.
    pub(crate) fn next_flush(&self) -> Option<Instant> {
        self.told.values().filter(|told| told.held_back.is_some()).map(|told| told.at + QUIET).min()
    }

    /// Sends what was held back long enough.
    pub(crate) fn flush(&mut self, now: Instant) {
        let due: Vec<Change> = self
            .told
            .values_mut()
            .filter(|told| told.held_back.is_some() && now.duration_since(told.at) >= QUIET)
            .filter_map(|told| {
                told.at = now;
                told.held_back.take()
            })
            .collect();
        due.into_iter().for_each(|change| self.send(change));
    }

    fn send(&mut self, change: Change) {
        self.sequence += 1;
        self.subscribers.send(&Event { sequence: self.sequence, change });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{
        Code, EngineState, EngineView, Road, TransferId, TransferKind, TransferView, UiError, UnixMillis,
    };

    fn transfer(id: u64, current: u64, state: TransferState) -> Change {
        Change::Transfer {
            transfer: TransferView {
                id: TransferId(id),
                kind: TransferKind::Push,
                road: Road::Direct,
                why: None,
                registry: "a.b".parse().unwrap(),
                host: None,
                source: String::new(),
                reference: String::new(),
                state,
                layers: vec![],
                current,
                total: 100,
                share: None,
                sent: 0,
                skipped: 0,
                rate: None,
                seconds_left: None,
                started: UnixMillis(0),
                finished: None,
            },
        }
    }

    fn snapshot(sequence: u64) -> Snapshot {
        Snapshot {
            sequence,
            config_path: String::new(),
            config_error: None,
            registries: vec![],
            transfers: vec![],
            engine: EngineView { state: EngineState::Unknown, images: vec![] },
            offers: Vec::new(),
            prompts: vec![],
            setup: None,
            settings: dockline_model::Settings::default(),
            places: dockline_model::Places::default(),
            paused: false,
            doctors: Vec::new(),
            updates: dockline_model::UpdatesView::default(),
        }
    }

    fn stream(subscribers: &Subscribers) -> EventStream {
        subscribers.subscribe(Arc::new(|| Box::pin(async { Some(snapshot(10_000)) })))
    }

    fn current(event: &Event) -> u64 {
        let Change::Transfer { transfer } = &event.change else { panic!("{event:?}") };
        transfer.current
    }

    #[tokio::test]
    async fn figures_are_held_back_and_states_are_not() {
        let subscribers = Subscribers::default();
        let mut events = stream(&subscribers);
        let mut publisher = Publisher::new(subscribers.clone());
        let start = Instant::now();
        for n in 0..50 {
            publisher.publish(transfer(1, n, TransferState::Running), start);
        }
        assert_eq!(current(&events.next().await.unwrap()), 0);
        let due = publisher.next_flush().unwrap();
        assert_eq!(due, start + QUIET);
        publisher.flush(due);
        assert_eq!(current(&events.next().await.unwrap()), 49);
        publisher.publish(transfer(1, 50, TransferState::Running), due);
        publisher.publish(transfer(1, 51, TransferState::Cancelled), due);
        assert_eq!(current(&events.next().await.unwrap()), 51);
        assert_eq!(publisher.next_flush(), None, "nothing comes after the end");
        assert_eq!(publisher.sequence(), 3);
    }

    #[tokio::test]
    async fn numbers_have_no_gaps_for_a_slow_reader_either() {
        let subscribers = Subscribers::default();
        let mut events = stream(&subscribers);
        let mut publisher = Publisher::new(subscribers.clone());
        let failed = TransferState::Failed { error: UiError::new(Code::Internal, "x") };
        let states = [TransferState::Waiting, TransferState::Running, failed];
        let mut now = Instant::now();
        for state in &states {
            for n in 0..100 {
                now += Duration::from_millis(20);
                publisher.publish(transfer(1, n, state.clone()), now);
                publisher.publish(transfer(2, n, TransferState::Running), now);
                publisher.flush(now);
            }
        }
        publisher.close();
        let (mut last, mut phases) = (0, Vec::new());
        while let Some(event) = events.next().await {
            assert_eq!(event.sequence, last + 1);
            last = event.sequence;
            if let Change::Transfer { transfer } = event.change
                && transfer.id == TransferId(1)
                && phases.last() != Some(&transfer.state)
            {
                phases.push(transfer.state);
            }
        }
        assert_eq!(phases, states);
        assert!(last < 200, "{last} events: figures were not held back");
    }

    #[tokio::test]
    async fn a_reader_that_is_too_slow_gets_the_whole_state() {
        let subscribers = Subscribers::default();
        let mut events = stream(&subscribers);
        for sequence in 1..=10_002 {
            subscribers.send(&Event { sequence, change: transfer(sequence, 0, TransferState::Waiting) });
        }
        let event = events.next().await.unwrap();
        assert!(matches!(event.change, Change::Resync { .. }));
        for sequence in 9_999..=10_001 {
            subscribers.send(&Event { sequence, change: transfer(sequence, 0, TransferState::Waiting) });
        }
        assert_eq!(event.sequence, 10_000, "the number of the snapshot that it holds");
        assert_eq!(events.next().await.unwrap().sequence, 10_001, "what the snapshot holds is skipped");
    }
}
