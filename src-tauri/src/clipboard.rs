//! The clipboard, for what is copied without a window.

/// Puts `text` onto the clipboard and stays until something else is put there: on X11 whoever copied has to be there
/// when somebody pastes.
///
/// # Errors
/// If there is no clipboard.
pub fn put(text: String) -> Result<(), arboard::Error> {
    use arboard::SetExtLinux as _;
    arboard::Clipboard::new()?.set().wait().text(text)
}
