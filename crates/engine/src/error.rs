//! What goes wrong at the engine, and what the engine's words mean.

use dockline_model::{Code, UiError};

/// What was asked of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A push.
    Push,
    /// A pull.
    Pull,
}

/// The cause of a refusal, read from the engine's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No better name.
    Unknown,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing answers.
    #[error("no engine answers")]
    Unavailable,
}

impl From<&EngineError> for UiError {
    fn from(error: &EngineError) -> Self {
        Self::new(Code::EngineUnavailable, error.to_string())
    }
}
