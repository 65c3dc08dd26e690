//! The programs on the host that a shipping needs, begun before they are needed: each takes a tenth of a second and more
//! to start.

use super::{again::since, former, told};
use crate::files::task_failed;
use dockline_engine::{Elsewhere, Engine, EngineEndpoint};
use dockline_model::{Code, UiError, UnixMillis};
use dockline_tunnel::{Offer, Program};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt as _,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

/// Connections to the Docker there: one for the pull, one for everything that it is asked before and after.
const CONNECTIONS: usize = 2;
/// How long a connection may wait for its question. dockerd closes those that ask nothing for five minutes
/// (`ReadHeaderTimeout` in its cmd/dockerd).
const WAITS: Duration = Duration::from_secs(60);
/// Between tries to run a program on a host that may have no room for another yet.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(400),
    Duration::from_millis(1000),
];
/// How long the sweeper may take to go.
const ENDS: Duration = Duration::from_secs(20);
/// Where `docker` may be that the shell of a login without terminal does not know.
const MORE_PATHS: &str = "PATH=\"$PATH:/usr/local/bin:/opt/homebrew/bin:/snap/bin\"";

/// Whoever speaks with the Docker there.
pub(super) struct Speaker {
    pub(super) engine: Engine,
    /// The session it was sent over, by when that came up; none while there was none.
    session: Option<UnixMillis>,
}

/// The speaker, and who cleans up after it.
pub(super) struct Crew {
    pub(super) speaker: Speaker,
    /// It tells its session (`former`).
    sweeper: Beginning,
    /// What the image is called there while it is pulled; the sweeper removes it when the connection ends.
    temporary: String,
}

impl Speaker {
    /// Sends it on its way.
    pub(super) fn begin(host: &str, offer: &Offer) -> Result<Self, UiError> {
        let session = since(&offer.view().state);
        let connections = Arc::new(Connections::begin(offer));
        let engine = Elsewhere::new(host, move || {
            let connections = connections.clone();
            async move { connections.next().await }
        });
        let engine = Engine::connect(EngineEndpoint::Elsewhere(engine)).map_err(told)?;
        Ok(Self { engine, session })
    }
}

impl Crew {
    /// Sends the sweeper after the speaker; until it is to watch, it goes again when this is dropped.
    pub(super) fn of(speaker: Speaker, offer: &Offer, temporary: String) -> Self {
        let (script, offer) = (sweeping(&temporary), offer.clone());
        let sweeper = AbortOnDropHandle::new(tokio::spawn(async move { offer.run(&script).await }));
        Self { speaker, sweeper, temporary }
    }

    /// Has the sweeper watch, before anything is to have the temporary name. Nothing has it before the host has asked for
    /// the image's manifest, which takes longer than a word over the same session.
    pub(super) async fn watched(self, offer: &Offer) -> Result<(Engine, Program, String), UiError> {
        let Self { speaker, sweeper, temporary } = self;
        let mut sweeper = match sweeper.await.map_err(|error| task_failed(&error))? {
            Ok(sweeper) => sweeper,
            // What measured the way may have had its place.
            Err(_) => run_in_turn(offer, &sweeping(&temporary)).await?,
        };
        let told = async {
            sweeper.write_all(b"watch\n").await?;
            sweeper.flush().await
        };
        // A lost session takes along whatever comes after it.
        if let Err(error) = told.await {
            tracing::debug!(%error, "nobody cleans up on the host");
        }
        Ok((speaker.engine, sweeper, temporary))
    }

    /// Whether they are on this session: their connections end with the one they were sent over. Of a sweeper on a later
    /// one nothing has to be known: it waits for a name that nothing gets.
    pub(super) fn is_of(&self, session: Option<UnixMillis>) -> bool {
        self.speaker.session == session
    }
}

/// A program that is being started.
type Beginning = AbortOnDropHandle<Result<Program, UiError>>;

/// Connections to the Docker there.
struct Connections {
    offer: Offer,
    begun: Mutex<VecDeque<(Instant, Beginning)>>,
}

impl Connections {
    fn begin(offer: &Offer) -> Self {
        let begun =
            (0..CONNECTIONS).map(|_| (Instant::now(), AbortOnDropHandle::new(tokio::spawn(dial(offer)))));
        Self { offer: offer.clone(), begun: Mutex::new(begun.collect()) }
    }

    /// One that was begun, if it is still young; else a new one. A host that has room for few programs at once
    /// (`MaxSessions`, sshd_config(5)) may have refused some of those that were begun.
    async fn next(&self) -> io::Result<Program> {
        while let Some((at, begun)) = self.pop() {
            if at.elapsed() < WAITS
                && let Ok(program) = begun.await.map_err(io::Error::other)?
            {
                return Ok(program);
            }
        }
        run_in_turn(&self.offer, &speaking()).await.map_err(|error| io::Error::other(error.message))
    }

    fn pop(&self) -> Option<(Instant, Beginning)> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

fn dial(offer: &Offer) -> impl Future<Output = Result<Program, UiError>> + Send + use<> {
    let offer = offer.clone();
    async move { offer.run(&speaking()).await }
}

/// The program that speaks with the Docker there.
fn speaking() -> String {
    in_shell("exec docker system dial-stdio")
}

/// Runs a program where one of ours may have ended just now: the host takes a moment to count it no more, and tells nobody
/// when it does.
async fn run_in_turn(offer: &Offer, command: &str) -> Result<Program, UiError> {
    for pause in PAUSES {
        match offer.run(command).await {
            Err(error) if error.code == Code::ForwardForbidden => sleep(pause).await,
            ran => return ran,
        }
    }
    offer.run(command).await
}

/// The program that removes the temporary name when the connection ends, once it was told to watch.
fn sweeping(temporary: &str) -> String {
    // Without a terminal sshd sends no signal; the end of its input is how it learns. A pull that is being given up may
    // name the image a moment later, so it looks more than once.
    let sweep = format!(
        "trap \"\" HUP; read -r word; [ \"$word\" = watch ] || exit 0; read -r word; \
         [ \"$word\" = done ] && exit 0; for second in 1 2 3 4 5; do \
         docker rmi {temporary} >/dev/null 2>&1; sleep 1; done"
    );
    in_shell(&format!("{}; {sweep}", former::tells()))
}

/// Tells the sweeper that there is nothing to sweep.
pub(super) async fn dismiss(mut sweeper: Program) {
    let told = async {
        sweeper.write_all(b"done\n").await?;
        sweeper.flush().await?;
        sweeper.ended().await;
        Ok::<_, io::Error>(())
    };
    if !matches!(timeout(ENDS, told).await, Ok(Ok(()))) {
        tracing::debug!("the program that cleans up on the host looks in vain");
    }
}

/// `script` for whatever shell the login there has. It must not have a single quote in it.
pub(super) fn in_shell(script: &str) -> String {
    format!("exec sh -c '{MORE_PATHS}; {script}'")
}
