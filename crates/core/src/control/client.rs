//! A face's side of the control socket.

use super::{
    newest::Newest,
    wire::{self, AnyHello, AnyQuit, Reader, WireError, Writer},
};
use crate::{
    EventStream, Paths,
    controller::{Resync, Subscribers},
};
use dockline_model::{
    Code, Command, Envelope, Hello, PROTOCOL_VERSION, Reply, Request, Response, Snapshot, UiError,
};
use futures::FutureExt as _;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// An owner that takes longer to say welcome hangs.
const WELCOME_PATIENCE: Duration = Duration::from_secs(5);
/// How long [`Client::find`] looks for an owner.
const OWNER_PATIENCE: Duration = Duration::from_secs(8);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// How long a face that draws leaves further lines in the socket: one look for ten of them is a tenth of the looks.
const PACE: Duration = Duration::from_millis(50);
/// Requests that may wait to be written.
const WAITING_REQUESTS: usize = 16;

/// Why there is no owner to talk to.
#[derive(Debug)]
pub(crate) enum Unreachable {
    /// Nobody listens, or whoever did is ending.
    NotThere,
    /// There is one that will not have us.
    Refused(UiError),
}

/// Requests that wait for their answers; `None` once none will come.
type Pending = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Result<Reply, UiError>>>>>>;

/// A connection to the owner. Dropping it ends the connection.
///
/// Most faces open a [`Session`](crate::Session), which becomes the owner where there is none. A program that never
/// does, as the desktop's window, speaks through this alone and so has none of the owner's parts in it.
#[derive(Debug)]
pub struct Client {
    inner: Arc<Inner>,
    hang_up: CancellationToken,
    _guard: DropGuard,
}

#[derive(Debug)]
struct Inner {
    requests: mpsc::Sender<Request>,
    pending: Pending,
    /// Told of each request.
    asked: Arc<Notify>,
    last_id: Mutex<u64>,
    events: Events,
    ended: watch::Receiver<Option<UiError>>,
}

/// Who hears of changes.
#[derive(Debug, Clone)]
enum Events {
    /// Whoever subscribes, of each.
    All(Subscribers),
    /// One that draws, of each object's newest.
    Newest(Arc<Newest>),
}

impl Events {
    fn close(&self) {
        match self {
            Self::All(subscribers) => subscribers.close(),
            Self::Newest(newest) => newest.end(),
        }
    }
}

impl Client {
    /// Reaches the owner, and waits a while for one that is only starting, or that takes the place of another. For a face
    /// that draws: of what changes it hears the newest of each object, and has nothing to subscribe to.
    ///
    /// # Errors
    /// `OwnerGone` (nobody owns the tunnels), `OwnerVersion` (an owner of another version does), `PermissionDenied` (it is
    /// another account's).
    pub async fn find(paths: &Paths, hello: &Hello) -> Result<(Self, Arc<Newest>), UiError> {
        let deadline = Instant::now() + OWNER_PATIENCE;
        let newest = Arc::new(Newest::default());
        loop {
            match Self::dial(paths, hello, Events::Newest(newest.clone())).await {
                Ok(client) => return Ok((client, newest)),
                Err(Unreachable::Refused(error)) => return Err(error),
                Err(Unreachable::NotThere) if Instant::now() > deadline => return Err(super::not_running()),
                // A socket that is about to appear has no event to wait for.
                Err(Unreachable::NotThere) => sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Dials the owner and says hello.
    pub(crate) async fn connect(paths: &Paths, hello: &Hello) -> Result<Self, Unreachable> {
        Self::dial(paths, hello, Events::All(Subscribers::default())).await
    }

    /// A connection to whoever owns the tunnels.
    async fn reach(paths: &Paths) -> Result<(Reader, Writer), Unreachable> {
        let connected = timeout(WELCOME_PATIENCE, wire::connect(paths)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = connected.map_err(|error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                let socket = paths.control_socket();
                Unreachable::Refused(
                    UiError::new(
                        Code::PermissionDenied,
                        format!("The control socket {} may not be opened.", socket.display()),
                    )
                    .hint("It belongs to another account."),
                )
            } else {
                // Nothing there, nobody behind it, or a listener that is being taken down.
                Unreachable::NotThere
            }
        })?;
        Ok(wire::split(stream, wire::LONGEST_ENVELOPE))
    }

    /// Has the owner end, of whatever version it is; one from before this was known refuses it. With `force` whatever
    /// uses it.
    pub(crate) async fn quit(paths: &Paths, force: bool) -> Result<(), Unreachable> {
        let (mut reader, mut writer) = Self::reach(paths).await?;
        let hello = AnyHello { protocol: PROTOCOL_VERSION, quit: Some(AnyQuit { force }) };
        let farewell = async {
            writer.send(&hello).await.ok()?;
            reader.receive::<Envelope>().await
        };
        match timeout(WELCOME_PATIENCE, farewell).await {
            Ok(Some(Ok(Envelope::Goodbye { error }))) => Err(Unreachable::Refused(refusal(error))),
            Ok(Some(Ok(Envelope::Welcome { .. } | Envelope::Response(_) | Envelope::Event(_))))
            | Ok(Some(Err(WireError::Unreadable { .. } | WireError::TooLong))) => {
                Err(Unreachable::Refused(another_version()))
            }
            Ok(Some(Err(WireError::Io(_))) | None) => Ok(()),
            Err(_) => Err(Unreachable::NotThere),
        }
    }

    async fn dial(paths: &Paths, hello: &Hello, events: Events) -> Result<Self, Unreachable> {
        let (mut reader, mut writer) = Self::reach(paths).await?;
        let greeting = async {
            writer.send(hello).await.ok()?;
            reader.receive::<Envelope>().await
        };
        match timeout(WELCOME_PATIENCE, greeting).await {
            Ok(Some(Ok(Envelope::Welcome { protocol: PROTOCOL_VERSION }))) => {}
            Ok(Some(Ok(Envelope::Goodbye { error }))) => return Err(Unreachable::Refused(refusal(error))),
            Ok(Some(Ok(Envelope::Welcome { .. } | Envelope::Response(_) | Envelope::Event(_))))
            | Ok(Some(Err(WireError::Unreadable { .. } | WireError::TooLong))) => {
                return Err(Unreachable::Refused(another_version()));
            }
            Ok(Some(Err(WireError::Io(_))) | None) | Err(_) => return Err(Unreachable::NotThere),
        }
        Ok(Self::start(reader, writer, events))
    }

    fn start(reader: Reader, writer: Writer, events: Events) -> Self {
        let (requests, outgoing) = mpsc::channel(WAITING_REQUESTS);
        let (ended_sender, ended) = watch::channel(None);
        let pending: Pending = Arc::new(Mutex::new(Some(HashMap::new())));
        let (asked, hang_up) = (Arc::new(Notify::new()), CancellationToken::new());
        tokio::spawn({
            let (pending, events, hang_up) = (pending.clone(), events.clone(), hang_up.clone());
            let asked = asked.clone();
            async move {
                let error = tokio::select! {
                    error = read(reader, &pending, &asked, &events) => error,
                    error = write(writer, outgoing) => error,
                    () = hang_up.cancelled() => gone(),
                };
                let waiting = lock(&pending).take().unwrap_or_default();
                for answer in waiting.into_values() {
                    // Whoever asked may have stopped waiting.
                    let _ = answer.send(Err(error.clone()));
                }
                let _ = ended_sender.send(Some(error));
                events.close();
            }
        });
        let inner = Inner { requests, pending, asked, last_id: Mutex::new(0), events, ended };
        Self { inner: Arc::new(inner), _guard: hang_up.clone().drop_guard(), hang_up }
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// Whatever the command's failure is; `OwnerGone` if the owner ended meanwhile.
    pub async fn request(&self, command: Command) -> Result<Reply, UiError> {
        self.inner.request(command).await
    }

    /// Every change from now on; see [`Session::events`](crate::Session::events).
    #[must_use]
    pub(crate) fn subscribe(&self) -> EventStream {
        let Events::All(subscribers) = &self.inner.events else { return EventStream::ended() };
        // Weak: a stream that is kept must not keep the connection.
        let inner = Arc::downgrade(&self.inner);
        let resync: Resync = Arc::new(move || {
            let inner = inner.clone();
            Box::pin(async move { inner.upgrade()?.snapshot().await })
        });
        let stream = subscribers.subscribe(resync);
        if self.inner.ended.borrow().is_some() {
            subscribers.close();
        }
        stream
    }

    /// Waits for the end of the connection, and tells its reason.
    pub async fn ended(&self) -> UiError {
        let mut ended = self.inner.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_else(gone),
            Err(_) => gone(),
        }
    }

    /// Hangs up, and waits until that is done.
    pub(crate) async fn close(&self) {
        self.hang_up.cancel();
        self.ended().await;
    }
}

impl Inner {
    async fn request(&self, command: Command) -> Result<Reply, UiError> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut last = lock(&self.last_id);
            *last += 1;
            *last
        };
        match lock(&self.pending).as_mut() {
            Some(pending) => drop(pending.insert(id, answer)),
            None => return Err(self.reason()),
        }
        self.asked.notify_one();
        if self.requests.send(Request { id, command }).await.is_err() {
            return Err(self.reason());
        }
        answered.await.unwrap_or_else(|_| Err(self.reason()))
    }

    async fn snapshot(&self) -> Option<Snapshot> {
        let reply = self.request(Command::Snapshot).await.ok()?;
        let Reply::Snapshot { snapshot } = reply else { return None };
        Some(snapshot)
    }

    fn reason(&self) -> UiError {
        self.ended.borrow().clone().unwrap_or_else(gone)
    }
}

/// Hands out answers and events until the end; returns its reason.
async fn read(mut reader: Reader, pending: &Pending, asked: &Notify, events: &Events) -> UiError {
    loop {
        let line = match events {
            Events::All(_) => reader.line().await,
            Events::Newest(newest) => match next(&mut reader, pending, asked).await {
                Some(Ok(line)) => match newest.push_line(line) {
                    Some(line) => Some(Ok(line)),
                    None => continue,
                },
                ended => ended,
            },
        };
        match line.map(|line| line.and_then(wire::read::<Envelope>)) {
            Some(Ok(Envelope::Response(Response { id, result }))) => {
                let waiting = lock(pending).as_mut().and_then(|pending| pending.remove(&id));
                if let Some(answer) = waiting {
                    // Whoever asked may have stopped waiting.
                    let _ = answer.send(result);
                }
            }
            Some(Ok(Envelope::Event(event))) => match events {
                Events::All(subscribers) => subscribers.send(&event),
                Events::Newest(newest) => newest.push(event),
            },
            Some(Ok(Envelope::Goodbye { error })) => return error,
            Some(Ok(Envelope::Welcome { .. })) => {}
            Some(Err(WireError::Unreadable { .. } | WireError::TooLong)) => return another_version(),
            Some(Err(WireError::Io(_))) | None => return gone(),
        }
    }
}

/// The next line, in its own time: unless an answer is waited for, lines are left to gather once the last has been read.
async fn next(reader: &mut Reader, pending: &Pending, asked: &Notify) -> Option<Result<String, WireError>> {
    if let Some(line) = reader.line().now_or_never() {
        return line;
    }
    let is_awaited = lock(pending).as_ref().is_some_and(|pending| !pending.is_empty());
    if !is_awaited {
        tokio::select! {
            () = sleep(PACE) => {}
            () = asked.notified() => {}
        }
    }
    reader.line().await
}

async fn write(mut writer: Writer, mut outgoing: mpsc::Receiver<Request>) -> UiError {
    while let Some(request) = outgoing.recv().await {
        if let Err(error) = writer.send(&request).await {
            tracing::debug!(%error, "the owner has gone");
            break;
        }
    }
    gone()
}

fn gone() -> UiError {
    UiError::new(Code::OwnerGone, "The Dockline that owned the tunnels went away.")
        .hint("Run the command again.")
}

/// Why an owner does not even say welcome. That it is of another version it says with the code of one that has gone, which
/// every version knows.
fn refusal(mut error: UiError) -> UiError {
    if error.code == Code::OwnerGone {
        error.code = Code::OwnerVersion;
    }
    error
}

fn another_version() -> UiError {
    UiError::new(Code::OwnerVersion, "The Dockline that runs does not speak this program's control protocol.")
        .hint("Quit the one that runs, so that the new version takes over.")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
