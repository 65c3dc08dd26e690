//! The terminal that the program was started from, and what says why it ends where there is none. On Windows a program
//! with windows of its own has no terminal unless it asks for it, and whatever it prints is lost.

/// Whether somebody may read what the program prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsRead(bool);

/// Uses the terminal of whoever started the program, if there is one. Before anything is printed.
#[cfg(windows)]
#[expect(unsafe_code, reason = "the system's call")]
pub fn attach() -> IsRead {
    use std::os::windows::io::AsRawHandle as _;
    use windows_sys::Win32::System::Console::{ATTACH_PARENT_PROCESS, AttachConsole};
    // SAFETY: the call takes a number. It fails where there is no terminal, or it is ours already.
    let is_attached = unsafe { AttachConsole(ATTACH_PARENT_PROCESS) } != 0;
    // It may be a file or another program, which the one who started this one has chosen.
    IsRead(is_attached || !std::io::stderr().as_raw_handle().is_null())
}

/// Lets it go again: whoever closes it, or presses Ctrl-C in it, does not mean the app. What is printed from here on nobody
/// reads.
#[cfg(windows)]
#[expect(unsafe_code, reason = "the system's call")]
pub fn let_go(is_read: IsRead) -> IsRead {
    // SAFETY: the call takes nothing. It fails where there is none.
    let was_attached = unsafe { windows_sys::Win32::System::Console::FreeConsole() } != 0;
    IsRead(is_read.0 && !was_attached)
}

/// Every other system keeps it, as a shell expects.
#[cfg(not(windows))]
pub const fn let_go(is_read: IsRead) -> IsRead {
    is_read
}

/// Every other system gives its programs the terminal, and keeps what those print that have none.
#[cfg(not(windows))]
pub const fn attach() -> IsRead {
    IsRead(true)
}

/// Says in a window why the program ends, where printing it would tell nobody. Waits until it has been read.
#[cfg(windows)]
#[expect(unsafe_code, reason = "the system's call")]
pub fn say_if_unread(is_read: IsRead, text: &str) {
    use windows_sys::Win32::UI::WindowsAndMessaging::{MB_ICONERROR, MB_OK, MB_SETFOREGROUND, MessageBoxW};
    if is_read.0 {
        return;
    }
    let wide = |text: &str| -> Vec<u16> { text.encode_utf16().chain([0]).collect() };
    let (text, title) = (wide(text), wide("Dockline"));
    let style = MB_OK | MB_ICONERROR | MB_SETFOREGROUND;
    // SAFETY: both texts end with a NUL and outlive the call; a null window is none.
    unsafe { MessageBoxW(std::ptr::null_mut(), text.as_ptr(), title.as_ptr(), style) };
}

/// Somebody reads it everywhere else.
#[cfg(not(windows))]
pub const fn say_if_unread(_: IsRead, _: &str) {}
