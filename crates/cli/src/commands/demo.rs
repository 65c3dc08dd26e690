//! `dockline demo`.

use crate::output::Output;
use dockline_model::UiError;

/// The main job on a host inside this program.
pub async fn demo(output: Output) -> Result<(), UiError> {
    output.remark("not yet");
    Ok(())
}
