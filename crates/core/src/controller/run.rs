//! One transfer, from its lease to its digest.

mod through_engine;

use super::{
    Mailbox, Message,
    access::Access,
    engine::Engines,
    figures::Figures,
    registries::TunnelSlot,
    road,
    ship::Freight,
    traces::{Trace, Traces},
};
use dockline_engine::EngineError;
use dockline_model::{
    ArchiveFormat, Code, LeaseHolder, PushOptions, RegistryName, RegistrySpec, Road, TransferId,
    TransferState, TunnelState, UiError, UnixMillis, Verified,
};
use dockline_registry::{Client, OneOfSeveral, Records, Reference, RegistryError, Scope};
use dockline_tunnel::{Ask, Lease, Tunnel, TunnelConfig};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Tries in all when the tunnel breaks under a transfer. dockerd never repeats its first request nor the last (the
/// ping and the manifest), so somebody has to.
pub(super) const TRIES: u32 = 5;
/// Tries in all when the tunnel holds and the registry behind it fails or is gone for a moment, as one that is restarted.
const REGISTRY_TRIES: u32 = 3;
/// Before the second try; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) enum Job {
    PushImage {
        image: String,
        reference: Reference,
        options: PushOptions,
        /// Whether all goes that the engine has under that name, and not one image of it.
        all_platforms: bool,
    },
    PushArchive {
        path: PathBuf,
        image: Option<String>,
        reference: Reference,
        options: PushOptions,
        scope: Scope,
    },
    PullImage {
        reference: Reference,
        platform: Option<String>,
        /// Whichever can, if the person did not say.
        road: Option<Road>,
    },
    PullArchive {
        reference: Reference,
        path: PathBuf,
        format: ArchiveFormat,
        scope: Scope,
    },
    Copy {
        registry: RegistryName,
        from: Reference,
        reference: Reference,
        scope: Scope,
    },
    Ship(Freight),
}

impl Job {
    /// Connections to the registry that it begins with.
    const fn first_connections(&self) -> usize {
        match self {
            // Two questions at once.
            Self::PushImage { .. } => 2,
            Self::PushArchive { .. }
            | Self::PullImage { .. }
            | Self::PullArchive { .. }
            | Self::Copy { .. }
            | Self::Ship(_) => 1,
        }
    }
}

/// What a transfer needs of its surroundings.
pub(super) struct Context {
    pub(super) id: TransferId,
    pub(super) spec: RegistrySpec,
    pub(super) access: Arc<Access>,
    pub(super) way: Way,
    /// The registry that it comes from, where it goes from one to another, and the tunnel to that if there is one.
    pub(super) source: Option<(Arc<Access>, Option<TunnelSlot>)>,
    pub(super) hosts_file: PathBuf,
    pub(super) engines: Engines,
    pub(super) traces: Traces,
    /// What pushes remember.
    pub(super) records: Arc<Records>,
    /// Where an export may be kept while it is pushed.
    pub(super) spool: PathBuf,
    pub(super) figures: Arc<Figures>,
    pub(super) cancel: CancellationToken,
    /// Whether it goes on some time when it is cancelled.
    pub(super) is_halted: Arc<AtomicBool>,
    pub(super) mailbox: Mailbox,
}

/// How a transfer gets to its registry.
pub(super) enum Way {
    /// Through the tunnel that everybody uses.
    Shared(TunnelSlot),
    /// To one host of several, through a tunnel of its own.
    Own(Box<TunnelConfig>, Arc<dyn Ask>),
}

/// Does the job, over again if the tunnel broke.
pub(super) async fn run(mut context: Context, job: Job) -> Result<Verified, UiError> {
    let cancel = context.cancel.clone();
    let mut own = None;
    let mut held = None;
    if context.spec.has_tunnel() {
        let tunnel = match &mut context.way {
            Way::Shared(slot) => tokio::select! {
                tunnel = slot.ready() => tunnel?,
                () = cancel.cancelled() => return Err(cancelled()),
            },
            Way::Own(config, ask) => own.insert(Tunnel::start((**config).clone(), ask.clone()).await).clone(),
        };
        let lease = tunnel.lease(LeaseHolder::Transfer { id: context.id });
        context.figures.latest().tunnel = Some(tunnel.carried());
        held = Some((tunnel, lease));
    }
    let mut transfer = Transfer { context, held, trace: None, round_trip: None };
    let result = tokio::select! {
        result = transfer.with_retries(&job) => result,
        () = cancel.cancelled() => Err(cancelled()),
    };
    if let Some(trace) = transfer.trace.take() {
        trace.remove().await;
    }
    let access = transfer.context.access.clone();
    drop(transfer);
    access.rest();
    if let Some(own) = own {
        own.stop().await;
    }
    result
}

pub(super) fn cancelled() -> UiError {
    UiError::new(Code::Cancelled, "The transfer was stopped.")
}

pub(super) struct Transfer {
    context: Context,
    /// The tunnel, and what keeps it up; `None` for a registry without one.
    held: Option<(Tunnel, Lease)>,
    /// A name that was given to an image for the transfer alone.
    trace: Option<Trace>,
    /// How long it took to open a channel to the far end, when the tunnel was up already.
    round_trip: Option<Duration>,
}

/// How a try ended badly.
struct Failure {
    error: UiError,
    /// The session during it: when it came up.
    session: Option<UnixMillis>,
}

impl Transfer {
    async fn with_retries(&mut self, job: &Job) -> Result<Verified, UiError> {
        // What is wrong on this side is told before anything is dialled.
        if let Job::PushImage { image, .. } = job {
            self.context.engines.find().map_err(told)?.image_id(image).await.map_err(told)?;
        }
        if let Job::PullImage { .. } = job {
            self.context.engines.find().map_err(told)?.describe().await.map_err(told)?;
        }
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        let mut was_let_in = false;
        loop {
            self.say(TransferState::Waiting);
            let ready = self.ready(job).await;
            if tries == 1 {
                // What is not there at the beginning will not be there in a second.
                ready.clone()?;
            }
            let session = self.session();
            let outcome = match ready {
                Ok(()) => {
                    self.say(TransferState::Running);
                    self.once(job).await
                }
                Err(error) => Err(error),
            };
            let error = match outcome {
                Ok(verified) => return Ok(verified),
                Err(error) => error,
            };
            let failure = Failure { error, session };
            if !was_let_in && self.is_let_in_now(job, &failure.error).await {
                was_let_in = true;
                continue;
            }
            let may_pass = tries < REGISTRY_TRIES && self.may_pass(failure.error.code);
            if tries == TRIES || !(may_pass || self.is_the_tunnels(&failure)) {
                return Err(match &self.held {
                    Some((tunnel, _)) => better(tunnel, failure.error),
                    None => failure.error,
                });
            }
            tracing::info!(transfer = self.context.id.0, tries, code = ?failure.error.code, "trying again");
            tries += 1;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// Whether the way is open: whether anything listens at the far end is told better here than by an engine that is
    /// hung up on.
    async fn ready(&mut self, job: &Job) -> Result<(), UiError> {
        let Some((tunnel, lease)) = &self.held else { return Ok(()) };
        let was_up = self.session();
        let took = tunnel.prepare(lease, job.first_connections()).await?;
        self.round_trip = was_up.map(|_| took);
        // The listener's address may be another program's: what is pushed there would go to that.
        tunnel.view().listener_error.map_or(Ok(()), Err)
    }

    /// How long it takes to the host and back, as far as that is known at the beginning.
    pub(super) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// SSH sessions for so many connections of ours to come.
    pub(super) async fn make_room(&self, connections: usize) {
        if let Some((tunnel, lease)) = &self.held {
            tunnel.make_room(lease, connections).await;
        }
    }

    async fn once(&mut self, job: &Job) -> Result<Verified, UiError> {
        self.context.figures.begin();
        self.context.access.look_again().await;
        match job {
            Job::PushImage { image, reference, options, all_platforms } => {
                Box::pin(self.push_engine_image((image, *all_platforms), reference, *options)).await
            }
            Job::Ship(_) => Err(UiError::new(Code::Internal, "An image is shipped without a registry.")),
            Job::PullImage { reference, platform, road } => {
                self.pull_engine_image(reference, platform.as_deref(), *road).await
            }
            Job::Copy { from, reference, scope, .. } => self.copy(from, reference, scope).await,
            Job::PushArchive { path, image, reference, options, scope } => {
                self.push_archive_file((path, image.as_deref()), reference, *options, scope).await
            }
            Job::PullArchive { reference, path, format, scope } => {
                let client = self.client()?.telling(self.hearer(None));
                let figures = self.context.figures.clone();
                let digest = client
                    .leaving_parts_if(&self.context.is_halted)
                    .pull_archive_as(
                        reference.repository(),
                        &reference.tag_or_digest(),
                        path,
                        (*format, scope),
                        move |l, c, t| figures.write(l, c, t),
                    )
                    .await
                    .map_err(|error| self.refused(&error))?;
                // The client has computed this digest of what the registry sent under that name, and has compared
                // everything below it, each blob and manifest, with the digest that names it there.
                Ok(Verified { digest: digest.to_string(), at_registry: true })
            }
        }
    }

    /// From the one registry through its tunnel to the other through this one's.
    async fn copy(
        &mut self,
        from: &Reference,
        reference: &Reference,
        scope: &Scope,
    ) -> Result<Verified, UiError> {
        let Some((access, slot)) = &mut self.context.source else {
            return Err(UiError::new(Code::Internal, "A copy without a source."));
        };
        // Until the copy is there.
        let _held = match slot {
            Some(slot) => {
                let tunnel = slot.ready().await?;
                let lease = tunnel.lease(LeaseHolder::Transfer { id: self.context.id });
                tunnel.check_remote(&lease).await?;
                if let Some(error) = tunnel.view().listener_error {
                    return Err(error);
                }
                Some((tunnel, lease))
            }
            None => None,
        };
        // What is sent to the other registry is what counts for this transfer.
        access.look_again().await;
        let origin = access.clone();
        let source = origin.client()?.telling(self.hearer(None));
        let figures = self.context.figures.clone();
        let digest = source
            .copy_to(
                (from.repository(), &from.tag_or_digest()),
                &self.client()?,
                (reference.repository(), reference.tag_or_latest()),
                scope,
                move |l, c, t| figures.write(l, c, t),
            )
            .await
            .map_err(|error| {
                // Of the two it is the one that is read from that lacks an image, and the other that may lack a repository.
                let RegistryError::NotFound { what, .. } = &error else { return UiError::from(&error) };
                let message = match what.starts_with("repository ") {
                    true => format!("{} has no {what}.", self.context.spec.name),
                    false => format!("{} has no image {from}.", origin.name()),
                };
                UiError { message, ..UiError::from(&error) }
            })?;
        Ok(super::direct::stands(&digest))
    }

    /// The registry's client, whose traffic counts as this transfer's.
    pub(super) fn client(&self) -> Result<Client, UiError> {
        Ok(self.context.access.client()?.counted_by(&self.context.figures.crossed))
    }

    /// Tells the person, behind what they were told of the road, that one image of several is taken.
    pub(super) fn hearer(&self, why: Option<String>) -> impl Fn(&OneOfSeveral) + Send + Sync + 'static {
        let (id, mailbox) = (self.context.id, self.context.mailbox.clone());
        move |one| {
            let one = road::one_of_several(one);
            let why = why.as_ref().map_or_else(|| one.clone(), |why| format!("{why} {one}"));
            mailbox.post(Message::TransferRoad { id, road: Road::Direct, why });
        }
    }

    /// What the registry answered, in a sentence that names it.
    pub(super) fn refused(&self, error: &RegistryError) -> UiError {
        self.context.access.refused(error)
    }

    /// Asks the registry itself, through the tunnel's listener, what it has under that name.
    pub(super) async fn verify(
        &self,
        reference: &Reference,
        expected: Option<&str>,
    ) -> Result<Verified, UiError> {
        self.say(TransferState::Verifying);
        let found = self.client()?.manifest_digest(reference.repository(), &reference.tag_or_digest()).await;
        let found = found.map_err(|error| self.refused(&error))?.to_string();
        match expected {
            Some(expected) if expected == found => Ok(Verified { digest: found, at_registry: true }),
            Some(expected) => Err(UiError::new(
                Code::DigestMismatch,
                format!(
                    "{} has {found} as {reference}, but {expected} was transferred.",
                    self.context.spec.authority()
                ),
            )
            .hint("Somebody else may have pushed the same tag meanwhile; try again.")),
            // The engine does not tell; the registry's word alone compares nothing.
            None => Ok(Verified { digest: found, at_registry: false }),
        }
    }

    /// What a choice of road needs of the surroundings.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn say(&self, state: TransferState) {
        self.context.mailbox.post(Message::TransferAt { id: self.context.id, state });
    }

    fn session(&self) -> Option<UnixMillis> {
        match self.held.as_ref()?.0.view().state {
            TunnelState::Up { since } => Some(since),
            TunnelState::Idle
            | TunnelState::Connecting { .. }
            | TunnelState::Reconnecting { .. }
            | TunnelState::Lingering { .. }
            | TunnelState::Closing
            | TunnelState::Failed { .. } => None,
        }
    }

    /// Whether the registry failed, or was gone, in a way that may pass: an engine asks for `/v2/` and sends the manifest
    /// just once. Layers it tries again by itself, for most of a minute; our own client tries everything again.
    fn may_pass(&self, code: Code) -> bool {
        let latest = self.context.figures.latest();
        let is_for_the_first_time = latest.is_engines && !latest.has_repeated;
        matches!(code, Code::RegistryUnreachable | Code::RemoteClosed)
            || (code == Code::RegistryFailed && is_for_the_first_time)
    }

    /// Whether another try makes sense: the tunnel broke, and is being mended.
    fn is_the_tunnels(&self, failure: &Failure) -> bool {
        let Some((tunnel, _)) = &self.held else { return false };
        match tunnel.view().state {
            TunnelState::Failed { .. } | TunnelState::Idle | TunnelState::Closing => false,
            TunnelState::Connecting { .. } | TunnelState::Reconnecting { .. } => true,
            TunnelState::Up { .. } | TunnelState::Lingering { .. } => {
                let was_lost = failure.error.code == Code::SshLost;
                was_lost || (failure.session != self.session() && is_about_the_way(failure.error.code))
            }
        }
    }
}

/// The tunnel knows better than the engine, which sees nothing but a closed connection.
pub(super) fn better(tunnel: &Tunnel, error: UiError) -> UiError {
    if !is_about_the_way(error.code) {
        return error;
    }
    let view = tunnel.view();
    let cause = match view.state {
        TunnelState::Failed { error } | TunnelState::Reconnecting { error, .. } => Some(error),
        TunnelState::Idle
        | TunnelState::Connecting { .. }
        | TunnelState::Up { .. }
        | TunnelState::Lingering { .. }
        | TunnelState::Closing => view.forward_error,
    };
    match (cause, error.details) {
        (None, details) => UiError { details, ..error },
        (Some(cause), Some(details)) if cause.details.is_none() => cause.details(details),
        (Some(cause), _) => cause,
    }
}

pub(super) fn told(error: EngineError) -> UiError {
    UiError::from(&error)
}

/// Whether the failure may come from the way to the registry rather than from what was asked of it.
fn is_about_the_way(code: Code) -> bool {
    matches!(
        code,
        Code::SshLost
            | Code::Disconnected
            | Code::RemoteClosed
            | Code::EngineCannotReach
            | Code::EngineFailed
            | Code::RegistryUnreachable
            | Code::RegistryFailed
            | Code::TimedOut
    )
}
