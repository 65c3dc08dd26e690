//! Docker and Podman, through bollard: finding the engine, its images, and pushes and pulls with their layers.
//!
//! `progress` is pure: bytes of an engine's event stream in, whole-object progress, digest or error out.
//! `endpoint` is pure as well, over a snapshot of the environment. `engine` performs the calls and knows no
//! registry nor tunnel; what an engine's words mean is decided in `error` alone.

mod endpoint;
mod engine;
mod error;
pub mod progress;

pub use endpoint::{EngineEndpoint, EngineKind, Surroundings};
pub use engine::{Engine, EngineDigest};
pub use error::{EngineError, Failure, Operation};
