//! The owner's side: election, and one task a face.

use super::wire::{self, AnyHello, AnyQuit, Reader, WireError, Writer};
use crate::{Controller, EventStream, FaceId, Paths};
use dockline_model::{
    Code, Command, Envelope, FaceKind, Hello, PROTOCOL_VERSION, Request, Response, UiError,
};
use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use serde::Deserialize;
use std::{
    fs::{File, TryLockError},
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A face says hello at once or is none.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);
/// Commands of one face that may be under way; further ones stay in the socket.
const COMMANDS_AT_ONCE: usize = 32;
/// Faces at a time.
const FACES_AT_ONCE: usize = 64;
/// How long the end waits for faces to take their last line.
const FAREWELL_PATIENCE: Duration = Duration::from_secs(1);
/// How long a face's commands have to end before it is told goodbye.
const LAST_ANSWERS: Duration = Duration::from_millis(250);

/// The right to be the owner; dropped by the system even if the process is killed.
#[derive(Debug)]
pub(crate) struct OwnerLock(#[expect(dead_code, reason = "held, not read")] File);

/// The control socket being served.
#[derive(Debug)]
pub(crate) struct Owner {
    farewell: CancellationToken,
    server: Mutex<Option<JoinHandle<()>>>,
    /// Ends the server when the session is dropped without [`Self::close`].
    _guard: DropGuard,
}

impl Owner {
    /// Whether some process holds the lock.
    ///
    /// # Errors
    /// `FileIo` if the lock cannot be looked at.
    pub(crate) fn exists(paths: &Paths) -> Result<bool, UiError> {
        // Shared, so that two processes that only look do not take each other for an owner.
        match lock_file(paths)?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(lock_error(paths, &error)),
        }
    }

    /// Becomes the owner, if nobody is.
    ///
    /// # Errors
    /// `FileIo` if the lock cannot be tried.
    pub(crate) fn elect(paths: &Paths) -> Result<Option<OwnerLock>, UiError> {
        let file = lock_file(paths)?;
        match file.try_lock() {
            Ok(()) => {
                wire::forget_former(paths);
                Ok(Some(OwnerLock(file)))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(lock_error(paths, &error)),
        }
    }

    /// Opens the control socket for other faces.
    ///
    /// # Errors
    /// `FileIo` if it cannot be made.
    pub(crate) async fn serve(
        paths: &Paths,
        lock: OwnerLock,
        controller: Controller,
    ) -> Result<Self, UiError> {
        let listener = match wire::listen(paths) {
            Ok(listener) => listener,
            Err(error) => {
                controller.stop().await;
                return Err(error);
            }
        };
        let farewell = CancellationToken::new();
        let serving = Serving { listener, _lock: lock };
        let server = tokio::spawn(serving.run(controller, farewell.clone()));
        let guard = farewell.clone().drop_guard();
        Ok(Self { farewell, server: Mutex::new(Some(server)), _guard: guard })
    }

    /// Tells the faces that it is over, and takes no more.
    pub(crate) fn goodbye(&self) {
        self.farewell.cancel();
    }

    /// Waits until the socket is removed and the lock let go.
    pub(crate) async fn close(&self) {
        self.goodbye();
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server
            && let Err(error) = server.await
        {
            tracing::error!(%error, "the control socket's task failed");
        }
    }
}

fn lock_file(paths: &Paths) -> Result<File, UiError> {
    File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(paths.owner_lock())
        .map_err(|error| lock_error(paths, &error))
}

fn lock_error(paths: &Paths, error: &io::Error) -> UiError {
    UiError::new(Code::FileIo, format!("The lock {} cannot be used: {error}.", paths.owner_lock().display()))
        .hint("Check that the folder is yours and on a file system with locks; DOCKLINE_HOME names another one.")
}

/// Fields drop in this order: the socket's file must be gone before somebody else may make one.
struct Serving {
    listener: Listener,
    _lock: OwnerLock,
}

impl Serving {
    async fn run(self, controller: Controller, farewell: CancellationToken) {
        let mut faces = JoinSet::new();
        loop {
            tokio::select! {
                () = farewell.cancelled() => break,
                accepted = self.listener.accept(), if faces.len() < FACES_AT_ONCE => match accepted {
                    Ok(stream) if wire::is_same_account(&stream) => {
                        faces.spawn(converse(stream, controller.clone(), farewell.clone()));
                    }
                    Ok(_) => tracing::warn!("refused a connection of another account"),
                    Err(error) => {
                        // Out of descriptors, most likely: waiting for a face to leave beats spinning.
                        tracing::warn!(%error, "a face could not be accepted");
                        tokio::select! {
                            () = farewell.cancelled() => break,
                            Some(_) = faces.join_next() => {}
                            () = tokio::time::sleep(Duration::from_secs(1)) => {}
                        }
                    }
                },
                Some(_) = faces.join_next() => {}
            }
        }
        // A face that does not read its last line does not keep the owner.
        let all_gone = async { while faces.join_next().await.is_some() {} };
        if timeout(FAREWELL_PATIENCE, all_gone).await.is_err() {
            faces.shutdown().await;
        }
    }
}

/// What somebody wants who has said hello.
enum Greeting {
    Face(Hello),
    Quit { force: bool },
}

/// Detaches the face however its conversation ends.
struct Attached {
    controller: Controller,
    face: FaceId,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.controller.detach(self.face);
    }
}

async fn converse(stream: Stream, controller: Controller, farewell: CancellationToken) {
    let (mut reader, mut writer) = wire::split(stream, wire::LONGEST_REQUEST);
    let hello = tokio::select! {
        hello = greeting(&mut reader) => hello,
        () = farewell.cancelled() => return,
    };
    let conversation = async {
        match hello {
            Ok(Some(Greeting::Quit { force })) => {
                let hello = Hello { protocol: PROTOCOL_VERSION, face: FaceKind::Cli, can_answer: false };
                let face = controller.attach(hello).await;
                let attached = Attached { controller, face };
                match attached.controller.handle(face, Command::Quit { force }).await {
                    Ok(_) => Ok(()),
                    Err(error) => writer.send(&Envelope::Goodbye { error }).await,
                }
            }
            Ok(Some(Greeting::Face(hello))) => {
                // From before the welcome, so that nothing falls between.
                let events = controller.subscribe();
                let face = controller.attach(hello).await;
                let attached = Attached { controller, face };
                writer.send(&Envelope::Welcome { protocol: PROTOCOL_VERSION }).await?;
                serve(attached, events, reader, &mut writer, &farewell).await
            }
            Ok(None) => Ok(()),
            Err(error) => writer.send(&Envelope::Goodbye { error }).await,
        }
    };
    if let Err(error) = conversation.await {
        tracing::debug!(%error, "a face has gone");
    }
}

/// The first line: `None` if whoever connected is no face, an error that is worth telling it otherwise.
async fn greeting(reader: &mut Reader) -> Result<Option<Greeting>, UiError> {
    let line = match timeout(HELLO_PATIENCE, reader.receive::<serde_json::Value>()).await {
        Ok(Some(Ok(line))) => line,
        Ok(Some(Err(WireError::TooLong | WireError::Unreadable { .. }))) => return Err(not_understood()),
        Ok(Some(Err(WireError::Io(_))) | None) | Err(_) => return Ok(None),
    };
    let AnyHello { protocol: theirs, quit } = AnyHello::deserialize(&line).map_err(|_| not_understood())?;
    if let Some(AnyQuit { force }) = quit {
        return Ok(Some(Greeting::Quit { force }));
    }
    if theirs != PROTOCOL_VERSION {
        return Err(UiError::new(
            Code::OwnerGone,
            format!(
                "The Dockline that runs speaks version {PROTOCOL_VERSION} of the control protocol and this program \
                 version {theirs}."
            ),
        )
        .hint("Quit the one that runs, so that the new version takes over."));
    }
    Hello::deserialize(&line).map(|hello| Some(Greeting::Face(hello))).map_err(|_| not_understood())
}

fn not_understood() -> UiError {
    UiError::new(Code::InvalidArgument, "The line sent to Dockline's control socket was not understood.")
        .hint("Each line is one JSON object of at most 1 MiB; the first is a hello with the protocol's version.")
}

async fn serve(
    attached: Attached,
    mut events: EventStream,
    mut reader: Reader,
    writer: &mut Writer,
    farewell: &CancellationToken,
) -> Result<(), WireError> {
    let mut commands: JoinSet<Response> = JoinSet::new();
    loop {
        tokio::select! {
            () = farewell.cancelled() => break,
            received = reader.receive::<Request>(), if commands.len() < COMMANDS_AT_ONCE => match received {
                Some(Ok(request)) => {
                    let (controller, face) = (attached.controller.clone(), attached.face);
                    commands.spawn(async move {
                        Response { id: request.id, result: controller.handle(face, request.command).await }
                    });
                }
                Some(Err(WireError::Unreadable { line, source })) => match number_of(&line) {
                    Some(id) => {
                        let error = not_understood().details(source.to_string());
                        writer.send(&Envelope::Response(Response { id, result: Err(error) })).await?;
                    }
                    None => return writer.send(&Envelope::Goodbye { error: not_understood() }).await,
                },
                Some(Err(WireError::TooLong)) => {
                    return writer.send(&Envelope::Goodbye { error: not_understood() }).await;
                }
                Some(Err(error @ WireError::Io(_))) => return Err(error),
                None => return Ok(()),
            },
            Some(done) = commands.join_next() => {
                if let Ok(response) = done {
                    writer.send(&Envelope::Response(response)).await?;
                }
            }
            event = events.next() => match event {
                Some(event) => writer.send(&Envelope::Event(event)).await?,
                None => break,
            }
        }
    }
    // Whoever asked the owner to end should still hear that it does.
    let last_answers = async {
        while let Some(done) = commands.join_next().await {
            if let Ok(response) = done {
                writer.send(&Envelope::Response(response)).await?;
            }
        }
        Ok::<(), WireError>(())
    };
    if let Ok(result) = timeout(LAST_ANSWERS, last_answers).await {
        result?;
    }
    let error = UiError::new(Code::OwnerGone, "The Dockline that owned the tunnels has ended.")
        .hint("Run the command again.");
    writer.send(&Envelope::Goodbye { error }).await
}

/// The number of a request that does not read otherwise, so that it can be answered.
fn number_of(line: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(line).ok()?.get("id")?.as_u64()
}
