//! Dockline's words: ids, registries, commands, events, snapshots and error codes.
//!
//! Everything that crosses a boundary (the control socket, the window, `--json`) is one of these types, so a
//! face written in another language needs to know nothing else. There is no runtime here, no IO and no clock.
//! `serde` names are camelCase for fields and kebab-case for variants; TypeScript types are generated from the
//! same definitions (`cargo xtask bindings`).

mod address;
mod collect;
mod command;
mod contents;
mod doctor;
mod error;
mod event;
mod hosts;
mod image;
mod limits;
mod login;
mod name;
mod notice;
mod offer;
mod one_of;
mod prompt;
mod registry;
mod registry_url;
mod remote_end;
mod reply;
mod sentence;
mod settings;
mod setup;
mod setup_report;
mod ssh_target;
mod target;
mod team;
mod transfer;
mod tunnel;
#[cfg(feature = "typescript")]
pub mod typescript;
mod update;
mod welcome;
mod wire;

pub use address::{AddressPoolExhausted, pick_address};
pub use collect::{CollectPlan, Collected, RegistryRun};
pub use command::Command;
pub use contents::{
    BlobView, ConfigView, Contents, DeletePlan, Look, ManifestKind, ManifestView, NamePage, PlatformView,
    ReferrerView, RegistryUsage, RepositoryUsage, UsageProgress,
};
pub use doctor::{DoctorId, DoctorReport, Link, LinkState, LinkView, Patient, Remedy};
pub use error::{Code, UiError};
pub use event::{Change, Event, Snapshot, Subject};
pub use hosts::{HostsAction, HostsView};
pub use image::{EngineState, EngineView, ImageView};
pub use limits::{InvalidRate, TrafficLimits};
pub use login::{AccessView, CredentialOrigin, LoginScheme, Secret};
pub use name::{InvalidName, RegistryName};
pub use notice::Notices;
pub use offer::{InvalidOffered, OfferId, OfferSpec, OfferState, OfferView};
pub use one_of::OneOf;
pub use prompt::{Answer, Prompt, PromptId, Question};
pub use registry::{ClientCertificate, RegistrySpec, RegistryView};
pub use registry_url::{InvalidRegistryUrl, RegistryUrl};
pub use remote_end::{InvalidRemoteEnd, RemoteEnd};
pub use reply::Reply;
pub use sentence::sentence;
pub use settings::{
    ContextChoice, ContextView, Language, Places, Settings, SettingsChange, Theme, UpdateCheck,
};
pub use setup::{
    AppliedChange, BuilderFacts, ChangeView, EngineAuthority, EngineFacts, EngineKind, HostSystem,
    ImageStore, PlannedListener, RegistrySecurity, SettingsFile, SetupAction, SetupPlan, SetupTarget,
    SetupVerdict, StepBy, StepView, SystemdUnit,
};
pub use setup_report::{CheckOutcome, EngineCheck, LeftForYou, SetupProgress, SetupReport};
pub use ssh_target::{InvalidSshTarget, SshTarget};
pub use target::Target;
pub use team::{ImportEntry, ImportPlan, ImportVerdict};
pub use transfer::{
    ArchiveFormat, Compression, Extent, Gauge, LayerState, LayerView, PushOptions, Road, TransferId,
    TransferKind, TransferState, TransferView, Verified,
};
pub use tunnel::{
    Interruption, LeaseHolder, LeaseView, PassedOver, RouteView, TunnelState, TunnelView, UnixMillis,
};
pub use update::{Asked, Release, UpdateFailure, UpdatesView};
pub use welcome::{Proposal, ProposalSource};
pub use wire::{Envelope, FaceKind, Hello, PROTOCOL_VERSION, Request, Response};
