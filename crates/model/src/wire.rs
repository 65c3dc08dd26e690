//! The envelope that commands and their answers travel in.
//!
//! The control socket carries JSON lines: the face sends [`Hello`] first and then [`Request`]s; the owner sends
//! [`Envelope`]s. The desktop's window uses the same types over Tauri's IPC.

use crate::{Command, Event, Reply, UiError};
use serde::{Deserialize, Serialize};

/// Version of the control protocol; a face and an owner of different versions refuse each other.
pub const PROTOCOL_VERSION: u32 = 4;

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
