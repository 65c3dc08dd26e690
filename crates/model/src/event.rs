//! What the owner tells every face.

use crate::{
    DoctorId, DoctorReport, EngineView, OfferId, OfferView, Places, Prompt, PromptId, RegistryName,
    RegistryView, Settings, SetupProgress, TransferId, TransferView, UiError, UpdatesView, UsageProgress,
};
use serde::{Deserialize, Serialize};

/// The whole state, for a face that comes late.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Sequence number of the last event that is in it; later events apply on top.
    pub sequence: u64,
    /// Where the configuration is.
    pub config_path: String,
    /// Why the configuration could not be read; the registries are the last good ones then.
    pub config_error: Option<UiError>,
    /// In the configuration's order.
    pub registries: Vec<RegistryView>,
    /// Oldest first; finished ones stay until dismissed.
    pub transfers: Vec<TransferView>,
    /// Registries of this machine that hosts may use, oldest first.
    #[serde(default)]
    pub offers: Vec<OfferView>,
    /// The container engine.
    pub engine: EngineView,
    /// Open questions.
    pub prompts: Vec<Prompt>,
    /// How far the change of the engine's settings is, while there is one.
    #[serde(default)]
    pub setup: Option<SetupProgress>,
    /// What a person has set.
    #[serde(default)]
    pub settings: Settings,
    /// Where Dockline's files are.
    #[serde(default)]
    pub places: Places,
    /// Whether waiting transfers are held back.
    #[serde(default)]
    pub paused: bool,
    /// Examinations: those under way, and of each registry the last one that has ended.
    #[serde(default)]
    pub doctors: Vec<DoctorReport>,
    /// What is known of newer versions of Dockline.
    #[serde(default)]
    pub updates: UpdatesView,
}

/// One change, with its place in the order of all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Grows by exactly one from event to event; a [`Change::Resync`] has the number of its snapshot.
    pub sequence: u64,
    /// What is different.
    pub change: Change,
}

/// A change carries the whole new object, never a difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Change {
    /// Added, or different from before.
    Registry {
        /// As it is now.
        registry: RegistryView,
    },
    /// No longer configured.
    RegistryGone {
        /// Which.
        name: RegistryName,
    },
    /// Added, or different from before.
    Transfer {
        /// As it is now.
        transfer: TransferView,
    },
    /// Dismissed.
    TransferGone {
        /// Which.
        id: TransferId,
    },
    /// Added, or different from before.
    Offer {
        /// As it is now.
        offer: OfferView,
    },
    /// Taken back.
    OfferGone {
        /// Which.
        id: OfferId,
    },
    /// The engine or its images.
    Engine {
        /// As it is now.
        engine: EngineView,
    },
    /// A person is asked something.
    Prompt {
        /// What.
        prompt: Prompt,
    },
    /// Answered, or no longer of interest.
    PromptGone {
        /// Which.
        id: PromptId,
    },
    /// The configuration file became readable (`None`) or unreadable.
    Config {
        /// Why it cannot be read.
        error: Option<UiError>,
    },
    /// How far the change of the engine's settings is; `None` when it has ended.
    Setup {
        /// The progress.
        progress: Option<SetupProgress>,
    },
    /// How far measuring a registry's contents is.
    Usage {
        /// The progress.
        progress: UsageProgress,
    },
    /// Something was set differently.
    Settings {
        /// As they are now.
        settings: Settings,
    },
    /// Waiting transfers are held back, or no longer.
    Paused {
        /// Whether they are.
        paused: bool,
    },
    /// An examination has come further.
    Doctor {
        /// As far as it is.
        report: DoctorReport,
    },
    /// An examination was stopped, forgotten, or replaced by a later one.
    DoctorGone {
        /// Which.
        id: DoctorId,
    },
    /// Something else is known of newer versions of Dockline.
    Updates {
        /// What.
        updates: UpdatesView,
    },
    /// Events were lost on the way to this face: replace everything.
    Resync {
        /// The whole state.
        snapshot: Snapshot,
    },
}

/// Which object a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A registry, there or gone.
    Registry(RegistryName),
    /// A transfer, there or gone.
    Transfer(TransferId),
    /// An offer, there or taken back.
    Offer(OfferId),
    /// A question, open or answered.
    Prompt(PromptId),
    /// A doctor's report, there or put away.
    Doctor(DoctorId),
    /// The engine and its images.
    Engine,
    /// The configuration file.
    Config,
    /// The change of the engine's settings.
    Setup,
    /// The measuring of a registry's contents.
    Usage(RegistryName),
    /// The settings.
    Settings,
    /// Whether transfers are held back.
    Paused,
    /// What is known of newer versions.
    Updates,
    /// All there is.
    Everything,
}

impl Change {
    /// Of two changes with the same subject the newer one makes the older one superfluous.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Self::Registry { registry } => Subject::Registry(registry.spec.name.clone()),
            Self::RegistryGone { name } => Subject::Registry(name.clone()),
            Self::Transfer { transfer } => Subject::Transfer(transfer.id),
            Self::TransferGone { id } => Subject::Transfer(*id),
            Self::Offer { offer } => Subject::Offer(offer.id),
            Self::OfferGone { id } => Subject::Offer(*id),
            Self::Engine { .. } => Subject::Engine,
            Self::Prompt { prompt } => Subject::Prompt(prompt.id),
            Self::PromptGone { id } => Subject::Prompt(*id),
            Self::Config { .. } => Subject::Config,
            Self::Setup { .. } => Subject::Setup,
            Self::Usage { progress } => Subject::Usage(progress.registry.clone()),
            Self::Settings { .. } => Subject::Settings,
            Self::Paused { .. } => Subject::Paused,
            Self::Doctor { report } => Subject::Doctor(report.id),
            Self::DoctorGone { id } => Subject::Doctor(*id),
            Self::Updates { .. } => Subject::Updates,
            Self::Resync { .. } => Subject::Everything,
        }
    }
}
