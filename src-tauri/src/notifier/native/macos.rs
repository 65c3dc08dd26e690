//! macOS' notification centre.

use super::APP;
use notify_rust::{Notification, error::Error};

/// Speaks as the app that is installed. Without one nothing is shown: the centre takes notifications of apps alone.
///
/// # Errors
/// If there is none.
pub fn introduce() -> Result<(), Error> {
    notify_rust::set_application(APP)?;
    Ok(())
}

/// Whose it is, it is by [`introduce`].
pub const fn address(_: &mut Notification) {}
