//! Changes to system files that can be looked at first and taken back afterwards.
//!
//! A change is data before it is done: an [`Intent`] (what should hold in one file) and the file's present bytes give a
//! [`Plan`] (the diff, and the fingerprints of the file before and after). Planning is pure. [`apply`] gets intents and
//! fingerprints, never bytes: it plans again from the files as they are and refuses unless all fingerprints match, so
//! what happens is what the person saw. A journal written first lets [`recover`] finish or take back a change that a
//! crash interrupted. Undo is a plan too: [`Intent::nothing`].
//!
//! [`setup`] works out which intents an engine needs, and why. A planner for each format, all pure: [`hosts`],
//! [`daemon_json`], [`builder_toml`], `yaml` (colima, Rancher Desktop), `own_file` (files that are Dockline's as a whole).

mod authority;
pub mod builder_toml;
mod certificate;
mod change;
pub mod daemon_json;
mod dockerd;
pub mod elevate;
mod error;
pub mod hosts;
mod intent;
mod journal;
mod json;
mod marked;
mod own_file;
mod plan;
mod platform;
mod rancher_script;
mod refused;
mod request;
pub mod setup;
mod step;
mod suffix;
#[cfg(windows)]
mod windows;
mod write;
mod yaml;

pub use authority::{Authority, Host, InvalidAuthority};
pub use certificate::{CaCertificate, InvalidCertificate};
pub use change::{Agreed, Outcome, Recovery, applied, apply, pending, plan, recover};
pub use error::EditError;
pub use intent::{CertificateFolder, Intent, Scope, TrustStore};
pub use journal::Applied;
pub use plan::{Fingerprint, InvalidFingerprint, Plan};
pub use platform::{Paths, Platform, hosts_file};
pub use refused::Refused;
pub use request::{HelperAnswer, HelperRequest, perform};
pub use step::{StepError, StepOutcome, StepWords, SystemStep};
