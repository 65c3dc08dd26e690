//! What a face may ask of the owner.

use crate::{
    Answer, ArchiveFormat, CollectPlan, DeletePlan, DoctorId, Extent, HostsAction, HostsView, Look, OfferId,
    OfferSpec, Patient, PromptId, PushOptions, RegistryName, Road, Secret, SettingsChange, SetupAction,
    SetupPlan, SshTarget, Target, TransferId,
};
#[cfg(doc)]
use crate::{AppliedChange, Reply};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
        /// What of it is sent.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(as = "Option<Extent>", optional))]
        extent: Extent,
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
