//! The controller: one task that owns all state, and the handle through which faces reach it.
//!
//! Faces send commands, tunnels and transfers report, and everything passes through one mailbox; so there is one
//! order of events and no lock. What takes time runs in tasks of its own and posts its outcome back.

mod access;
mod actor;
mod archives;
mod collect;
mod contents;
mod direct;
mod doctor;
mod engine;
mod events;
mod figures;
mod history;
mod holds;
mod hosts;
mod meter;
mod offers;
mod prompts;
mod pull;
mod reach;
mod registries;
mod request;
mod road;
mod run;
mod settings;
mod setup;
mod share;
mod ship;
pub(crate) mod still;
mod stored;
mod traces;
mod transfers;
mod updates;
mod watch;
mod welcome;

pub use events::EventStream;
pub(crate) use events::{Resync, Subscribers};
pub(crate) use prompts::Asker;

use crate::{Paths, config::Config, files::blocking, updates::Document};
use actor::Actor;
use dockline_model::{
    Answer, Code, Command, DoctorReport, EngineView, Hello, OfferId, PromptId, Question, RegistryName, Reply,
    Road, SetupProgress, Snapshot, TransferId, TransferState, UiError, UsageProgress, Verified,
};
use dockline_tunnel::{Lease, Tunnel};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch as state};
use tokio_util::sync::CancellationToken;

/// Number of a face's connection to the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaceId(pub u64);

/// Where the answer to a command goes.
type Answerer = oneshot::Sender<Result<Reply, UiError>>;

/// What the actor is told.
enum Message {
    /// A face is there.
    Attach { hello: Hello, face: oneshot::Sender<FaceId> },
    /// A face has gone.
    Detach { face: FaceId },
    /// A face wants something.
    Command { face: FaceId, command: Command, answer: Answerer },
    /// A tunnel has a question; `opened` tells its number, or that nobody is there.
    OpenPrompt {
        registry: RegistryName,
        question: Question,
        answer: oneshot::Sender<Option<Answer>>,
        opened: oneshot::Sender<Option<PromptId>>,
    },
    /// A question is no longer of interest.
    ClosePrompt { id: PromptId },
    /// A tunnel has been started for the registry's `generation`.
    TunnelStarted { name: RegistryName, generation: u64, tunnel: Tunnel },
    /// Its state, leases or figures are different.
    TunnelChanged { name: RegistryName, generation: u64 },
    /// A connect has taken a lease, for a face if it is to die with it.
    Leased {
        name: RegistryName,
        generation: u64,
        holder: Option<FaceId>,
        lease: Arc<Lease>,
        /// It only takes an earlier one's place: nobody holds anything any more who has let go meanwhile.
        replaces: bool,
    },
    /// A connect has failed for good.
    Unlease { name: RegistryName, generation: u64, holder: Option<FaceId> },
    /// An archive is read to find the name of its image; `row` gets its number in the list, and what tells to stop.
    Reading {
        face: FaceId,
        reading: Box<transfers::Reading>,
        row: oneshot::Sender<Result<(TransferId, CancellationToken), UiError>>,
    },
    /// It has been read, and may stand in the queue; or there is nothing to push in it, and it has failed.
    Read { id: TransferId, order: Result<Box<transfers::Order>, UiError>, answer: Answerer },
    /// A transfer has been checked and may stand in the queue.
    Enqueue { face: FaceId, order: Box<transfers::Order>, answer: Answerer },
    /// A transfer has gone from waiting to running, or to verifying.
    TransferAt { id: TransferId, state: TransferState },
    /// The road of a transfer has been chosen.
    TransferRoad { id: TransferId, road: Road, why: String },
    /// Something is to be said behind that.
    TransferRemark { id: TransferId, remark: String },
    /// A transfer's task is at its end, its traces removed.
    TransferEnded { id: TransferId, result: Result<Verified, UiError> },
    /// The engine or its images.
    Engine { view: EngineView },
    /// An offer's state or figures are different.
    OfferChanged { id: OfferId },
    /// An offer has failed for good, or nobody wants it.
    OfferEnded { id: OfferId },
    /// A change of the engine's settings has come further, or ended.
    Setup { progress: Option<SetupProgress> },
    /// Measuring a registry has come further.
    Usage { progress: UsageProgress },
    /// An examination has come further.
    Doctor { report: DoctorReport },
    /// The configuration or the hosts file may have changed.
    FilesChanged,
    /// Whoever was asked for newer versions has answered, or not.
    UpdateAnswer { answer: Result<Document, UiError> },
    /// It may be time to ask for newer versions.
    UpdatesDue,
    /// The owner is one that stays.
    Stay,
    /// A face wants to know when no other needs the owner any more.
    WhenUnneeded { face: FaceId, unneeded: oneshot::Sender<()> },
    /// End everything.
    Stop { done: oneshot::Sender<()> },
}

/// The actor's mailbox. It has no bound of its own: commands are bounded by each connection, transfers by the
/// queue, and figures are looked up when it is time to tell them.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox(mpsc::UnboundedSender<Message>);

impl Mailbox {
    /// Posts a message; after the owner's end nobody reads it, and nobody needs to.
    fn post(&self, message: Message) {
        let _ = self.0.send(message);
    }
}

/// Handle of the controller.
#[derive(Debug, Clone)]
pub struct Controller {
    mailbox: Mailbox,
    subscribers: Subscribers,
    quit: CancellationToken,
    stopped: state::Receiver<bool>,
}

impl Controller {
    /// Reads the configuration and starts a listener for each registry. The caller must be the owner.
    ///
    /// # Errors
    /// If the folders cannot be made. A configuration that does not read is no error here but shown in the
    /// snapshot.
    pub async fn start(paths: Paths) -> Result<Self, UiError> {
        paths.prepare().map_err(|error| UiError::from(&error))?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let (stopped_sender, stopped) = state::channel(false);
        let controller = Self {
            mailbox: Mailbox(sender),
            subscribers: Subscribers::default(),
            quit: CancellationToken::new(),
            stopped,
        };
        let loaded = load(&paths).await;
        let actor = Actor::new(paths, &controller, loaded).await;
        tokio::spawn(async move {
            actor.run(receiver).await;
            // Receivers that are gone do not wait for it.
            let _ = stopped_sender.send(true);
        });
        Ok(controller)
    }

    /// Tells that this owner is one that stays, and not one for the length of a command: what the configuration wants
    /// open from the start on is opened, and what it wants offered is offered. Call it when whoever can answer
    /// questions is attached.
    pub fn stay(&self) {
        self.mailbox.post(Message::Stay);
    }

    /// Registers a face. Questions are put only while one that can answer is attached.
    pub async fn attach(&self, hello: Hello) -> FaceId {
        let (face, attached) = oneshot::channel();
        self.mailbox.post(Message::Attach { hello, face });
        attached.await.unwrap_or(FaceId(0))
    }

    /// Forgets a face: the leases it held are dropped, and a command line's transfers cancelled.
    pub fn detach(&self, face: FaceId) {
        self.mailbox.post(Message::Detach { face });
    }

    /// Carries out one command for `face`.
    ///
    /// # Errors
    /// Whatever the command's failure is; `OwnerGone` after [`Self::stop`].
    pub async fn handle(&self, face: FaceId, command: Command) -> Result<Reply, UiError> {
        let (answer, answered) = oneshot::channel();
        self.mailbox.post(Message::Command { face, command, answer });
        answered.await.unwrap_or_else(|_| Err(ending()))
    }

    /// Every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> EventStream {
        let controller = self.clone();
        let resync: Resync = Arc::new(move || {
            let controller = controller.clone();
            Box::pin(async move { controller.snapshot().await })
        });
        self.subscribers.subscribe(resync)
    }

    /// Waits until a face has asked the owner to end ([`Command::Quit`]), or it has.
    pub async fn ended(&self) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = self.quit.cancelled() => {}
            // An error means that the actor is gone, which is an end too.
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    /// Waits until no face but `face` has a transfer under way or holds a tunnel.
    pub async fn unneeded_by_others(&self, face: FaceId) {
        let (unneeded, told) = oneshot::channel();
        self.mailbox.post(Message::WhenUnneeded { face, unneeded });
        // An error means that the owner has ended, and nobody needs it any more.
        let _ = told.await;
    }

    /// Ends everything: transfers are stopped, leases dropped, tunnels closed. Returns when that is done.
    pub async fn stop(&self) {
        self.quit.cancel();
        let (done, ended) = oneshot::channel();
        self.mailbox.post(Message::Stop { done });
        // An error means that it had ended already.
        let _ = ended.await;
    }

    async fn snapshot(&self) -> Option<Snapshot> {
        let reply = self.handle(FaceId(0), Command::Snapshot).await.ok()?;
        let Reply::Snapshot { snapshot } = reply else { return None };
        Some(snapshot)
    }
}

fn ending() -> UiError {
    UiError::new(Code::OwnerGone, "Dockline is ending.").hint("Start it again.")
}

/// Reads the configuration off the runtime's threads.
async fn load(paths: &Paths) -> Result<Config, UiError> {
    let path = paths.config_file.clone();
    blocking(move || crate::config::load(&path)).await?.map_err(|error| UiError::from(&error))
}
