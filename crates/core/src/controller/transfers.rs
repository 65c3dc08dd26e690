//! The queue of pushes and pulls, and their figures.

use super::{
    Answerer, FaceId, Mailbox, Message,
    actor::Actor,
    history::{self, Past},
    meter::{Course, Meter, seconds_left},
    registries::unknown,
    run::{self, Context, Figures, Job, Way},
    share::{self, Share},
    ship::{self, Shipping},
    traces::Traces,
};
use dockline_model::{
    Change, Code, Command, FaceKind, LayerState, LayerView, RegistryName, Reply, Road, SshTarget, TransferId,
    TransferKind, TransferState, TransferView, UiError, UnixMillis, Verified,
};
use dockline_tunnel::TunnelConfig;
use std::{
    collections::BTreeMap,
    mem,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

/// A transfer that has been checked, before it has a number.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) kind: TransferKind,
    pub(super) road: Road,
    pub(super) registry: RegistryName,
    /// The only host it may go to.
    pub(super) host: Option<SshTarget>,
    /// As the person named it.
    pub(super) source: String,
    /// `cr.boss.org:5000/app:v1`.
    pub(super) reference: String,
    pub(super) job: Job,
    /// What was asked for, for another time.
    pub(super) command: Command,
    /// A finished transfer that is forgotten for this one.
    pub(super) replaces: Option<TransferId>,
}

/// All transfers of this owner's life, until they are dismissed. Belongs to the actor.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    last: u64,
    entries: BTreeMap<TransferId, Entry>,
}

#[derive(Debug)]
struct Entry {
    view: TransferView,
    /// None for a transfer of an earlier owner's.
    job: Option<Job>,
    command: Command,
    /// The command line that waits for it: it dies with that.
    bound_to: Option<FaceId>,
    cancel: CancellationToken,
    figures: Arc<Figures>,
    meter: Meter,
    /// Its part of what its tunnel carries, while an engine moves it.
    share: Share,
    /// From the start of its task until its traces are removed.
    has_task: bool,
    /// Its task has been told to stop because the person halted it, and has not ended yet.
    is_halting: bool,
}

impl Transfers {
    /// Those of earlier owners, none of which is under way.
    pub(super) fn of_history(past: Vec<Past>) -> Self {
        let mut transfers = Self::default();
        for Past { view, command } in past {
            transfers.last = transfers.last.max(view.id.0);
            transfers.entries.insert(view.id, Entry::new(view, None, command, None));
        }
        transfers
    }

    fn history(&self) -> Vec<Past> {
        let past = |entry: &Entry| Past {
            // The figures of a transfer under way change ten times a second, and are worth nothing later.
            view: match entry.view.state.is_final() {
                true => TransferView { layers: Vec::new(), ..entry.view.clone() },
                false => TransferView {
                    layers: Vec::new(),
                    state: TransferState::Waiting,
                    current: 0,
                    total: 0,
                    sent: 0,
                    skipped: 0,
                    rate: None,
                    seconds_left: None,
                    ..entry.view.clone()
                },
            },
            command: entry.command.clone(),
        };
        self.entries.values().map(past).collect()
    }

    /// Those that have not ended.
    pub(super) fn active(&self) -> impl Iterator<Item = &TransferView> {
        self.entries.values().map(|entry| &entry.view).filter(|view| !view.state.is_final())
    }

    pub(super) fn any_running(&self) -> bool {
        self.entries.values().any(|entry| entry.has_task && !entry.view.state.is_final())
    }

    pub(super) fn any_task(&self) -> bool {
        self.entries.values().any(|entry| entry.has_task)
    }

    pub(super) fn any_bound_to_another(&self, face: FaceId) -> bool {
        self.entries
            .values()
            .any(|entry| entry.bound_to.is_some_and(|bound| bound != face) && !entry.view.state.is_final())
    }

    pub(super) fn view(&self) -> Vec<TransferView> {
        self.entries.values().map(|entry| entry.view.clone()).collect()
    }

    /// Divides what the tunnels have carried since the last look among those that engines move through them.
    fn share_out(&mut self) {
        let running = |entry: &&mut Entry| entry.has_task && !entry.view.state.is_final();
        let parts = self.entries.values_mut().filter(running).filter_map(|entry| {
            let own = entry.own();
            let latest = entry.figures.latest();
            let tunnel = latest.tunnel.clone()?;
            let is_up = match entry.view.kind {
                TransferKind::Pull => false,
                TransferKind::Push | TransferKind::Ship | TransferKind::Copy => true,
            };
            Some(share::Part { tunnel, is_up, is_engines: latest.is_engines, own, share: &mut entry.share })
        });
        share::divide(&mut parts.collect::<Vec<_>>());
    }

    /// The next one that may begin: in order, a few of each registry at a time, and never two of the same
    /// reference at once (they would fight over the tag).
    fn next(&self, per_registry: usize) -> Option<TransferId> {
        let mut busy: BTreeMap<&RegistryName, usize> = BTreeMap::new();
        let mut references = Vec::new();
        for entry in self.entries.values().filter(|entry| entry.has_task) {
            *busy.entry(&entry.view.registry).or_default() += 1;
            references.push((&entry.view.reference, &entry.view.host));
        }
        self.entries
            .values()
            .filter(|entry| !entry.has_task && entry.view.state == TransferState::Waiting)
            .find(|entry| {
                busy.get(&entry.view.registry).copied().unwrap_or_default() < per_registry
                    && !references.contains(&(&entry.view.reference, &entry.view.host))
            })
            .map(|entry| entry.view.id)
    }
}

impl Entry {
    fn new(view: TransferView, job: Option<Job>, command: Command, bound_to: Option<FaceId>) -> Self {
        Self {
            view,
            job,
            command,
            bound_to,
            cancel: CancellationToken::new(),
            figures: Arc::default(),
            meter: Meter::default(),
            share: Share::default(),
            has_task: false,
            is_halting: false,
        }
    }

    /// Takes over the newest figures. Progress never runs backwards: a second try starts from nothing, and its
    /// bar stands still until it has passed the first's.
    fn read_figures(&mut self, now: Instant) {
        let (sent, current, total) = self.take_figures();
        self.view.sent = self.view.sent.max(sent.unwrap_or_default());
        let skipped = || self.view.layers.iter().filter(|layer| is_skipped(layer));
        let moved_by_nobody = skipped().map(|layer| layer.current).sum();
        self.view.skipped = skipped().filter_map(|layer| layer.total).sum();
        self.view.current = self.view.current.max(current);
        self.view.total = self.view.total.max(total).max(self.view.current);
        self.view.rate = match self.view.state {
            TransferState::Running => self.meter.sample(now, sent.unwrap_or(self.view.current)),
            TransferState::Waiting
            | TransferState::Paused
            | TransferState::Verifying
            | TransferState::Done { .. }
            | TransferState::Failed { .. }
            | TransferState::Cancelled => None,
        };
        self.view.seconds_left = seconds_left(Course {
            current: self.view.current,
            total: self.view.total,
            skipped: moved_by_nobody,
            sent,
            rate: self.view.rate,
        });
    }

    /// Takes over the newest layers; bytes that crossed the way where those are counted, bytes so far, and in all.
    fn take_figures(&mut self) -> (Option<u64>, u64, u64) {
        let mut latest = self.figures.latest();
        // Taken, since they need no second telling; the numbers stay.
        let layers = mem::take(&mut latest.layers);
        if !layers.is_empty() {
            self.view.layers = layers;
        }
        fill_in(&mut self.view.layers, &latest.stored);
        let sent = match (latest.sent, &latest.tunnel) {
            (Some(sent), _) => Some(sent),
            // As the tunnel has it, until the end; then as it was answered for.
            (None, Some(_)) if self.view.state.is_final() => Some(self.share.sum_at_the_end(self.own())),
            (None, Some(_)) => Some(self.share.sum()),
            (None, None) if latest.is_engines => None,
            (None, None) => Some(self.own()),
        };
        (sent, latest.current, latest.total)
    }

    /// Bytes that our own client has moved for it, the way that it goes.
    fn own(&self) -> u64 {
        match self.view.kind {
            TransferKind::Pull => self.figures.crossed.down(),
            TransferKind::Push | TransferKind::Ship | TransferKind::Copy => self.figures.crossed.up(),
        }
    }

    /// Whether nothing is done for it any more.
    fn is_over(&self) -> bool {
        self.view.state.is_final() && !self.has_task
    }

    fn end(&mut self, state: TransferState) {
        self.view.state = state;
        self.read_figures(Instant::now());
        self.view.rate = None;
        self.view.seconds_left = None;
        self.view.finished = Some(unix_now());
        self.cancel.cancel();
    }
}

pub(super) fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Actor {
    pub(super) fn enqueue(&mut self, face: FaceId, order: Box<Order>, answer: Answerer) {
        let order = *order;
        let needs_registry = !matches!(order.job, Job::Ship(_));
        if needs_registry && self.registry(&order.registry).is_none() {
            let _ = answer.send(Err(unknown(&order.registry)));
            return;
        }
        self.transfers.last += 1;
        let id = TransferId(self.transfers.last);
        if answer.send(Ok(Reply::Transfer { id })).is_err() {
            // Whoever asked has gone, and would not know its number.
            return;
        }
        let is_cli = self.faces.get(&face).is_some_and(|hello| match hello.face {
            FaceKind::Cli => true,
            FaceKind::Desktop => false,
        });
        let view = TransferView {
            id,
            kind: order.kind,
            road: order.road,
            why: None,
            registry: order.registry,
            host: order.host,
            source: order.source,
            reference: order.reference,
            state: TransferState::Waiting,
            layers: Vec::new(),
            current: 0,
            total: 0,
            sent: 0,
            skipped: 0,
            rate: None,
            seconds_left: None,
            started: unix_now(),
            finished: None,
        };
        let entry = Entry::new(view, Some(order.job), order.command, is_cli.then_some(face));
        self.transfers.entries.insert(id, entry);
        if let Some(replaced) = order.replaces {
            self.forget(replaced);
        }
        self.forget_oldest();
        self.publish_transfer(id);
        self.start_waiting();
    }

    /// Begins as many as may run.
    pub(super) fn start_waiting(&mut self) {
        let at_once = usize::try_from(self.settings.transfers_per_registry).unwrap_or(1);
        while !self.paused
            && let Some(id) = self.transfers.next(at_once)
        {
            let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
            let Some(job) = entry.job.clone() else { return };
            entry.has_task = true;
            let mailbox = self.mailbox.clone();
            if let Job::Ship(mut freight) = job {
                freight.host.identity = freight.host.identity.map(|path| self.paths.expanded(&path));
                let shipping = Shipping {
                    id,
                    name: entry.view.registry.clone(),
                    ssh: self.paths.ssh.clone(),
                    asker: self.asker.clone(),
                    folder: self.paths.state_dir.join("shipping"),
                    figures: entry.figures.clone(),
                    cancel: entry.cancel.clone(),
                    mailbox: mailbox.clone(),
                    engines: self.engines.clone(),
                };
                begin(id, mailbox, ship::run(shipping, freight));
                continue;
            }
            let registry = self.registries.iter().find(|r| r.spec.name == entry.view.registry);
            let Some(registry) = registry else {
                entry.has_task = false;
                let error = unknown(&entry.view.registry);
                entry.end(TransferState::Failed { error });
                self.publish_transfer(id);
                continue;
            };
            let source = match &job {
                Job::Copy { registry, .. } => self.registries.iter().find(|r| r.spec.name == *registry),
                Job::PushImage { .. }
                | Job::PushArchive { .. }
                | Job::PullImage { .. }
                | Job::PullArchive { .. }
                | Job::Ship(_) => None,
            };
            let (spec, access, way) = match &entry.view.host {
                None => {
                    let way = Way::Shared(registry.tunnel());
                    (registry.spec.clone(), registry.access.clone(), way)
                }
                Some(host) => {
                    let mut spec = registry.spec.clone();
                    spec.ssh = host.clone();
                    spec.ssh.identity = spec.ssh.identity.map(|path| self.paths.expanded(&path));
                    spec.fallbacks = Vec::new();
                    spec.gateway = None;
                    // That port is the shared tunnel's.
                    spec.localhost_port = None;
                    spec.linger_seconds = 0;
                    // Another program may be faster; the tunnel's view says so then.
                    let free = std::net::TcpListener::bind((spec.address, 0));
                    if let Ok(address) = free.and_then(|free| free.local_addr()) {
                        spec.port = address.port();
                    }
                    let config = TunnelConfig::new(spec.clone(), self.paths.ssh.clone());
                    let access = Arc::new(registry.access.at(spec.clone()));
                    (spec, access, Way::Own(Box::new(config), self.asker.clone()))
                }
            };
            let context = Context {
                id,
                spec,
                access,
                way,
                source: source.map(|source| (source.access.clone(), source.tunnel())),
                hosts_file: self.paths.hosts_file.clone(),
                engines: self.engines.clone(),
                traces: Traces::new(&self.paths.state_dir),
                records: self.records.clone(),
                spool: self.paths.spool(),
                figures: entry.figures.clone(),
                cancel: entry.cancel.clone(),
                mailbox: self.mailbox.clone(),
            };
            begin(id, mailbox, run::run(context, job));
        }
    }

    pub(super) fn read_figures(&mut self, now: Instant) {
        self.transfers.share_out();
        let mut moved = Vec::new();
        for entry in self.transfers.entries.values_mut() {
            if entry.has_task && !entry.view.state.is_final() {
                let before = entry.view.clone();
                entry.read_figures(now);
                if entry.view != before {
                    moved.push(entry.view.id);
                }
            }
        }
        moved.into_iter().for_each(|id| self.publish_transfer(id));
    }

    pub(super) fn transfer_at(&mut self, id: TransferId, state: TransferState) {
        self.transfers.share_out();
        let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
        // A task that was stopped for a halt may say what it did last; the halt is what counts.
        if entry.is_halting || entry.view.state.is_final() || entry.view.state == state {
            return;
        }
        entry.read_figures(Instant::now());
        entry.view.state = state;
        self.publish_transfer(id);
    }

    pub(super) fn transfer_road(&mut self, id: TransferId, road: Road, why: String) {
        let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
        if !entry.view.state.is_final() {
            entry.view.road = road;
            entry.view.why = Some(why);
            self.publish_transfer(id);
        }
    }

    pub(super) fn transfer_ended(&mut self, id: TransferId, result: Result<Verified, UiError>) {
        let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
        entry.has_task = false;
        let was_halted = mem::take(&mut entry.is_halting);
        // Cancelled, interrupted or halted: the faces know that already.
        if !entry.view.state.is_final() && !was_halted {
            entry.end(match result {
                Ok(verified) => TransferState::Done { verified },
                Err(error) => TransferState::Failed { error },
            });
            self.publish_transfer(id);
        }
        self.start_waiting();
    }

    pub(super) fn cancel(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get(&id).ok_or_else(|| no_transfer(id))?;
        if !entry.view.state.is_final() {
            self.finish(&[id], &TransferState::Cancelled);
        }
        Ok(Reply::Done)
    }

    /// Halts a transfer that waits, or one that Dockline itself carries: what the other side has of it stays there,
    /// and is asked for when it goes on. An engine cannot be halted in the middle of its work.
    pub(super) fn pause(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get_mut(&id).ok_or_else(|| no_transfer(id))?;
        let is_carried_by_engine = match entry.view.road {
            Road::Engine => true,
            Road::Direct => false,
        };
        match entry.view.state {
            TransferState::Paused => return Ok(Reply::Done),
            TransferState::Done { .. } | TransferState::Failed { .. } | TransferState::Cancelled => {
                return Err(UiError::new(Code::InvalidArgument, "The transfer has ended."));
            }
            TransferState::Running | TransferState::Verifying if is_carried_by_engine => {
                return Err(UiError::new(
                    Code::InvalidArgument,
                    "The engine carries this transfer, and an engine cannot halt one that it has begun.",
                )
                .hint("Cancel it; when it is begun again, layers that arrived are not sent again."));
            }
            TransferState::Waiting | TransferState::Running | TransferState::Verifying => {}
        }
        entry.cancel.cancel();
        entry.is_halting = entry.has_task;
        entry.read_figures(Instant::now());
        entry.view.state = TransferState::Paused;
        entry.view.rate = None;
        entry.view.seconds_left = None;
        self.publish_transfer(id);
        self.start_waiting();
        Ok(Reply::Done)
    }

    /// Puts a halted transfer back into the queue, where it was.
    pub(super) fn resume(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get_mut(&id).ok_or_else(|| no_transfer(id))?;
        if entry.view.state == TransferState::Paused {
            entry.cancel = CancellationToken::new();
            entry.figures = entry.figures.anew();
            entry.share.rest();
            entry.meter = Meter::default();
            entry.view.state = TransferState::Waiting;
            self.publish_transfer(id);
            self.start_waiting();
        }
        Ok(Reply::Done)
    }

    pub(super) fn dismiss(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get(&id).ok_or_else(|| no_transfer(id))?;
        if !entry.view.state.is_final() || entry.has_task {
            return Err(UiError::new(Code::InvalidArgument, "The transfer has not ended yet.")
                .hint("Cancel it first, or wait for its end."));
        }
        self.forget(id);
        Ok(Reply::Done)
    }

    pub(super) fn dismiss_all(&mut self) -> Result<Reply, UiError> {
        let ended = self.transfers.entries.values().filter(|entry| entry.is_over());
        let ended: Vec<TransferId> = ended.map(|entry| entry.view.id).collect();
        ended.into_iter().for_each(|id| self.forget(id));
        Ok(Reply::Done)
    }

    /// Asks again for what a finished transfer was asked for.
    pub(super) fn retry(&self, face: FaceId, id: TransferId, answer: Answerer) {
        let command = match self.transfers.entries.get(&id) {
            None => Err(no_transfer(id)),
            Some(entry) if !entry.is_over() => {
                Err(UiError::new(Code::InvalidArgument, "The transfer has not ended yet."))
            }
            Some(entry) => Ok(entry.command.clone()),
        };
        match command {
            Ok(command) => self.order(face, command, Some(id), answer),
            // A face that has gone does not hear it.
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    pub(super) fn retry_all(&self, face: FaceId) -> Result<Reply, UiError> {
        let has_failed = |entry: &&Entry| match entry.view.state {
            TransferState::Failed { .. } => entry.is_over(),
            TransferState::Waiting
            | TransferState::Paused
            | TransferState::Running
            | TransferState::Verifying
            | TransferState::Done { .. }
            | TransferState::Cancelled => false,
        };
        for entry in self.transfers.entries.values().filter(has_failed) {
            let (answer, answered) = oneshot::channel();
            self.order(face, entry.command.clone(), Some(entry.view.id), answer);
            // Nobody waits for the numbers, and nothing is begun for somebody who has gone.
            tokio::spawn(answered);
        }
        Ok(Reply::Done)
    }

    pub(super) fn pause_all(&mut self) -> Result<Reply, UiError> {
        self.hold_back(true);
        for id in self.matching(|_| true) {
            // What the engine carries goes on: that can only be cancelled.
            let _ = self.pause(id);
        }
        Ok(Reply::Done)
    }

    pub(super) fn resume_all(&mut self) -> Result<Reply, UiError> {
        self.hold_back(false);
        for id in self.matching(|_| true) {
            self.resume(id)?;
        }
        self.start_waiting();
        Ok(Reply::Done)
    }

    fn hold_back(&mut self, paused: bool) {
        if self.paused != paused {
            self.paused = paused;
            self.publish(Change::Paused { paused });
        }
    }

    fn forget(&mut self, id: TransferId) {
        if self.transfers.entries.remove(&id).is_some() {
            self.publish(Change::TransferGone { id });
            self.keep_history();
        }
    }

    /// The list is bounded: the oldest finished ones go.
    fn forget_oldest(&mut self) {
        let excess = self.transfers.entries.len().saturating_sub(history::KEPT);
        let over = self.transfers.entries.values().filter(|entry| entry.is_over());
        let oldest: Vec<TransferId> = over.map(|entry| entry.view.id).take(excess).collect();
        oldest.into_iter().for_each(|id| self.forget(id));
    }

    pub(super) fn keep_history(&self) {
        self.history.keep(self.transfers.history());
    }

    /// A command line that vanishes takes its transfers with it, as Ctrl-C would.
    pub(super) fn face_gone(&mut self, face: FaceId) {
        let bound = self.matching(|entry| entry.bound_to == Some(face));
        self.finish(&bound, &TransferState::Cancelled);
    }

    pub(super) fn interrupt_registry(&mut self, name: &RegistryName, error: &UiError) {
        let affected = self.matching(|entry| entry.view.registry == *name);
        self.finish(&affected, &TransferState::Failed { error: error.clone() });
    }

    pub(super) fn interrupt_all(&mut self, error: &UiError) {
        let all = self.matching(|_| true);
        self.finish(&all, &TransferState::Failed { error: error.clone() });
    }

    fn matching(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<TransferId> {
        let entries = self.transfers.entries.values();
        entries.filter(|e| !e.view.state.is_final() && wanted(e)).map(|e| e.view.id).collect()
    }

    /// Ends transfers from outside: shown at once; the task stops at once too, and then removes its traces.
    fn finish(&mut self, ids: &[TransferId], state: &TransferState) {
        for id in ids {
            if let Some(entry) = self.transfers.entries.get_mut(id) {
                entry.end(state.clone());
                self.publish_transfer(*id);
            }
        }
    }

    fn publish_transfer(&mut self, id: TransferId) {
        if let Some(transfer) = self.transfers.entries.get(&id).map(|entry| entry.view.clone()) {
            let has_ended = transfer.state.is_final();
            let is_new = transfer.state == TransferState::Waiting;
            self.publish(Change::Transfer { transfer });
            if has_ended || is_new {
                self.keep_history();
            }
        }
    }
}

/// Starts a transfer's task, and posts its end.
fn begin(
    id: TransferId,
    mailbox: Mailbox,
    transfer: impl Future<Output = Result<Verified, UiError>> + Send + 'static,
) {
    let task = tokio::spawn(transfer);
    tokio::spawn(async move {
        // A panic in there must not leave the transfer running for ever.
        let result = task.await.unwrap_or_else(|error| {
            Err(UiError::new(Code::Internal, format!("The transfer's task failed: {error}.")))
        });
        mailbox.post(Message::TransferEnded { id, result });
    });
}

/// Whether nothing had to be sent of it.
fn is_skipped(layer: &LayerView) -> bool {
    match layer.state {
        LayerState::Exists | LayerState::Mounted { .. } => true,
        LayerState::Waiting
        | LayerState::Transferring
        | LayerState::Extracting
        | LayerState::Retrying { .. }
        | LayerState::Done => false,
    }
}

fn no_transfer(id: TransferId) -> UiError {
    UiError::new(Code::NotFound, format!("There is no transfer {}.", id.0))
}

/// Gives layers that were there already, of which an engine says no more than that, the bytes that the registry has of
/// them: by their digests, or by their places where the engine calls them otherwise (Docker's own store by the digests of
/// what is unpacked).
fn fill_in(layers: &mut [LayerView], stored: &[(String, u64)]) {
    let is_as_long = layers.len() == stored.len();
    for (place, layer) in layers.iter_mut().enumerate() {
        if layer.total.is_some() || !is_skipped(layer) {
            continue;
        }
        let by_digest = stored.iter().find(|(digest, _)| *digest == layer.id);
        if let Some((_, size)) = by_digest.or_else(|| stored.get(place).filter(|_| is_as_long)) {
            (layer.total, layer.current) = (Some(*size), *size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_that_were_there_get_the_registrys_sizes() {
        let layer = |id: &str, state| LayerView { id: id.to_owned(), state, current: 0, total: None };
        let stored = [("aaa".to_owned(), 10), ("bbb".to_owned(), 20), ("ccc".to_owned(), 30)];
        // Docker's own store: other digests, in the same order.
        let mut layers = vec![
            layer("x", LayerState::Exists),
            layer("y", LayerState::Done),
            layer("z", LayerState::Mounted { from: "app".to_owned() }),
        ];
        fill_in(&mut layers, &stored);
        assert_eq!(layers.iter().map(|layer| layer.total).collect::<Vec<_>>(), [Some(10), None, Some(30)]);
        // containerd's: the registry's own, in whatever order, with the configuration among them.
        let mut layers = vec![layer("ccc", LayerState::Exists), layer("config", LayerState::Exists)];
        fill_in(&mut layers, &stored);
        assert_eq!(layers.iter().map(|layer| layer.total).collect::<Vec<_>>(), [Some(30), None]);
        // The same layer twice has one bar: which it is cannot be told by its place.
        let mut layers = vec![layer("x", LayerState::Exists), layer("y", LayerState::Exists)];
        fill_in(&mut layers, &stored);
        assert!(layers.iter().all(|layer| layer.total.is_none()));
    }
}
