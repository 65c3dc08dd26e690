//! Notices that the engine's images may have changed.

use crate::{EngineEndpoint, transport};
use bollard::{errors::Error, models::EventMessage, query_parameters::EventsOptionsBuilder};
use futures::{Stream, StreamExt, stream, stream::BoxStream};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};
use tokio::time::sleep;

/// First and longest pause before the engine is sought again, once it is gone. There is no event for “an engine
/// has started”; half a minute is what a person would wait before looking for themselves.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const CLOCKS_MAY_DIFFER: Duration = Duration::from_secs(5);

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

/// Subscribes, and makes sure that there is an engine: bollard's stream dials only when it is first read, which
/// is after whoever watches has looked at the images. So it asks for what happened meanwhile as well, from a
/// little earlier in case the engine's clock (in a virtual machine) runs late. One notice too many costs nothing.
async fn listen(endpoint: &EngineEndpoint) -> Option<Messages> {
    let docker = transport::typed(endpoint).ok()?;
    docker.ping().await.ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let since = now.saturating_sub(CLOCKS_MAY_DIFFER).as_secs().to_string();
    let filters = HashMap::from([("type", vec!["image"])]);
    let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
    Some(docker.events(Some(options)).boxed())
}
