//! Events on their way to a face that draws them: of each object the newest, so that it has no more work than it can show.
//!
//! Events carry whole objects, so a newer one makes an older one of the same object superfluous. What is left out is
//! still accounted for: each event says up to which number nothing else is missing before it.
//!
//! Those that come many times a second are passed on as the text that they came as: to take sixty layers apart two hundred
//! times a second, and to put five of those together again, was a fifth of what a busy window cost.

use dockline_model::{Change, DoctorId, Event, OfferId, PromptId, RegistryName, TransferId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// An event as a face that draws gets it. As JSON it is [`Event`] with a number more.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The number of the event before it: all numbers in between are of objects that come later.
    pub after: u64,
    /// As [`Event::sequence`].
    pub sequence: u64,
    change: Said,
}

/// A change, or its text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Said {
    Read(Box<Change>),
    Unread(Box<RawValue>),
}

/// An event of which no more was read than what it is about.
#[derive(Debug)]
struct Glance {
    sequence: u64,
    subject: Subject,
    change: Said,
}

/// The parts of an [`Envelope`](dockline_model::Envelope)'s line that say whether it is an event.
#[derive(Deserialize)]
struct Line<'a> {
    kind: &'a str,
    sequence: Option<u64>,
    #[serde(borrow)]
    change: Option<&'a RawValue>,
}

/// The parts of a [`Change`] that say what it is about, for those that come often.
#[derive(Deserialize)]
struct About<'a> {
    kind: &'a str,
    transfer: Option<Numbered>,
    registry: Option<Specified>,
}

#[derive(Deserialize)]
struct Numbered {
    id: TransferId,
}

#[derive(Deserialize)]
struct Specified {
    spec: Named,
}

#[derive(Deserialize)]
struct Named {
    name: RegistryName,
}

/// What an event's line is about; nothing if it is no event, or is to be read as any other line.
fn glance(line: &str) -> Option<Glance> {
    let Line { kind: "event", sequence: Some(sequence), change: Some(change) } =
        serde_json::from_str(line).ok()?
    else {
        return None;
    };
    let subject = match serde_json::from_str(change.get()).ok()? {
        About { kind: "transfer", transfer: Some(Numbered { id }), .. } => Subject::Transfer(id),
        About { kind: "registry", registry: Some(Specified { spec }), .. } => Subject::Registry(spec.name),
        About { .. } => return None,
    };
    Some(Glance { sequence, subject, change: Said::Unread(change.to_owned()) })
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Registry(RegistryName),
    Transfer(TransferId),
    Offer(OfferId),
    Engine,
    Prompt(PromptId),
    Config,
    Setup,
    Usage(RegistryName),
    Settings,
    Paused,
    Doctor(DoctorId),
    Everything,
}

fn subject(change: &Change) -> Subject {
    match change {
        Change::Registry { registry } => Subject::Registry(registry.spec.name.clone()),
        Change::RegistryGone { name } => Subject::Registry(name.clone()),
        Change::Transfer { transfer } => Subject::Transfer(transfer.id),
        Change::TransferGone { id } => Subject::Transfer(*id),
        Change::Offer { offer } => Subject::Offer(offer.id),
        Change::OfferGone { id } => Subject::Offer(*id),
        Change::Engine { .. } => Subject::Engine,
        Change::Prompt { prompt } => Subject::Prompt(prompt.id),
        Change::PromptGone { id } => Subject::Prompt(*id),
        Change::Config { .. } => Subject::Config,
        Change::Setup { .. } => Subject::Setup,
        Change::Usage { progress } => Subject::Usage(progress.registry.clone()),
        Change::Settings { .. } => Subject::Settings,
        Change::Paused { .. } => Subject::Paused,
        Change::Doctor { report } => Subject::Doctor(report.id),
        Change::DoctorGone { id } => Subject::Doctor(*id),
        Change::Resync { .. } => Subject::Everything,
    }
}

/// Events that the face has not been told yet, and the end of them.
#[derive(Debug, Default)]
pub struct Newest {
    batch: Mutex<Batch>,
    filled: Notify,
    ended: CancellationToken,
}

impl Newest {
    /// Adds what a line says, if it is an event of those that come often.
    pub(super) fn push_line(&self, line: &str) -> bool {
        let glance = glance(line);
        glance.map(|glance| self.add(glance)).is_some()
    }

    /// Adds the newest event.
    pub fn push(&self, Event { sequence, change }: Event) {
        self.add(Glance { sequence, subject: subject(&change), change: Said::Read(Box::new(change)) });
    }

    fn add(&self, glance: Glance) {
        self.lock().push(glance);
        self.filled.notify_one();
    }

    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    /// Waits until there is something to tell; false once no more will come, when there may be something still. May be
    /// dropped and called again without losing anything.
    pub async fn filled(&self) -> bool {
        loop {
            if self.ended.is_cancelled() {
                return false;
            }
            if !self.lock().waiting.is_empty() {
                return true;
            }
            tokio::select! {
                () = self.filled.notified() => {}
                () = self.ended.cancelled() => {}
            }
        }
    }

    /// Waits until no more will come.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// What there is to tell, in the order of the numbers.
    pub fn take(&self) -> Vec<Told> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Batch {
    /// Number of the last event that was told.
    told: Option<u64>,
    /// Number of the last event that came.
    came: Option<u64>,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    glance: Glance,
    /// Whether a number before it never came, which the face has to see.
    is_after_gap: bool,
}

impl Batch {
    fn push(&mut self, glance: Glance) {
        let before = glance.sequence.saturating_sub(1);
        self.told.get_or_insert(before);
        let mut is_after_gap = self.came.is_some_and(|came| came < before);
        if glance.subject == Subject::Everything {
            self.waiting.clear();
            is_after_gap = false;
        } else if let Some(at) = self.waiting.iter().position(|other| other.glance.subject == glance.subject)
        {
            is_after_gap |= self.waiting.remove(at).is_after_gap;
        }
        self.came = Some(glance.sequence);
        self.waiting.push(Waiting { glance, is_after_gap });
    }

    fn take(&mut self) -> Vec<Told> {
        let mut after = self.told.unwrap_or_default();
        let told = std::mem::take(&mut self.waiting).into_iter().map(|Waiting { glance, is_after_gap }| {
            let Glance { sequence, change, .. } = glance;
            let told = Told {
                after: if is_after_gap { sequence.saturating_sub(1) } else { after },
                sequence,
                change,
            };
            after = sequence;
            told
        });
        let told = told.collect();
        self.told = Some(after);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{Envelope, Road, TransferKind, TransferState, TransferView, UnixMillis};

    fn paused(sequence: u64, paused: bool) -> Event {
        Event { sequence, change: Change::Paused { paused } }
    }

    fn gone(sequence: u64, id: u64) -> Event {
        Event { sequence, change: Change::TransferGone { id: TransferId(id) } }
    }

    fn pushed(sequence: u64, id: u64) -> Event {
        let transfer = TransferView {
            id: TransferId(id),
            kind: TransferKind::Push,
            road: Road::Direct,
            why: Some("“because”\n".to_owned()),
            registry: "a.b".parse().unwrap(),
            host: None,
            source: "kind".to_owned(),
            reference: "{\"kind\":\"registry\"}".to_owned(),
            state: TransferState::Running,
            layers: Vec::new(),
            current: sequence,
            total: 100,
            sent: 0,
            skipped: 0,
            rate: None,
            seconds_left: None,
            started: UnixMillis(0),
            finished: None,
        };
        Event { sequence, change: Change::Transfer { transfer } }
    }

    fn numbers(told: &[Told]) -> Vec<(u64, u64)> {
        told.iter().map(|told| (told.after, told.sequence)).collect()
    }

    #[test]
    fn of_each_object_the_newest_is_told_and_no_number_is_missing() {
        let newest = Newest::default();
        for event in [paused(5, true), gone(6, 1), gone(7, 2), paused(8, false), gone(9, 1)] {
            newest.push(event);
        }
        let told = newest.take();
        assert_eq!(numbers(&told), [(4, 7), (7, 8), (8, 9)]);
        assert!(
            matches!(&told[1].change, Said::Read(change) if **change == Change::Paused { paused: false })
        );
        assert!(newest.take().is_empty());
        newest.push(gone(10, 3));
        assert_eq!(newest.take()[0].after, 9);
    }

    #[test]
    fn a_number_that_never_came_is_missed() {
        let newest = Newest::default();
        newest.push(paused(5, true));
        newest.take();
        newest.push(paused(7, false));
        newest.push(paused(8, true));
        assert_eq!(newest.take()[0].after, 7, "the page asks for what it missed");
    }

    #[test]
    fn lines_are_told_as_they_came_and_take_the_place_of_one_another() {
        let newest = Newest::default();
        for event in [pushed(5, 1), pushed(6, 2), pushed(7, 1)] {
            assert!(newest.push_line(&serde_json::to_string(&Envelope::Event(event)).unwrap()));
        }
        newest.push(gone(8, 2));
        let told = newest.take();
        assert_eq!(numbers(&told), [(4, 7), (7, 8)]);
        let json = serde_json::to_value(&told[0]).unwrap();
        let mut wanted = serde_json::to_value(pushed(7, 1)).unwrap();
        wanted["after"] = 4.into();
        assert_eq!(json, wanted);
        assert!(serde_json::from_value::<Event>(json).unwrap() == pushed(7, 1));
    }

    #[test]
    fn other_lines_are_for_others() {
        let newest = Newest::default();
        for envelope in [Envelope::Welcome { protocol: 1 }, Envelope::Event(paused(5, true))] {
            assert!(!newest.push_line(&serde_json::to_string(&envelope).unwrap()));
        }
        assert!(!newest.push_line("{"));
        assert!(newest.take().is_empty());
    }

    #[tokio::test]
    async fn what_came_before_the_end_is_told_still() {
        let newest = Newest::default();
        newest.push(paused(1, true));
        assert!(newest.filled().await);
        newest.end();
        assert!(!newest.filled().await);
        newest.ended().await;
        assert_eq!(newest.take().len(), 1);
    }
}
