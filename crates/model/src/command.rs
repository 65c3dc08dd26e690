//! What a face may ask of the owner, and the envelope it travels in.
//!
//! The control socket carries JSON lines: the face sends [`Hello`] first and then [`Request`]s; the owner sends
//! [`Envelope`]s. The desktop's window uses the same types over Tauri's IPC.

use crate::{
    AccessView, Answer, AppliedChange, ArchiveFormat, ClientCertificate, CollectPlan, Collected, Contents,
    ContextView, DeletePlan, DoctorId, Event, Extent, HostsAction, HostsView, ImportPlan, Interruption, Look,
    OfferId, OfferSpec, Patient, PromptId, Proposal, PushOptions, RegistryName, RegistrySpec, RegistryUrl,
    RemoteEnd, Road, Secret, Settings, SettingsChange, SetupAction, SetupPlan, SetupReport, Snapshot,
    SshTarget, TrafficLimits, TransferId, UiError, UpdatesView,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Version of the control protocol; a face and an owner of different versions refuse each other.
pub const PROTOCOL_VERSION: u32 = 3;

/// What kind of face is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum FaceKind {
    /// The command line.
    Cli,
    /// The desktop app.
    Desktop,
}

/// First line of a face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// [`PROTOCOL_VERSION`].
    pub protocol: u32,
    /// Who speaks.
    pub face: FaceKind,
    /// Whether a person is there to answer questions.
    pub can_answer: bool,
}

/// A registry to be made, with everything the person left open still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The alias.
    pub name: RegistryName,
    /// Where to log in.
    pub ssh: SshTarget,
    /// Hosts of the same registry that stand in for that one, the most preferred first.
    #[serde(default)]
    pub fallbacks: Vec<SshTarget>,
    /// Far end; 127.0.0.1:5000 if absent.
    #[serde(default)]
    pub remote: Option<RemoteEnd>,
    /// Local port; 5000 if absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// Loopback address; picked if absent.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub address: Option<std::net::Ipv4Addr>,
    /// The address on a container network where programs in containers find it; nowhere if absent.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub gateway: Option<std::net::Ipv4Addr>,
    /// A port at 127.0.0.1 where engines in a virtual machine find it; nowhere if absent.
    #[serde(default)]
    pub localhost_port: Option<u16>,
    /// Certificates (PEM) of the private authority that signed the registry's, an absolute path. Dockline keeps a copy
    /// of its own.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub ca: Option<PathBuf>,
    /// Seconds of linger; 10 if absent.
    #[serde(default)]
    pub linger_seconds: Option<u32>,
    /// Once it is open, by whomever, it stays open until a person closes it.
    #[serde(default)]
    pub keep_open: bool,
    /// Reached at this address, without a tunnel; nobody logs in at `ssh` then.
    #[serde(default)]
    pub url: Option<Box<RegistryUrl>>,
    /// What to show a registry that asks for a certificate.
    #[serde(default)]
    pub client_certificate: Option<Box<ClientCertificate>>,
    /// Open it as soon as an owner that stays starts.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub open_at_start: bool,
    /// How fast it may carry bytes.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<TrafficLimits>", optional))]
    pub limits: TrafficLimits,
}

impl Target {
    /// A registry behind one host, with everything else left open.
    #[must_use]
    pub fn new(name: RegistryName, ssh: SshTarget) -> Self {
        Self {
            name,
            ssh,
            fallbacks: Vec::new(),
            remote: None,
            port: None,
            address: None,
            gateway: None,
            localhost_port: None,
            ca: None,
            linger_seconds: None,
            keep_open: false,
            url: None,
            client_certificate: None,
            open_at_start: false,
            limits: TrafficLimits::default(),
        }
    }

    /// A registry that is reached at `url` as it is, without a tunnel.
    #[must_use]
    pub fn without_tunnel(name: RegistryName, url: RegistryUrl) -> Self {
        Self { url: Some(Box::new(url.clone())), ..Self::new(name, SshTarget::of(&url)) }
    }
}

impl From<&RegistrySpec> for Target {
    /// What leaves a registry as it is; a face changes of it what the person wants changed.
    fn from(spec: &RegistrySpec) -> Self {
        Self {
            name: spec.name.clone(),
            ssh: spec.ssh.clone(),
            fallbacks: spec.fallbacks.clone(),
            remote: Some(spec.remote.clone()),
            port: Some(spec.port),
            address: Some(spec.address),
            gateway: spec.gateway,
            localhost_port: spec.localhost_port,
            ca: spec.ca.clone(),
            linger_seconds: Some(spec.linger_seconds),
            keep_open: spec.keep_open,
            url: spec.url.clone(),
            client_certificate: spec.client_certificate.clone(),
            open_at_start: spec.open_at_start,
            limits: spec.limits,
        }
    }
}

/// One thing a person, a script or a face wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Command {
    /// Everything there is to see. → [`Reply::Snapshot`]
    Snapshot,
    /// Add a registry to the configuration. → [`Reply::Registry`]
    AddRegistry {
        /// Which.
        target: Target,
    },
    /// Give a configured registry other settings. What uses its tunnel is interrupted if its way or its address is
    /// another one then; how long it is kept open makes no difference to it. → [`Reply::Registry`]
    ChangeRegistry {
        /// All of its settings; the name says which registry. An absent address stays what it was.
        target: Target,
        /// Its name until now, if it is to have another.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        was: Option<RegistryName>,
    },
    /// Take a registry out of the configuration; its tunnel is closed. → [`Reply::Done`]
    RemoveRegistry {
        /// Which.
        registry: RegistryName,
    },
    /// Write registries down for others: no secrets, no key files. → [`Reply::TeamFile`]
    ExportRegistries {
        /// Which; all of them if empty.
        registries: Vec<RegistryName>,
    },
    /// Work out what a team file would change; nothing is changed. → [`Reply::ImportPlan`]
    PlanImport {
        /// The file's text.
        text: String,
    },
    /// Add what a team file has and this machine has not. All of it or nothing. → [`Reply::ImportPlan`], as it was
    /// carried out
    ImportRegistries {
        /// The file's text.
        text: String,
        /// Only these; all of them if empty. One that is in conflict is refused.
        #[serde(default)]
        registries: Vec<RegistryName>,
    },
    /// Take the manual lease, and wait until the tunnel is up or has failed. → [`Reply::Registry`]
    Connect {
        /// Which.
        registry: RegistryName,
        /// Tie the lease to this face's connection instead: it is dropped when the face goes away.
        hold: bool,
    },
    /// Drop the manual lease. Unless `force`, a tunnel that others hold stays up until they are done, and the reply
    /// says who. → [`Reply::Registry`] when it is closed, [`Reply::StillOpen`] otherwise
    Disconnect {
        /// Which.
        registry: RegistryName,
        /// Close it under whoever still uses it.
        force: bool,
    },
    /// Push an image of the engine's. Answers when the transfer is queued. → [`Reply::Transfer`]
    Push {
        /// An image the engine has: `app:v1`.
        image: String,
        /// To which registry.
        registry: RegistryName,
        /// Repository and tag there (`team/app:v1`); as in `image` if absent.
        #[serde(default)]
        reference: Option<String>,
        /// To this one of the registry's hosts, whichever is preferred.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        host: Option<SshTarget>,
        /// What the person decided.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<PushOptions>", optional))]
        options: PushOptions,
    },
    /// Push an image archive (`docker save`, OCI layout; tar, tar.gz or tar.zst) without an engine.
    /// → [`Reply::Transfer`]
    PushArchive {
        /// An absolute path.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        path: PathBuf,
        /// To which registry.
        registry: RegistryName,
        /// Repository and tag there; the archive's own if absent.
        #[serde(default)]
        reference: Option<String>,
        /// To this one of the registry's hosts, whichever is preferred.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        host: Option<SshTarget>,
        /// What of the archive is sent.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<Extent>", optional))]
        extent: Extent,
        /// Which of several images in the archive, by its name there.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional = nullable))]
        image: Option<String>,
        /// What the person decided; an archive has no other road than the direct one.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<PushOptions>", optional))]
        options: PushOptions,
    },
    /// Pull into the engine. → [`Reply::Transfer`]
    Pull {
        /// `cr.boss.org/app:v1`; the port may be left out.
        reference: String,
        /// `linux/arm64`; the engine's own if absent.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        platform: Option<String>,
        /// Who fetches it: the engine, or Dockline, which hands it over. The engine if absent, unless it cannot reach
        /// the registry.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        road: Option<Road>,
    },
    /// Pull into an archive without an engine. → [`Reply::Transfer`]
    PullArchive {
        /// `cr.boss.org/app:v1`; the port may be left out.
        reference: String,
        /// An absolute path; must not exist.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        path: PathBuf,
        /// How it is written.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<ArchiveFormat>", optional))]
        format: ArchiveFormat,
        /// `linux/arm64`; Linux on this machine's processor if absent.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        platform: Option<String>,
        /// What is fetched; anything but a single image needs [`ArchiveFormat::Oci`].
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<Extent>", optional))]
        extent: Extent,
    },
    /// Copy an image from one registry to another; no engine is touched and no file written. → [`Reply::Transfer`]
    Copy {
        /// `cr.boss.org/app:v1`; the port may be left out.
        from: String,
        /// `cr.other.org`, or `cr.other.org/app:v2` if it is to have another name there.
        to: String,
        /// To this one of the registry's hosts, whichever is preferred.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        host: Option<SshTarget>,
        /// `linux/arm64`, of an image for several platforms; Linux on this machine's processor if absent.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        platform: Option<String>,
        /// What is copied.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<Extent>", optional))]
        extent: Extent,
    },
    /// Put an image of the engine's into the Docker of a host that has no registry. → [`Reply::Transfer`]
    Ship {
        /// An image the engine has: `app:v1`.
        image: String,
        /// To whose Docker.
        host: SshTarget,
        /// What it is to be called there; as in `image` if absent.
        #[serde(default)]
        reference: Option<String>,
    },
    /// Halt a transfer; what was sent is kept where that can be. → [`Reply::Done`]
    Pause {
        /// Which.
        transfer: TransferId,
    },
    /// Let a halted transfer go on. → [`Reply::Done`]
    Resume {
        /// Which.
        transfer: TransferId,
    },
    /// Stop a transfer. → [`Reply::Done`]
    Cancel {
        /// Which.
        transfer: TransferId,
    },
    /// Forget a finished transfer. → [`Reply::Done`]
    Dismiss {
        /// Which.
        transfer: TransferId,
    },
    /// Forget all finished transfers. → [`Reply::Done`]
    DismissAll,
    /// Ask once more for what a finished transfer was asked for; the old one is forgotten. → [`Reply::Transfer`]
    Retry {
        /// Which.
        transfer: TransferId,
    },
    /// Ask once more for every transfer that failed. → [`Reply::Done`]
    RetryAll,
    /// Halt every transfer that can be halted, and hold back those asked for from now on, until [`Self::ResumeAll`] or
    /// the owner's end. → [`Reply::Done`]
    PauseAll,
    /// Let all halted and held back transfers go on. → [`Reply::Done`]
    ResumeAll,
    /// Offer a registry of this machine to a host. Answers when the host listens, or will not. → [`Reply::Done`]
    Offer {
        /// What, and to whom.
        offer: OfferSpec,
        /// Tie it to this face's connection: it is taken back when the face goes away.
        hold: bool,
        /// Write it into the configuration: it is offered whenever an owner that stays runs.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        keep: bool,
    },
    /// Take an offer back, out of the configuration, too. Answers when the host listens no more. → [`Reply::Done`]
    Withdraw {
        /// Which.
        offer: OfferId,
    },
    /// Ask the engine again for its state and images. → [`Reply::Done`]
    RefreshImages,
    /// Plan a change of the hosts file; nothing is written. → [`Reply::Hosts`]
    PlanHosts {
        /// Apply or undo.
        action: HostsAction,
    },
    /// Carry out the change that was planned, if the file is still the one it was planned from.
    /// → [`Reply::Hosts`]
    ApplyHosts {
        /// The plan the person saw.
        plan: HostsView,
    },
    /// Work out what the engine needs so that pushes to the registries work, or what an undo takes; nothing is
    /// written. → [`Reply::SetupPlan`]
    PlanSetup {
        /// Apply or undo.
        action: SetupAction,
        /// Only for this registry; for all if absent.
        #[serde(default)]
        registry: Option<RegistryName>,
        /// Undo only these ([`AppliedChange::id`]); all if empty.
        #[serde(default)]
        changes: Vec<String>,
    },
    /// Carry out the plan a person agreed to, and ask the engine whether it works. Progress comes as
    /// [`Change::Setup`](crate::Change::Setup). → [`Reply::SetupReport`]
    ApplySetup {
        /// The plan the person saw.
        plan: Box<SetupPlan>,
    },
    /// What Dockline has changed on this machine and not undone. → [`Reply::SetupApplied`]
    ListSetup,
    /// Look at what is in a registry. → [`Reply::Contents`]
    Look {
        /// Which.
        registry: RegistryName,
        /// At what.
        look: Look,
    },
    /// Delete an image as planned: refused if its tags lead elsewhere by now. → [`Reply::Done`]
    DeleteImage {
        /// At which registry.
        registry: RegistryName,
        /// The plan the person saw.
        plan: DeletePlan,
    },
    /// Find out on a registry's own host what collecting its garbage would remove; nothing is removed, and the registry
    /// serves on. → [`Reply::CollectPlan`]
    PlanCollect {
        /// Which registry's.
        registry: RegistryName,
        /// Where to log in for it, as somebody who may run programs there; as the tunnel does if absent.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        ssh: Option<SshTarget>,
        /// Also manifests that no tag names.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
        untagged: bool,
    },
    /// Collect it as planned: the registry is stopped for that time, and started again whatever happens. Refused while
    /// a transfer of that registry's is under way. → [`Reply::Collected`]
    Collect {
        /// The plan the person saw.
        plan: Box<CollectPlan>,
    },
    /// Find out how a registry lets people in, and whether it lets us. Asks nobody. → [`Reply::Access`]
    CheckAccess {
        /// Which.
        registry: RegistryName,
    },
    /// Log in at a registry: tried before it is kept (in the keyring, if there is one). → [`Reply::Access`]
    Login {
        /// Which.
        registry: RegistryName,
        /// As whom; asked for if absent.
        #[serde(default)]
        user: Option<String>,
        /// The password or token; asked for if absent.
        #[serde(default)]
        secret: Option<Secret>,
    },
    /// Forget the login that Dockline keeps for a registry; Docker's own stays. → [`Reply::Access`]
    Logout {
        /// Which.
        registry: RegistryName,
    },
    /// Examine the whole way to a registry. What is found comes as [`Change::Doctor`](crate::Change::Doctor), link by
    /// link; the examination ends with the face that asked for it. → [`Reply::Doctor`], at once
    Doctor {
        /// Whose way.
        patient: Patient,
        /// Also send a tiny blob to the registry, and read it back.
        round_trip: bool,
    },
    /// Stop an examination, or forget one that has ended. → [`Reply::Done`]
    EndDoctor {
        /// Which.
        doctor: DoctorId,
    },
    /// Look for registries that this machine seems to know already. → [`Reply::Proposals`]
    FindProposals,
    /// Change settings. → [`Reply::Settings`]
    ChangeSettings {
        /// Which.
        change: SettingsChange,
    },
    /// Ask whether there is a newer version of Dockline: the one request to anybody but a registry's host that Dockline
    /// makes, at the address that the person set. → [`Reply::Updates`]
    CheckUpdates,
    /// The Docker contexts of this account. → [`Reply::Contexts`]
    ListContexts,
    /// Answer a question. → [`Reply::Done`]
    Answer {
        /// Which.
        prompt: PromptId,
        /// What.
        answer: Answer,
    },
    /// End the owner (`dockline agent --stop`). Refused while something would be interrupted unless `force`.
    /// → [`Reply::Done`]
    Quit {
        /// Interrupt whatever is going on.
        force: bool,
    },
}

/// What comes back.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on its way to becoming text")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Reply {
    /// It is done; there is nothing to show.
    Done,
    /// Everything there is to see.
    Snapshot {
        /// The state.
        snapshot: Snapshot,
    },
    /// The registry as it is now.
    Registry {
        /// The registry's configuration; its state comes as an event.
        spec: RegistrySpec,
    },
    /// The person's own hold on the tunnel is gone, and others use it still.
    StillOpen {
        /// The registry's configuration.
        spec: RegistrySpec,
        /// What closing it now would cut off; never empty.
        interrupts: Vec<Interruption>,
    },
    /// The number of the transfer that was begun.
    Transfer {
        /// Its number.
        id: TransferId,
    },
    /// The hosts file: the plan, or what it is after the change.
    Hosts {
        /// The plan.
        plan: HostsView,
    },
    /// A plan for the engine's settings.
    SetupPlan {
        /// The plan.
        plan: Box<SetupPlan>,
    },
    /// The engine's settings were changed.
    SetupReport {
        /// What was done and whether it works.
        report: SetupReport,
    },
    /// What was changed and not undone.
    SetupApplied {
        /// One for each file.
        changes: Vec<AppliedChange>,
    },
    /// What is in a registry.
    Contents {
        /// What was looked at.
        contents: Contents,
    },
    /// What collecting a registry's garbage would remove.
    CollectPlan {
        /// To be shown, and sent back in [`Command::Collect`].
        plan: Box<CollectPlan>,
    },
    /// A registry's garbage was collected.
    Collected {
        /// What went.
        collected: Collected,
    },
    /// How a registry is reached, and as whom.
    Access {
        /// As it is now.
        access: AccessView,
    },
    /// The number of the examination that was begun.
    Doctor {
        /// Its number.
        id: DoctorId,
    },
    /// Registries to begin with, the likeliest first.
    Proposals {
        /// The proposals.
        proposals: Vec<Proposal>,
    },
    /// The settings as they are now.
    Settings {
        /// The settings.
        settings: Settings,
    },
    /// What is known of newer versions, after asking.
    Updates {
        /// What.
        updates: UpdatesView,
    },
    /// The Docker contexts.
    Contexts {
        /// The default one first, then by name.
        contexts: Vec<ContextView>,
    },
    /// A team file.
    TeamFile {
        /// Its text.
        text: String,
    },
    /// What a team file changes.
    ImportPlan {
        /// The plan.
        plan: ImportPlan,
    },
}

/// A command with a number to tell its response by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Chosen by the face.
    pub id: u64,
    /// What is wanted.
    pub command: Command,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The request's.
    pub id: u64,
    /// How it went.
    pub result: Result<Reply, UiError>,
}

/// One line from the owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Envelope {
    /// First line: the versions fit.
    Welcome {
        /// [`PROTOCOL_VERSION`] of the owner.
        protocol: u32,
    },
    /// The versions do not fit, or the owner is going away.
    Goodbye {
        /// Why.
        error: UiError,
    },
    /// An answer.
    Response(Response),
    /// Something changed. Sent to every face, from its hello on.
    Event(Event),
}
