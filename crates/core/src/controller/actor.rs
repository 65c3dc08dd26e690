//! The one task that owns all state.

use super::{
    Answerer, Controller, FaceId, Mailbox, Message,
    doctor::Doctors,
    ending,
    engine::{EngineWatch, Engines},
    events::Publisher,
    history::{self, History},
    offers::{self, Offers},
    prompts::{Asker, Prompts},
    registries::Registry,
    traces::Traces,
    transfers::Transfers,
    updates::Updates,
    watch::FileWatch,
};
use crate::{Paths, config::Config, files::blocking, secrets::Secrets, updates::Kept};
use dockline_model::{
    Change, Code, Command, EngineState, EngineView, Hello, PromptId, RegistryName, Reply, Settings,
    SetupProgress, Snapshot, UiError,
};
use dockline_registry::Records;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// How often the figures of running transfers are looked up.
const TICK: Duration = Duration::from_millis(100);
/// How long a configuration without any registry is doubted.
const SETTLES: Duration = Duration::from_millis(250);
/// How long the end waits for transfers to remove their traces, and for tunnels to close.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// All state. Fields are open to this module's children, which hold the commands.
pub(super) struct Actor {
    pub(super) paths: Paths,
    pub(super) settings: Settings,
    pub(super) mailbox: Mailbox,
    pub(super) asker: Arc<Asker>,
    pub(super) faces: BTreeMap<FaceId, Hello>,
    pub(super) last_face: u64,
    /// In the configuration's order.
    pub(super) registries: Vec<Registry>,
    pub(super) last_generation: u64,
    pub(super) config_error: Option<UiError>,
    /// Since when the file on disk has been without any of the registries that there are.
    emptied: Option<Instant>,
    /// Whether this owner is more than one command's.
    pub(super) stays: bool,
    pub(super) transfers: Transfers,
    /// Whether waiting transfers are held back.
    pub(super) paused: bool,
    pub(super) history: History,
    /// What pushes remember of layers and lines.
    pub(super) records: Arc<Records>,
    /// What transfers make at engines for their own time.
    pub(super) traces: Traces,
    pub(super) offers: Offers,
    pub(super) prompts: Prompts,
    pub(super) doctors: Doctors,
    pub(super) updates: Updates,
    pub(super) engine: EngineView,
    /// How far a change of the engine's settings is.
    pub(super) setup: Option<SetupProgress>,
    pub(super) engines: Engines,
    pub(super) engine_watch: EngineWatch,
    pub(super) publisher: Publisher,
    /// Tunnels being closed, and other work the end has to wait for.
    pub(super) closing: JoinSet<()>,
    /// Faces that wait until no other needs the owner.
    waiting_for_others: Vec<(FaceId, oneshot::Sender<()>)>,
    quit: CancellationToken,
    /// Held for its life.
    _files: FileWatch,
}

impl Actor {
    pub(super) async fn new(
        mut paths: Paths,
        controller: &Controller,
        loaded: Result<Config, UiError>,
    ) -> Self {
        let mailbox = controller.mailbox.clone();
        let (config, config_error) = match loaded {
            Ok(config) => (config, None),
            Err(error) => (Config::default(), Some(error)),
        };
        let secrets = Secrets::new(config.settings.keyring);
        paths.ssh.keepalive = Some(Duration::from_secs(config.settings.keepalive_seconds.into()));
        let (autostart, list, updates) = (paths.autostart(), paths.transfers_file(), paths.updates_file());
        let read = move || (autostart.is_on(), history::read(&list), Kept::read(&updates));
        let (start_at_login, past, updates) = blocking(read).await.unwrap_or_default();
        let engines = Engines::default();
        engines.choose(config.settings.context.clone());
        let files = FileWatch::start(&[&paths.config_file, &paths.hosts_file], mailbox.clone());
        let (folder, spool) = (paths.push_records(), paths.spool());
        let records = blocking(move || {
            super::pull::clean_spool(&spool);
            Records::in_folder(&folder)
        });
        let records = Arc::new(records.await.unwrap_or_else(|_| Records::nowhere()));
        let transfers = Transfers::of_history(past);
        let traces = Traces::new(&paths.state_dir, transfers.tasks().clone());
        let mut actor = Self {
            settings: Settings { start_at_login, ..config.settings.clone() },
            asker: Arc::new(Asker { mailbox: mailbox.clone(), secrets }),
            faces: BTreeMap::new(),
            last_face: 0,
            registries: Vec::new(),
            last_generation: 0,
            config_error,
            emptied: None,
            stays: false,
            transfers,
            paused: false,
            history: History::start(paths.transfers_file()),
            records,
            traces,
            offers: Offers::configured(config.offers),
            prompts: Prompts::default(),
            doctors: Doctors::default(),
            updates: Updates::new(updates),
            setup: None,
            engine: EngineView { state: EngineState::Unknown, images: Vec::new() },
            engine_watch: EngineWatch::start(mailbox.clone(), engines.clone()),
            engines,
            publisher: Publisher::new(controller.subscribers.clone()),
            closing: JoinSet::new(),
            waiting_for_others: Vec::new(),
            quit: controller.quit.clone(),
            _files: files,
            mailbox,
            paths,
        };
        let settled = actor.paths.clone();
        tokio::task::spawn_blocking(move || {
            crate::hosts::settle(&settled);
            crate::setup::settle(&settled);
        });
        actor.start_all(config.registries).await;
        let shipping = actor.paths.state_dir.join("shipping");
        tokio::task::spawn_blocking(move || super::ship::clean(&shipping));
        actor.traces.clean(&actor.engines).await;
        actor
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let flush = self.publisher.next_flush();
            let flush_due = flush.unwrap_or_else(Instant::now);
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(Message::Stop { done }) => {
                        self.end(&mut inbox).await;
                        // Whoever asked may not wait for it.
                        let _ = done.send(());
                        return;
                    }
                    Some(message) => {
                        self.receive(message).await;
                        self.tell_the_unneeded();
                    }
                    None => return,
                },
                () = tokio::time::sleep_until(flush_due), if flush.is_some() => {
                    self.publisher.flush(Instant::now());
                }
                now = tick.tick(), if self.transfers.any_running() => self.read_figures(now),
                Some(_) = self.closing.join_next(), if !self.closing.is_empty() => {}
            }
        }
    }

    async fn receive(&mut self, message: Message) {
        match message {
            Message::Attach { hello, face } => {
                self.last_face += 1;
                let id = FaceId(self.last_face);
                self.faces.insert(id, hello);
                if face.send(id).is_err() {
                    self.detach(id);
                }
            }
            Message::Detach { face } => self.detach(face),
            Message::Command { face, command, answer } => self.command(face, command, answer).await,
            Message::OpenPrompt { registry, question, answer, opened } => {
                let can_keep = question.wants_secret() && self.asker.secrets.is_available();
                let asked = self.somebody_can_answer().then(|| {
                    let prompt = self.prompts.open(registry, question, can_keep, answer);
                    let id = prompt.id;
                    self.publish(Change::Prompt { prompt });
                    id
                });
                if let Err(Some(id)) = opened.send(asked) {
                    self.close_prompt(id);
                }
            }
            Message::ClosePrompt { id } => self.close_prompt(id),
            Message::TunnelStarted { name, generation, tunnel } => {
                self.tunnel_started(&name, generation, tunnel);
            }
            Message::TunnelChanged { name, generation } => {
                if self.registry(&name).is_some_and(|registry| registry.generation == generation) {
                    self.keep_if_open(&name);
                    self.publish_registry(&name);
                }
            }
            Message::Leased { name, generation, holder, lease, replaces } => {
                self.store_lease(&name, generation, holder, (lease, replaces));
            }
            Message::Unlease { name, generation, holder } => self.drop_lease(&name, generation, holder),
            Message::Reading { face, reading, row } => self.begin_reading(face, *reading, row),
            Message::Read { id, order, answer } => self.read(id, order, answer),
            Message::Enqueue { face, order, answer } => self.enqueue(face, order, answer),
            Message::TransferAt { id, state } => self.transfer_at(id, state),
            Message::TransferRoad { id, road, why } => self.transfer_road(id, road, why),
            Message::TransferRemark { id, remark } => self.transfer_remark(id, &remark),
            Message::TransferEnded { id, result } => self.transfer_ended(id, result),
            Message::Engine { view } => {
                if self.engine != view {
                    self.engine = view.clone();
                    self.publish(Change::Engine { engine: view });
                }
            }
            Message::OfferChanged { id } => self.offer_changed(id),
            Message::OfferEnded { id } => self.offer_ended(id),
            Message::Setup { progress } => {
                self.setup.clone_from(&progress);
                self.publish(Change::Setup { progress });
            }
            Message::Usage { progress } => self.publish(Change::Usage { progress }),
            Message::Doctor { report } => self.doctor_report(report),
            Message::FilesChanged => self.reload().await,
            Message::UpdateAnswer { answer } => self.update_answer(answer).await,
            Message::UpdatesDue => self.updates_due(),
            Message::Stay => {
                self.stays = true;
                self.open_at_start();
                self.reconcile_offers();
                self.begin_updates();
            }
            Message::WhenUnneeded { face, unneeded } => self.waiting_for_others.push((face, unneeded)),
            // Taken care of by `run`.
            Message::Stop { done: _ } => {}
        }
    }

    fn tell_the_unneeded(&mut self) {
        for (face, unneeded) in std::mem::take(&mut self.waiting_for_others) {
            let holds = self.registries.iter().any(|registry| registry.held.keys().any(|held| *held != face));
            if holds || self.transfers.any_bound_to_another(face) || self.offers.any_of_another(face) {
                self.waiting_for_others.push((face, unneeded));
            } else {
                // Whoever asked may have stopped waiting.
                let _ = unneeded.send(());
            }
        }
    }

    async fn command(&mut self, face: FaceId, command: Command, answer: Answerer) {
        let result = match command {
            Command::Snapshot => Ok(Reply::Snapshot { snapshot: self.snapshot() }),
            Command::AddRegistry { target } => return self.add_registry(target, answer).await,
            Command::ChangeRegistry { target, was } => {
                return self.change_registry(target, was, answer).await;
            }
            Command::RemoveRegistry { registry } => self.remove_registry(registry).await,
            Command::Connect { registry, hold } => return self.connect(face, &registry, hold, answer),
            Command::Disconnect { registry, force } => return self.disconnect(&registry, force, answer),
            order @ (Command::Push { .. }
            | Command::PushArchive { .. }
            | Command::Pull { .. }
            | Command::PullArchive { .. }
            | Command::Copy { .. }
            | Command::Ship { .. }) => return self.order(face, order, None, answer),
            Command::Cancel { transfer } => self.cancel(transfer),
            Command::Dismiss { transfer } => self.dismiss(transfer),
            Command::DismissAll => self.dismiss_all(),
            Command::Retry { transfer } => return self.retry(face, transfer, answer),
            Command::RetryAll => self.retry_all(face),
            Command::PauseAll => self.pause_all(),
            Command::ResumeAll => self.resume_all(),
            Command::ExportRegistries { registries } => self.export_registries(&registries),
            Command::PlanImport { text } => return self.plan_import(text, answer),
            Command::ImportRegistries { text, registries } => {
                self.import_registries(&text, &registries).await
            }
            Command::ChangeSettings { change } => self.change_settings(change).await,
            Command::CheckUpdates => return self.check_updates(answer),
            Command::ListContexts => return self.list_contexts(answer),
            Command::Doctor { patient, round_trip } => self.doctor(face, patient, round_trip),
            Command::EndDoctor { doctor } => self.end_doctor(doctor),
            Command::FindProposals => return self.find_proposals(answer),
            Command::Pause { transfer } => self.pause(transfer),
            Command::Resume { transfer } => self.resume(transfer),
            Command::Offer { offer, hold, keep } => {
                let lasts = offers::Lasts::new(face, hold, keep);
                return self.offer(offer, lasts, answer);
            }
            Command::Withdraw { offer } => return self.withdraw(offer, answer).await,
            Command::RefreshImages => {
                self.engine_watch.refresh();
                Ok(Reply::Done)
            }
            Command::PlanHosts { action } => return self.plan_hosts(action, answer),
            Command::ApplyHosts { plan } => return self.apply_hosts(plan, answer),
            Command::PlanSetup { action, registry, changes } => {
                return self.plan_setup(action, registry, changes, answer);
            }
            Command::ApplySetup { plan } => return self.apply_setup(*plan, answer).await,
            Command::ListSetup => return self.list_setup(answer),
            Command::Look { registry, look } => return self.look(&registry, look, answer),
            Command::DeleteImage { registry, plan } => return self.delete_image(&registry, plan, answer),
            Command::PlanCollect { registry, ssh, untagged } => {
                return self.plan_collect(&registry, ssh, untagged, answer);
            }
            Command::Collect { plan } => return self.collect(*plan, answer),
            Command::CheckAccess { registry } => return self.check_access(&registry, answer),
            Command::Login { registry, user, secret } => {
                return self.login(&registry, user, secret, answer);
            }
            Command::Logout { registry } => return self.logout(&registry, answer),
            Command::Answer { prompt, answer } => {
                if self.prompts.answer(prompt, answer) {
                    self.publish(Change::PromptGone { id: prompt });
                    Ok(Reply::Done)
                } else {
                    Err(UiError::new(
                        Code::NotFound,
                        "That question has been answered, or is no longer open.",
                    ))
                }
            }
            Command::Quit { force } => {
                let result = self.may_quit(force);
                let quits = result.is_ok();
                let _ = answer.send(result);
                if quits {
                    self.quit.cancel();
                }
                return;
            }
        };
        // A face that has gone does not hear it.
        let _ = answer.send(result);
    }

    /// Refuses while a transfer runs or a program is connected: both would fail.
    fn may_quit(&self, force: bool) -> Result<Reply, UiError> {
        let transfers = self.transfers.active().count();
        let users: Vec<&RegistryName> =
            self.registries.iter().filter(|r| r.is_in_use()).map(|r| &r.spec.name).collect();
        if !force && (transfers > 0 || !users.is_empty() || self.offers.any_in_use()) {
            let what = match (transfers, users.first()) {
                (0, Some(name)) => format!("Something is using the tunnel to {name}."),
                (0, None) => "A host is using a registry that is offered to it.".to_owned(),
                (1, _) => "A transfer is under way.".to_owned(),
                (n, _) => format!("{n} transfers are under way."),
            };
            return Err(UiError::new(Code::OwnerBusy, what)
                .hint("Wait until it has finished, or end it with force (dockline agent --stop --force)."));
        }
        Ok(Reply::Done)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            sequence: self.publisher.sequence(),
            config_path: self.paths.config_file.display().to_string(),
            config_error: self.config_error.clone(),
            registries: self.registries.iter().map(Registry::view).collect(),
            transfers: self.transfers.view(),
            engine: self.engine.clone(),
            offers: self.offers.view(),
            prompts: self.prompts.view(),
            setup: self.setup.clone(),
            settings: self.settings.clone(),
            places: self.paths.places(),
            paused: self.paused,
            doctors: self.doctors.view(),
            updates: self.updates_view(),
        }
    }

    pub(super) fn publish(&mut self, change: Change) {
        self.publisher.publish(change, Instant::now());
    }

    fn somebody_can_answer(&self) -> bool {
        self.faces.values().any(|hello| hello.can_answer)
    }

    fn close_prompt(&mut self, id: PromptId) {
        if self.prompts.close(id) {
            self.publish(Change::PromptGone { id });
        }
    }

    fn detach(&mut self, face: FaceId) {
        if self.faces.remove(&face).is_none() {
            return;
        }
        for registry in &mut self.registries {
            registry.held.remove(&face);
        }
        self.end_offers_of(face);
        self.end_doctors_of(face);
        self.face_gone(face);
        if !self.somebody_can_answer() {
            for id in self.prompts.ids() {
                self.close_prompt(id);
            }
        }
    }

    /// Takes in what is on disk now. A file that does not read leaves the last good registries as they are.
    async fn reload(&mut self) {
        match super::load(&self.paths).await {
            Ok(config) if self.may_be_half_written(&config) => {}
            Ok(config) => self.configure(config),
            Err(error) => self.config_failed(Some(error)),
        }
        self.refresh_aliases().await;
        self.refresh_autostart().await;
    }

    /// Editors that write in place empty the file first, and an empty one is a good configuration: every tunnel would be
    /// cut off. So it is looked at once more a moment later, and believed then.
    fn may_be_half_written(&mut self, config: &Config) -> bool {
        if !config.registries.is_empty() || self.registries.is_empty() {
            self.emptied = None;
            return false;
        }
        if let Some(since) = self.emptied {
            let is_doubted = since.elapsed() < SETTLES;
            self.emptied = is_doubted.then_some(since);
            return is_doubted;
        }
        self.emptied = Some(Instant::now());
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SETTLES).await;
            mailbox.post(Message::FilesChanged);
        });
        true
    }

    pub(super) fn configure(&mut self, config: Config) {
        self.config_failed(None);
        self.take_settings(config.settings);
        self.reconcile(config.registries);
        self.offers.configured = config.offers;
        self.reconcile_offers();
    }

    fn config_failed(&mut self, error: Option<UiError>) {
        if self.config_error != error {
            self.config_error.clone_from(&error);
            self.publish(Change::Config { error });
        }
    }

    /// Stops transfers, drops leases, closes tunnels; later commands are told that it is over.
    async fn end(mut self, inbox: &mut mpsc::UnboundedReceiver<Message>) {
        inbox.close();
        self.engine_watch.stop();
        for id in self.prompts.ids() {
            self.close_prompt(id);
        }
        self.interrupt_all(&ending());
        if tokio::time::timeout(END_PATIENCE, self.transfers.ended()).await.is_err() {
            tracing::warn!("some transfers did not end in time");
        }
        self.offers.close(&mut self.closing);
        for registry in self.registries.drain(..) {
            registry.close(&mut self.closing);
        }
        let all_closed = async { while self.closing.join_next().await.is_some() {} };
        if tokio::time::timeout(END_PATIENCE, all_closed).await.is_err() {
            tracing::warn!("some tunnels did not close in time");
        }
        self.publisher.close();
        self.keep_history();
        if tokio::time::timeout(END_PATIENCE, self.history.close()).await.is_err() {
            tracing::warn!("the list of transfers was not kept in time");
        }
    }
}
