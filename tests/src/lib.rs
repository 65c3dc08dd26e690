//! What the black-box tests share: real parts, started for one test and gone after it.
//!
//! Everything here panics with a sentence instead of returning an error: a lab that cannot be set up is a failed
//! test, and there is nothing a test could do about it. Parts that a machine may lack are asked for first, with
//! [`lab::requires`].

#![allow(clippy::unwrap_used, reason = "the whole crate is tests: a panic is how they report")]

pub mod bench;
pub mod desktop;
pub mod faults;
pub mod lab;

#[doc(no_inline)]
pub use dockline_relay as relay;
