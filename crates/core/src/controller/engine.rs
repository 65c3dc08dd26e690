//! The container engine as the faces see it: whether it answers, and its images.

use super::{Mailbox, Message};
use dockline_engine::{Engine, EngineEndpoint, EngineError, Surroundings};
use dockline_model::{EngineState, EngineView, UiError};
use futures::{StreamExt, future::pending};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::{sync::Notify, task::AbortHandle};

/// The task that keeps the view fresh.
pub(super) struct EngineWatch {
    refresh: Arc<Notify>,
    task: AbortHandle,
}

/// Which engine is meant: the one `docker` would use in this process's environment, or the one of the context that the
/// person chose here. Clones share the choice.
#[derive(Debug, Clone, Default)]
pub(super) struct Engines(Arc<RwLock<Option<String>>>);

impl Engines {
    pub(super) fn choose(&self, context: Option<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = context;
    }

    /// What decides which engine is meant.
    pub(super) fn around(&self) -> Surroundings {
        let chosen = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        Surroundings::from_process().with_context(chosen)
    }

    /// The engine. Nothing is dialled.
    pub(super) fn find(&self) -> Result<Engine, EngineError> {
        Engine::connect(EngineEndpoint::of(&self.around())?)
    }
}

/// The name of the context whose engine is used.
pub(super) fn context_in_use(around: &Surroundings) -> String {
    match dockline_engine::chosen(around) {
        // The variable names an engine that no context may have.
        _ if around.docker_host.is_some() => String::new(),
        chosen => chosen.unwrap_or_else(|| "default".to_owned()),
    }
}

impl EngineWatch {
    pub(super) fn start(mailbox: Mailbox, engines: Engines) -> Self {
        let refresh = Arc::new(Notify::new());
        let task = tokio::spawn(watch(mailbox, engines, refresh.clone())).abort_handle();
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

async fn watch(mailbox: Mailbox, engines: Engines, refresh: Arc<Notify>) {
    loop {
        let found = engines.find();
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
