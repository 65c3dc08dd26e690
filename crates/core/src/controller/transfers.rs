//! The queue of pushes and pulls, and their figures.

mod entry;
mod reading;
mod steer;
mod told;

pub(super) use reading::Reading;

use super::{
    Answerer, FaceId, Mailbox, Message,
    actor::Actor,
    figures::Figures,
    history::{self, Past},
    meter::Meter,
    registries::unknown,
    run::{self, Context, Job, Way},
    share::{self, Share},
    ship::{self, Shipping},
};
use dockline_model::{
    Change, Code, Command, FaceKind, Gauge, RegistryName, Reply, Road, SshTarget, TransferId, TransferKind,
    TransferState, TransferView, UiError, UnixMillis, Verified,
};
use dockline_tunnel::TunnelConfig;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
    /// What runs, until its traces are removed.
    tasks: TaskTracker,
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
    /// Whether its task, once cancelled, leaves what it has to the one that goes on.
    is_halted: Arc<AtomicBool>,
    /// A pull into a file has been halted, and may have left something beside it.
    may_have_left: bool,
    /// A finished transfer that is forgotten for this one as soon as this one is read.
    replaces: Option<TransferId>,
    figures: Arc<Figures>,
    meter: Meter,
    /// Makes its share, over all of its tries.
    gauge: Gauge,
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

    fn next_id(&mut self) -> TransferId {
        self.last += 1;
        TransferId(self.last)
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
                    share: None,
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

    /// What is waited for at the end ([`Self::ended`]).
    pub(super) const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Waits until those that were ended have removed their traces.
    pub(super) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
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

    /// The next one that may begin: in order, a few of each registry at a time (of each of its hosts, where there are
    /// several), and never two of the same reference at once (they would fight over the tag).
    fn next(&self, per_registry: usize) -> Option<TransferId> {
        let (mut busy, mut references) = (Vec::new(), Vec::new());
        for entry in self.entries.values().filter(|entry| entry.has_task) {
            busy.push((&entry.view.registry, &entry.view.host));
            references.push((&entry.view.reference, &entry.view.host));
        }
        self.entries
            .values()
            .filter(|entry| {
                !entry.has_task && entry.view.state == TransferState::Waiting && !entry.is_being_read()
            })
            .find(|entry| {
                let place = (&entry.view.registry, &entry.view.host);
                busy.iter().filter(|busy| **busy == place).count() < per_registry
                    && !references.contains(&(&entry.view.reference, &entry.view.host))
            })
            .map(|entry| entry.view.id)
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
        if let Some(replaced) = order.replaces
            && let Err(error) = self.may_be_replaced(replaced)
        {
            let _ = answer.send(Err(error));
            return;
        }
        let id = self.transfers.next_id();
        if answer.send(Ok(Reply::Transfer { id })).is_err() {
            // Whoever asked has gone, and would not know its number.
            return;
        }
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
            share: None,
            sent: 0,
            skipped: 0,
            rate: None,
            seconds_left: None,
            started: unix_now(),
            finished: None,
        };
        let entry = Entry::new(view, Some(order.job), order.command, self.is_cli(face).then_some(face));
        self.transfers.entries.insert(id, entry);
        // First: whoever looks at the old one goes over to it.
        self.publish_transfer(id);
        if let Some(replaced) = order.replaces {
            self.forget(replaced);
        }
        self.forget_oldest();
        self.start_waiting();
    }

    /// Whether a transfer of that face's dies with it.
    fn is_cli(&self, face: FaceId) -> bool {
        self.faces.get(&face).is_some_and(|hello| match hello.face {
            FaceKind::Cli => true,
            FaceKind::Desktop => false,
        })
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
                    records: self.records.clone(),
                    cancel: entry.cancel.clone(),
                    mailbox: mailbox.clone(),
                    engines: self.engines.clone(),
                    traces: self.traces.clone(),
                };
                begin(&self.transfers.tasks, id, mailbox, ship::run(shipping, freight));
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
                source: source
                    .map(|source| (source.access.clone(), source.spec.has_tunnel().then(|| source.tunnel()))),
                hosts_file: self.paths.hosts_file.clone(),
                engines: self.engines.clone(),
                traces: self.traces.clone(),
                records: self.records.clone(),
                spool: self.paths.spool(),
                figures: entry.figures.clone(),
                cancel: entry.cancel.clone(),
                is_halted: entry.is_halted.clone(),
                mailbox: self.mailbox.clone(),
            };
            begin(&self.transfers.tasks, id, mailbox, run::run(context, job));
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
        let entries = &self.transfers.entries;
        // One that is being tried again stays until it is replaced.
        let is_waited_for = |id| entries.values().any(|entry| entry.will_replace(id));
        let over = entries.values().filter(|entry| entry.is_over() && !is_waited_for(entry.view.id));
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
                entry.forget_parts();
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
    tasks: &TaskTracker,
    id: TransferId,
    mailbox: Mailbox,
    transfer: impl Future<Output = Result<Verified, UiError>> + Send + 'static,
) {
    let task = tasks.spawn(transfer);
    tokio::spawn(async move {
        // A panic in there must not leave the transfer running for ever.
        let result = task.await.unwrap_or_else(|error| {
            Err(UiError::new(Code::Internal, format!("The transfer's task failed: {error}.")))
        });
        mailbox.post(Message::TransferEnded { id, result });
    });
}
