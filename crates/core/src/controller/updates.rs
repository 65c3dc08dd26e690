//! Asking for newer versions, when a person says so or the settings do.

use super::{Answerer, Message, actor::Actor, transfers::unix_now};
use crate::{
    files::blocking,
    updates::{Address, Document, Kept, PATIENCE, RUNNING, UpdateError, ask},
};
use dockline_model::{Change, Reply, UiError, UpdatesView};
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// The start belongs to the icon and the tunnels; and the network may be late at login.
const HEAD_START: Duration = Duration::from_secs(5);
/// The clock is looked at so often, since a sleep of the machine's does not count for a timer.
const LONGEST_SLEEP: Duration = Duration::from_secs(6 * 60 * 60);

/// What is known, and what is going on.
#[derive(Debug, Default)]
pub(super) struct Updates {
    kept: Kept,
    /// Who is being asked.
    asking: Option<Address>,
    /// Faces that wait for the answer.
    waiting: Vec<Answerer>,
    timer: Option<AbortOnDropHandle<()>>,
}

impl Updates {
    pub(super) fn new(kept: Kept) -> Self {
        Self { kept, ..Self::default() }
    }
}

impl Actor {
    pub(super) fn updates_view(&self) -> UpdatesView {
        let updates = &self.updates;
        updates.kept.view(self.settings.update_url.as_deref(), RUNNING, updates.asking.is_some())
    }

    fn address(&self) -> Option<Address> {
        self.settings.update_url.as_deref()?.parse().ok()
    }

    pub(super) fn check_updates(&mut self, answer: Answerer) {
        let Some(address) = self.address() else {
            // A face that has gone does not hear it.
            let _ = answer.send(Err(UiError::from(&UpdateError::NoAddress)));
            return;
        };
        self.updates.waiting.push(answer);
        self.ask_for_updates(address);
    }

    fn ask_for_updates(&mut self, address: Address) {
        if self.updates.asking.is_some() {
            return;
        }
        self.updates.asking = Some(address.clone());
        self.publish(Change::Updates { updates: self.updates_view() });
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            let answer = ask(&address, PATIENCE).await.map_err(|error| UiError::from(&error));
            mailbox.post(Message::UpdateAnswer { answer });
        });
    }

    pub(super) async fn update_answer(&mut self, answer: Result<Document, UiError>) {
        let Some(asked) = self.updates.asking.take() else { return };
        if self.address().as_ref() == Some(&asked) {
            match &answer {
                Ok(document) => self.updates.kept.answered(&asked, unix_now(), document.clone()),
                Err(error) => self.updates.kept.failed(&asked, unix_now(), error.clone()),
            }
            // Before anybody is told, so that nobody is told twice.
            let (kept, path) = (self.updates.kept.clone(), self.paths.updates_file());
            if let Ok(Err(error)) = blocking(move || kept.write(&path)).await {
                tracing::warn!(%error, "what is known of newer versions is not kept");
            }
            self.publish(Change::Updates { updates: self.updates_view() });
            for face in std::mem::take(&mut self.updates.waiting) {
                let reply = answer.clone().map(|_| Reply::Updates { updates: self.updates_view() });
                // A face that has gone does not hear it.
                let _ = face.send(reply);
            }
        } else if let Some(address) = self.address().filter(|_| !self.updates.waiting.is_empty()) {
            // Another address was set meanwhile: whoever waits wants to know what that one says.
            self.ask_for_updates(address);
        } else {
            self.publish(Change::Updates { updates: self.updates_view() });
            for face in std::mem::take(&mut self.updates.waiting) {
                let _ = face.send(Err(UiError::from(&UpdateError::NoAddress)));
            }
        }
        self.arm_updates(Duration::ZERO);
    }

    /// Sets the clock for the next question, which comes no sooner than after `at_least`.
    pub(super) fn arm_updates(&mut self, at_least: Duration) {
        self.updates.timer = None;
        let Some(due) = self.updates_due_in() else { return };
        let mailbox = self.mailbox.clone();
        let timer = tokio::spawn(async move {
            tokio::time::sleep(due.clamp(at_least, LONGEST_SLEEP)).await;
            mailbox.post(Message::UpdatesDue);
        });
        self.updates.timer = Some(AbortOnDropHandle::new(timer));
    }

    /// An owner for the length of a command asks only what it was told to.
    fn updates_due_in(&self) -> Option<Duration> {
        let address = self.address().filter(|_| self.stays && self.updates.asking.is_none())?;
        self.updates.kept.due_in(self.settings.update_check, &address, unix_now())
    }

    pub(super) fn updates_due(&mut self) {
        match (self.updates_due_in(), self.address()) {
            (Some(Duration::ZERO), Some(address)) => self.ask_for_updates(address),
            (Some(_) | None, _) => self.arm_updates(Duration::ZERO),
        }
    }

    /// Takes over that the settings are others: whom to ask, or how often.
    pub(super) fn updates_resettled(&mut self) {
        self.publish(Change::Updates { updates: self.updates_view() });
        self.arm_updates(Duration::ZERO);
    }

    /// This owner stays: from now on it asks by itself, if it is to.
    pub(super) fn begin_updates(&mut self) {
        self.arm_updates(HEAD_START);
    }
}
