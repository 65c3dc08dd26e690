//! Events on their way to the page: of each object the newest, so that the page has no more work than it can show.
//!
//! Events carry whole objects, so a newer one makes an older one of the same object superfluous. What is left out is
//! still accounted for: each event says up to which number nothing else is missing before it.

use dockline_model::{Change, DoctorId, Event, OfferId, PromptId, RegistryName, TransferId};
use serde::Serialize;

/// An event as the page gets it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// The number of the event before it: all numbers in between are of objects that come later.
    pub after: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
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

/// Events that the page has not been told yet.
#[derive(Debug, Default)]
pub struct Batch {
    /// Number of the last event that the page was told.
    told: Option<u64>,
    /// Number of the last event that came.
    came: Option<u64>,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    subject: Subject,
    event: Event,
    /// Whether a number before it never came, which the page has to see.
    is_after_gap: bool,
}

impl Batch {
    /// Adds the newest event.
    pub fn push(&mut self, event: Event) {
        let before = event.sequence.saturating_sub(1);
        self.told.get_or_insert(before);
        let subject = subject(&event.change);
        let mut is_after_gap = self.came.is_some_and(|came| came < before);
        if subject == Subject::Everything {
            self.waiting.clear();
            is_after_gap = false;
        } else if let Some(at) = self.waiting.iter().position(|other| other.subject == subject) {
            is_after_gap |= self.waiting.remove(at).is_after_gap;
        }
        self.came = Some(event.sequence);
        self.waiting.push(Waiting { subject, event, is_after_gap });
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What there is to tell, in the order of the numbers.
    pub fn take(&mut self) -> Vec<Told> {
        let mut after = self.told.unwrap_or_default();
        let told =
            std::mem::take(&mut self.waiting).into_iter().map(|Waiting { event, is_after_gap, .. }| {
                let told = Told {
                    after: if is_after_gap { event.sequence.saturating_sub(1) } else { after },
                    event,
                };
                after = told.event.sequence;
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

    fn paused(sequence: u64, paused: bool) -> Event {
        Event { sequence, change: Change::Paused { paused } }
    }

    fn gone(sequence: u64, id: u64) -> Event {
        Event { sequence, change: Change::TransferGone { id: TransferId(id) } }
    }

    #[test]
    fn of_each_object_the_newest_is_told_and_no_number_is_missing() {
        let mut batch = Batch::default();
        for event in [paused(5, true), gone(6, 1), gone(7, 2), paused(8, false), gone(9, 1)] {
            batch.push(event);
        }
        let told = batch.take();
        let numbers: Vec<(u64, u64)> = told.iter().map(|told| (told.after, told.event.sequence)).collect();
        assert_eq!(numbers, [(4, 7), (7, 8), (8, 9)]);
        assert_eq!(told[1].event, paused(8, false));
        assert!(batch.is_empty());
        batch.push(gone(10, 3));
        assert_eq!(batch.take()[0].after, 9);
    }

    #[test]
    fn a_number_that_never_came_is_missed() {
        let mut batch = Batch::default();
        batch.push(paused(5, true));
        batch.take();
        batch.push(paused(7, false));
        batch.push(paused(8, true));
        assert_eq!(batch.take()[0].after, 7, "the page asks for what it missed");
    }

    #[test]
    fn the_page_reads_an_event_with_a_number_more() {
        let mut batch = Batch::default();
        batch.push(paused(5, true));
        let json = serde_json::to_value(&batch.take()[0]).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"after": 4, "sequence": 5, "change": {"kind": "paused", "paused": true}})
        );
    }
}
