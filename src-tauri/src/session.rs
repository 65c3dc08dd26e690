//! Keeps a session with the owner: opens it, follows it, and opens another when the owner goes away.

use crate::{demo::Demo, link::Link, state};
use dockline_core::{EventStream, Mode, Paths, Session};
use dockline_model::{Code, Command, Event, FaceKind, Hello, PROTOCOL_VERSION, Reply, Snapshot, UiError};
use std::time::Duration;
use tokio::sync::watch;

/// Pause between two attempts to open a session.
const RETRY: Duration = Duration::from_secs(1);

/// Whoever shows the state.
pub trait Face: Send {
    /// Something changed; `before` is the state without it.
    fn changed(&mut self, before: &Snapshot, after: &Snapshot, is_owner: bool);

    /// There is no owner to ask; another attempt follows.
    fn broken(&mut self, error: &UiError);
}

/// Runs until somebody tells the owner, which is this process, to end.
pub async fn keep(
    paths: Paths,
    demo: Option<&Demo>,
    link: watch::Sender<Link<Session>>,
    mut face: impl Face,
) {
    let mut shown: Option<Snapshot> = None;
    loop {
        match open(&paths, demo).await {
            Ok(session) => {
                link.send_replace(Link::Open(session.clone()));
                if let Err(error) = follow(&session, &mut shown, &mut face).await {
                    tracing::warn!(%error, "the session is lost");
                }
                if session.is_owner() {
                    return;
                }
                tracing::info!("the owner has ended; looking for another, or becoming it");
                link.send_replace(Link::Opening);
            }
            Err(error) => {
                tracing::warn!(%error, "no session");
                face.broken(&error);
                link.send_replace(Link::Broken(error));
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn open(paths: &Paths, demo: Option<&Demo>) -> Result<Session, UiError> {
    let hello = Hello { protocol: PROTOCOL_VERSION, face: FaceKind::Desktop, can_answer: true };
    let session = Session::open(paths.clone(), hello, Mode::OwnIfNone).await?;
    tracing::info!(owner = session.is_owner(), "session open");
    if let Some(demo) = demo {
        demo.add_registry(&session).await?;
    }
    Ok(session)
}

/// Passes changes on until the owner ends.
async fn follow(
    session: &Session,
    shown: &mut Option<Snapshot>,
    face: &mut impl Face,
) -> Result<(), UiError> {
    // Listening comes first, so that nothing falls between the snapshot and the first event.
    let mut events = session.events();
    let Reply::Snapshot { snapshot } = session.request(Command::Snapshot).await? else {
        return Err(UiError::new(
            Code::Internal,
            "The owner answered a request for its state with something else.",
        ));
    };
    let is_owner = session.is_owner();
    let before = shown.take().unwrap_or_else(|| snapshot.clone());
    let mut now = snapshot;
    face.changed(&before, &now, is_owner);
    while let Some(event) = next(session, &mut events).await {
        if state::is_newer(&now, &event) {
            let before = now.clone();
            state::apply(&mut now, event);
            face.changed(&before, &now, is_owner);
        }
    }
    *shown = Some(now);
    Ok(())
}

/// The next event; `None` once the owner has ended.
async fn next(session: &Session, events: &mut EventStream) -> Option<Event> {
    tokio::select! {
        // What was said before the end is heard before it.
        biased;
        event = events.next() => event,
        _ = session.ended() => None,
    }
}
