//! Docker and Podman, through bollard: finding the engine, its images, and pushes and pulls with their layers.
//!
//! [`progress`] is pure: bytes of an engine's event stream in, whole-object progress, digest or error out.
//! `endpoint` is pure as well, over a snapshot of the environment. [`Engine`] performs the calls and knows no
//! registry nor tunnel; what an engine's words mean is decided in `cause` alone, and what a person is told about
//! it in `error`.

mod archive;
mod cause;
mod dial;
mod elsewhere;
mod endpoint;
mod engine;
mod error;
mod events;
pub mod facts;
mod failure;
mod login;
mod name;
mod probe;
pub mod progress;
mod store;
mod transfer;
mod transport;

pub use archive::Export;
pub use cause::Cause;
pub use elsewhere::Elsewhere;
pub use endpoint::{Context, EngineEndpoint, Files, Platform, Surroundings, chosen, contexts};
pub use engine::{Engine, ImageParts, RegistryContainer};
pub use error::{EngineError, Operation};
pub use facts::{EngineFacts, Flavour, ImageStore};
pub use login::Login;
pub use probe::Reached;
pub use store::{Store, StoreLayer, StorePlace};
pub use transfer::{EngineDigest, PullOptions};

#[cfg(test)]
mod recorded_streams;
