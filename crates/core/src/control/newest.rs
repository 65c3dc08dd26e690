//! Events on their way to a face that draws them: of each object the newest, so that it has no more work than it can show.
//!
//! Events carry whole objects, so a newer one makes an older one of the same object superfluous. What is left out is
//! still accounted for: each event says up to which number nothing else is missing before it.
//!
//! Those that come many times a second are passed on as the text that they came as, and of those that a newer one makes
//! superfluous no more is read than the beginning: to take sixty layers apart two hundred times a second, and to put five
//! of those together again, was a fifth of what a busy window cost.

use dockline_model::{Change, Event, RegistryName, Subject, TransferId};
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
    /// A line of which only the beginning was read; the change begins there. Looked through once it is told.
    #[serde(skip)]
    Line {
        line: String,
        from: usize,
    },
}

impl Said {
    /// As it can be told; nothing if a line that began well went on as no JSON.
    fn looked_through(self) -> Option<Self> {
        let Self::Line { mut line, from } = self else { return Some(self) };
        line.pop();
        line.drain(..from);
        match RawValue::from_string(line) {
            Ok(change) => Some(Self::Unread(change)),
            Err(error) => {
                tracing::warn!(%error, "the owner said something that does not read");
                None
            }
        }
    }
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

/// How the owner begins the line of a transfer, up to its number. One that begins otherwise is read as JSON.
const TRANSFER: [&str; 3] =
    [r#"{"kind":"event","sequence":"#, r#","change":"#, r#"{"kind":"transfer","transfer":{"id":"#];

/// What the line of a transfer is about, by its first hundred bytes; the line itself if it is another's.
fn transfer_line(line: String) -> Result<Glance, String> {
    fn number(text: &str) -> Option<(u64, &str)> {
        let end = text.find(|character: char| !character.is_ascii_digit())?;
        Some((text.get(..end)?.parse().ok()?, text.get(end..)?))
    }
    let begun = || {
        let [before, change, transfer] = TRANSFER;
        let (sequence, rest) = number(line.strip_prefix(before)?)?;
        let rest = rest.strip_prefix(change)?;
        let from = line.len() - rest.len();
        let (id, rest) = number(rest.strip_prefix(transfer)?)?;
        (rest.starts_with(',') && rest.ends_with("}}}")).then_some((sequence, TransferId(id), from))
    };
    match begun() {
        Some((sequence, id, from)) => {
            Ok(Glance { sequence, subject: Subject::Transfer(id), change: Said::Line { line, from } })
        }
        None => Err(line),
    }
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

/// Events that the face has not been told yet, and the end of them.
#[derive(Debug, Default)]
pub struct Newest {
    batch: Mutex<Batch>,
    filled: Notify,
    ended: CancellationToken,
}

impl Newest {
    /// Adds what a line says, if it is an event of those that come often; otherwise the line is given back.
    pub(super) fn push_line(&self, line: String) -> Option<String> {
        match transfer_line(line).or_else(|line| glance(&line).ok_or(line)) {
            Ok(glance) => {
                self.add(glance);
                None
            }
            Err(line) => Some(line),
        }
    }

    /// Adds the newest event.
    pub fn push(&self, Event { sequence, change }: Event) {
        self.add(Glance { sequence, subject: change.subject(), change: Said::Read(Box::new(change)) });
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
    /// Whether the last one could not be told, which the face has to see by the next.
    lost: bool,
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
        let mut told = Vec::new();
        for Waiting { glance: Glance { sequence, change, .. }, is_after_gap } in self.waiting.drain(..) {
            let is_after_gap = is_after_gap || self.lost;
            let change = change.looked_through();
            self.lost = change.is_none();
            if let Some(change) = change {
                let after = if is_after_gap { sequence.saturating_sub(1) } else { after };
                told.push(Told { after, sequence, change });
            }
            after = sequence;
        }
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
            share: None,
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
            let line = serde_json::to_string(&Envelope::Event(event)).unwrap();
            assert!(matches!(transfer_line(line.clone()), Ok(Glance { change: Said::Line { .. }, .. })));
            assert_eq!(newest.push_line(line), None);
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
            let line = serde_json::to_string(&envelope).unwrap();
            assert_eq!(newest.push_line(line.clone()), Some(line));
        }
        assert_eq!(newest.push_line("{".to_owned()).as_deref(), Some("{"));
        assert!(newest.take().is_empty());
    }

    #[test]
    fn a_transfer_told_in_another_order_is_told_too() {
        let newest = Newest::default();
        let event = serde_json::to_value(Envelope::Event(pushed(5, 1))).unwrap();
        let line =
            format!(r#"{{"change":{},"kind":"event", "sequence":{}}}"#, event["change"], event["sequence"]);
        assert!(transfer_line(line.clone()).is_err());
        assert_eq!(newest.push_line(line), None);
        assert!(
            serde_json::from_value::<Event>(serde_json::to_value(&newest.take()[0]).unwrap()).unwrap()
                == pushed(5, 1)
        );
    }

    #[test]
    fn a_line_that_goes_on_as_no_json_is_missed_by_the_face() {
        let newest = Newest::default();
        newest.push(paused(4, true));
        let line = r#"{"kind":"event","sequence":5,"change":{"kind":"transfer","transfer":{"id":1,}}}"#;
        assert_eq!(newest.push_line(line.to_owned()), None);
        assert_eq!(numbers(&newest.take()), [(3, 4)]);
        newest.push(paused(6, true));
        assert_eq!(
            numbers(&newest.take()),
            [(5, 6)],
            "the page, which had the fourth last, asks for the rest"
        );
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
