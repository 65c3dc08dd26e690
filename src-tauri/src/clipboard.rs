//! The clipboard, for what is copied without a window.

/// Puts `text` onto the clipboard. On Linux it stays until something else is put there: on X11 whoever copied has to be there
/// when somebody pastes.
///
/// # Errors
/// If there is no clipboard.
pub fn put(text: String) -> Result<(), arboard::Error> {
    let mut clipboard = arboard::Clipboard::new()?;
    let set = clipboard.set();
    #[cfg(target_os = "linux")]
    let set = arboard::SetExtLinux::wait(set);
    set.text(text)
}
