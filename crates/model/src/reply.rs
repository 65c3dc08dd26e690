//! What the owner answers to a command.

#[cfg(doc)]
use crate::Command;
use crate::{
    AccessView, AppliedChange, CollectPlan, Collected, Contents, ContextView, DoctorId, HostsView,
    ImportPlan, Interruption, Proposal, RegistrySpec, Settings, SetupPlan, SetupReport, Snapshot, TransferId,
    UpdatesView,
};
use serde::{Deserialize, Serialize};

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
