//! The container engine as the faces see it: whether it answers, and its images.

use super::{Mailbox, Message};
use dockline_engine::{Engine, EngineEndpoint, EngineError};
use dockline_model::{EngineState, EngineView, UiError};
use futures::{StreamExt, future::pending};
use std::sync::Arc;
use tokio::{sync::Notify, task::AbortHandle};

/// The task that keeps the view fresh.
pub(super) struct EngineWatch {
    refresh: Arc<Notify>,
    task: AbortHandle,
}

impl EngineWatch {
    pub(super) fn start(mailbox: Mailbox) -> Self {
        let refresh = Arc::new(Notify::new());
        let task = tokio::spawn(watch(mailbox, refresh.clone())).abort_handle();
        Self { refresh, task }
    }

    /// Looks again, from the choice of the engine on.
    pub(super) fn refresh(&self) {
        self.refresh.notify_one();
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for EngineWatch {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The engine that `docker` would use in this process's environment. Nothing is dialled.
pub(super) fn find() -> Result<Engine, EngineError> {
    Engine::connect(EngineEndpoint::detect()?)
}

async fn watch(mailbox: Mailbox, refresh: Arc<Notify>) {
    loop {
        let found = find();
        let mut events = found.as_ref().ok().map(Engine::events);
        loop {
            let view = match &found {
                Ok(engine) => look(engine).await,
                Err(error) => Err(UiError::from(error)),
            };
            let view = view.unwrap_or_else(|error| EngineView {
                state: EngineState::Unavailable { error },
                images: Vec::new(),
            });
            mailbox.post(Message::Engine { view });
            tokio::select! {
                Some(()) = next(&mut events) => {}
                () = refresh.notified() => break,
            }
        }
    }
}

async fn next(events: &mut Option<impl futures::Stream<Item = ()> + Unpin>) -> Option<()> {
    match events {
        Some(events) => events.next().await,
        None => pending().await,
    }
}

async fn look(engine: &Engine) -> Result<EngineView, UiError> {
    let told = |error: EngineError| UiError::from(&error);
    let name = engine.describe().await.map_err(told)?;
    let images = engine.images().await.map_err(told)?;
    Ok(EngineView { state: EngineState::Ready { name }, images })
}
