//! Dockline's core: configuration, secrets, transfers, and the control socket between faces and their owner.
//!
//! A face (the desktop app, the command line) opens a [`Session`] and speaks [`dockline_model::Command`]s into it.
//! Whether the session is the owner itself or a connection to another process that owns the tunnels makes no
//! difference to the face. Everything that happens comes out of [`Session::events`] as whole objects.

pub mod autostart;
pub mod config;
mod control;
pub mod controller;
pub mod credentials;
mod doctor;
mod files;
pub mod hosts;
pub mod paths;
mod secrets;
pub mod session;
pub mod setup;
mod ssh_hosts;
mod team;
mod updates;

pub use control::{Client, Newest, Told};
pub use controller::{Controller, EventStream, FaceId};
pub use dockline_registry::replace_file;
pub use paths::{Paths, PathsError};
pub use session::{Mode, Session};
