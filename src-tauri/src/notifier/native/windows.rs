//! Windows' toasts.

use super::APP;
use notify_rust::Notification;
use std::io;
use winreg::{RegKey, enums::HKEY_CURRENT_USER};

/// Where Windows looks for a sender's name (“Send a local toast notification from other types of unpackaged apps”).
const SENDERS: &str = r"Software\Classes\AppUserModelId";

/// Gives the sender its name. Windows shows no toast of a sender that it does not know.
///
/// # Errors
/// If the account's part of the registry cannot be written.
pub fn introduce() -> io::Result<()> {
    let (sender, _) = RegKey::predef(HKEY_CURRENT_USER).create_subkey(format!(r"{SENDERS}\{APP}"))?;
    sender.set_value("DisplayName", &"Dockline")
}

/// Sends it under that name.
pub fn address(notification: &mut Notification) {
    notification.app_id(APP);
}
