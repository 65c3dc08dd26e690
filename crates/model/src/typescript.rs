//! The TypeScript declarations of every type that reaches the window. Run by `cargo xtask bindings`.

use crate::{AppliedChange, Command, Event, Reply, SetupPlan, SetupTarget, Snapshot, UiError};
use std::path::Path;
use ts_rs::{Config, ExportError, TS};

/// Writes one `.ts` file a type into `folder`. Whole numbers become `number`: JSON has no other.
///
/// # Errors
/// What the file system says.
pub fn export(folder: &Path) -> Result<(), ExportError> {
    let config = Config::new().with_large_int("number").with_out_dir(folder);
    Command::export_all(&config)?;
    Reply::export_all(&config)?;
    Event::export_all(&config)?;
    Snapshot::export_all(&config)?;
    SetupPlan::export_all(&config)?;
    SetupTarget::export_all(&config)?;
    AppliedChange::export_all(&config)?;
    UiError::export_all(&config)
}
