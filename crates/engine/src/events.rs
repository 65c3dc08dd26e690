//! Notices that the engine's images may have changed.

use crate::{EngineEndpoint, transport};
use bollard::{errors::Error, models::EventMessage, query_parameters::EventsOptionsBuilder};
use futures::{Stream, StreamExt, stream, stream::BoxStream};
use std::{collections::HashMap, time::Duration};
use tokio::time::sleep;

/// First and longest pause before the engine is sought again, once it is gone. There is no event for “an engine
/// has started”; half a minute is what a person would wait before looking for themselves.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

type Messages = BoxStream<'static, Result<EventMessage, Error>>;

enum State {
    Seeking { pause: Duration },
    Listening(Messages),
}

/// An item whenever the images may have changed, or the engine came or went. Never ends.
pub(crate) fn changes(endpoint: EngineEndpoint) -> impl Stream<Item = ()> + Send + Unpin {
    Box::pin(stream::unfold(State::Seeking { pause: Duration::ZERO }, move |state| {
        let endpoint = endpoint.clone();
        async move { Some(((), next_change(&endpoint, state).await)) }
    }))
}

async fn next_change(endpoint: &EngineEndpoint, mut state: State) -> State {
    loop {
        state = match state {
            State::Seeking { pause } => {
                sleep(pause).await;
                match listen(endpoint).await {
                    // Whatever happened before is news as well.
                    Some(messages) => return State::Listening(messages),
                    None => State::Seeking { pause: (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE) },
                }
            }
            State::Listening(mut messages) => match messages.next().await {
                Some(Ok(_)) => return State::Listening(messages),
                Some(Err(_)) | None => return State::Seeking { pause: FIRST_PAUSE },
            },
        }
    }
}

/// Subscribes, and makes sure that there is an engine: bollard's stream itself dials only when it is read, and
/// then may be silent for days.
async fn listen(endpoint: &EngineEndpoint) -> Option<Messages> {
    let docker = transport::typed(endpoint).ok()?;
    docker.ping().await.ok()?;
    let filters = HashMap::from([("type", vec!["image"])]);
    Some(docker.events(Some(EventsOptionsBuilder::default().filters(&filters).build())).boxed())
}
