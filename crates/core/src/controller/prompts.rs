//! Questions of the tunnels, put to whichever face has a person in front of it.

use super::{Mailbox, Message};
use crate::secrets::Secrets;
use async_trait::async_trait;
use dockline_model::{Answer, Prompt, PromptId, Question, RegistryName};
use dockline_tunnel::{Ask, SecretId};
use secrecy::SecretString;
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::oneshot;

/// How long a question stays open.
const PATIENCE: Duration = Duration::from_secs(120);

/// Open questions. Belongs to the actor.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    last: u64,
    open: BTreeMap<PromptId, Open>,
}

#[derive(Debug)]
struct Open {
    prompt: Prompt,
    answer: oneshot::Sender<Option<Answer>>,
}

impl Prompts {
    pub(super) fn open(
        &mut self,
        registry: RegistryName,
        question: Question,
        can_keep: bool,
        answer: oneshot::Sender<Option<Answer>>,
    ) -> Prompt {
        self.last += 1;
        let prompt = Prompt { id: PromptId(self.last), registry, question, can_keep };
        self.open.insert(prompt.id, Open { prompt: prompt.clone(), answer });
        prompt
    }

    /// The first answer wins; `false` if the question is no longer open.
    pub(super) fn answer(&mut self, id: PromptId, answer: Answer) -> bool {
        self.open.remove(&id).is_some_and(|open| open.answer.send(Some(answer)).is_ok())
    }

    /// Closes a question without an answer; `false` if it was closed already.
    pub(super) fn close(&mut self, id: PromptId) -> bool {
        self.open.remove(&id).is_some_and(|open| {
            // Whoever asked may have gone; then nobody wants to know.
            let _ = open.answer.send(None);
            true
        })
    }

    pub(super) fn view(&self) -> Vec<Prompt> {
        self.open.values().map(|open| open.prompt.clone()).collect()
    }

    pub(super) fn ids(&self) -> Vec<PromptId> {
        self.open.keys().copied().collect()
    }
}

/// The tunnels' line to the actor and the keyring.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(super) mailbox: Mailbox,
    pub(crate) secrets: Secrets,
}

/// Withdraws a question when the tunnel drops the future that waits for its answer.
struct Withdraw {
    mailbox: Mailbox,
    id: Option<PromptId>,
}

impl Drop for Withdraw {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.mailbox.post(Message::ClosePrompt { id });
        }
    }
}

#[async_trait]
impl Ask for Asker {
    async fn ask(&self, registry: &RegistryName, question: Question) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        let (opened, id) = oneshot::channel();
        self.mailbox.post(Message::OpenPrompt { registry: registry.clone(), question, answer, opened });
        let mut withdraw = Withdraw { mailbox: self.mailbox.clone(), id: None };
        withdraw.id = Some(id.await.ok()??);
        let answer = tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()?;
        if answer.is_some() {
            withdraw.id = None;
        }
        answer
    }

    async fn recall(&self, key: &SecretId) -> Option<SecretString> {
        self.secrets.recall(key).await
    }

    async fn remember(&self, key: &SecretId, secret: &SecretString) {
        self.secrets.remember(key, secret).await;
    }

    async fn forget(&self, key: &SecretId) {
        self.secrets.forget(key).await;
    }
}
