//! Changes to system files that can be looked at first and taken back afterwards.
//!
//! A change is data before it is done: an [`Intent`] (what should hold) and the file's present bytes give a
//! [`Plan`] (the diff, and the SHA-256 of the file before and after). Planning is pure. [`apply`] gets the intent
//! and the two hashes, never bytes: it plans again from the file as it is and refuses unless both hashes match,
//! so what happens is what the person saw. A journal written first lets [`recover`] finish or take back a change
//! that a crash interrupted. Undo is a plan too: one with no entries.
//!
//! Today the one file is the hosts file ([`hosts`]); [`Plan`], the journal and the writer know nothing of its
//! format, so that the engines' settings can use them as they are.

mod change;
pub mod elevate;
mod error;
pub mod hosts;
mod journal;
mod plan;
mod platform;
mod request;
mod write;

pub use change::{Intent, Outcome, Recovery, apply, pending, plan, recover};
pub use error::EditError;
pub use hosts::Refused;
pub use plan::{InvalidSha256, Plan, Sha256};
pub use platform::{Paths, Platform, hosts_file};
pub use request::{HelperAnswer, HelperRequest, perform};
