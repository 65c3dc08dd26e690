//! The shell's own copy of the state, kept up to date by the owner's events.

use dockline_model::{Change, Event, Snapshot};

/// Whether the event tells something that `state` does not have yet.
#[must_use]
pub fn is_newer(state: &Snapshot, event: &Event) -> bool {
    event.sequence > state.sequence || matches!(event.change, Change::Resync { .. })
}

/// Applies one event. Events carry whole objects, so the newest one of an object is all there is to know.
pub fn apply(state: &mut Snapshot, event: Event) {
    state.sequence = event.sequence;
    match event.change {
        Change::Registry { registry } => {
            put(&mut state.registries, registry, |one, two| one.spec.name == two.spec.name);
        }
        Change::RegistryGone { name } => state.registries.retain(|registry| registry.spec.name != name),
        Change::Transfer { transfer } => put(&mut state.transfers, transfer, |one, two| one.id == two.id),
        Change::TransferGone { id } => state.transfers.retain(|transfer| transfer.id != id),
        Change::Offer { offer } => put(&mut state.offers, offer, |one, two| one.id == two.id),
        Change::OfferGone { id } => state.offers.retain(|offer| offer.id != id),
        Change::Engine { engine } => state.engine = engine,
        Change::Prompt { prompt } => put(&mut state.prompts, prompt, |one, two| one.id == two.id),
        Change::PromptGone { id } => state.prompts.retain(|prompt| prompt.id != id),
        Change::Config { error } => state.config_error = error,
        Change::Setup { progress } => state.setup = progress,
        // The one who asked for it shows it.
        Change::Usage { progress: _ } => {}
        Change::Settings { settings } => state.settings = settings,
        Change::Paused { paused } => state.paused = paused,
        Change::Doctor { report } => put(&mut state.doctors, report, |one, two| one.id == two.id),
        Change::DoctorGone { id } => state.doctors.retain(|report| report.id != id),
        Change::Updates { updates } => state.updates = updates,
        Change::Resync { snapshot } => *state = snapshot,
    }
}

fn put<T>(all: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
    match all.iter_mut().find(|old| same(old, &new)) {
        Some(old) => *old = new,
        None => all.push(new),
    }
}

/// Whether `after` asks the person something that `before` did not: the window must be there to ask it.
#[must_use]
pub fn asks_something_new(before: &Snapshot, after: &Snapshot) -> bool {
    after.prompts.iter().any(|prompt| before.prompts.iter().all(|old| old.id != prompt.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{registry, snapshot, transfer};
    use dockline_model::{Prompt, PromptId, Question, TransferId, TransferState, TunnelState, UnixMillis};

    fn event(sequence: u64, change: Change) -> Event {
        Event { sequence, change }
    }

    #[test]
    fn the_newest_object_replaces_the_older_one_in_its_place() {
        let mut state = snapshot();
        for name in ["a.example", "b.example"] {
            apply(&mut state, event(1, Change::Registry { registry: registry(name, TunnelState::Idle) }));
        }
        let up = TunnelState::Up { since: UnixMillis(1) };
        apply(&mut state, event(2, Change::Registry { registry: registry("a.example", up.clone()) }));
        assert_eq!(state.registries.len(), 2);
        assert_eq!(state.registries[0].tunnel.state, up);
        apply(&mut state, event(3, Change::Transfer { transfer: transfer(7, TransferState::Waiting) }));
        apply(&mut state, event(4, Change::Transfer { transfer: transfer(7, TransferState::Running) }));
        assert_eq!(state.transfers, [transfer(7, TransferState::Running)]);
        apply(&mut state, event(5, Change::TransferGone { id: TransferId(7) }));
        apply(&mut state, event(6, Change::RegistryGone { name: "a.example".parse().unwrap() }));
        assert_eq!((state.transfers.len(), state.registries.len(), state.sequence), (0, 1, 6));
        apply(&mut state, event(9, Change::Resync { snapshot: snapshot() }));
        assert_eq!(state, snapshot());
    }

    #[test]
    fn only_a_new_question_calls_for_the_window() {
        let mut after = snapshot();
        after.prompts.push(Prompt {
            id: PromptId(1),
            registry: "cr.boss.org".parse().unwrap(),
            question: Question::Password { login: "a@b".to_owned(), again: false },
            can_keep: true,
        });
        assert!(asks_something_new(&snapshot(), &after));
        assert!(!asks_something_new(&after, &after));
        assert!(!asks_something_new(&after, &snapshot()));
    }
}
