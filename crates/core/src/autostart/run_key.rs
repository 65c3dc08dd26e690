//! Windows: the account's `Run` key. The person's own switch (Task Manager, or Settings, Apps, Startup) is kept beside it.

use std::{ffi::OsString, path::Path};

/// What is started. A path cannot have a quotation mark in it there.
pub(super) fn command_line(program: &Path) -> OsString {
    let mut line = OsString::from("\"");
    line.push(program);
    line.push("\" --hidden");
    line
}

/// Whether the person lets it start, by what Windows keeps of their choice: an odd number in front is a no. Without a
/// choice it starts.
pub(super) fn is_allowed(choice: Option<&[u8]>) -> bool {
    choice.and_then(<[u8]>::first).is_none_or(|first| first % 2 == 0)
}

#[cfg(windows)]
pub(super) mod account {
    //! The key itself.

    use super::is_allowed;
    use std::{ffi::OsString, io};
    use winreg::{
        RegKey,
        enums::{HKEY_CURRENT_USER, KEY_SET_VALUE},
    };

    pub(in super::super) const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
    const CHOICES: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";
    const NAME: &str = "Dockline";

    pub(in super::super) fn is_on() -> bool {
        let user = RegKey::predef(HKEY_CURRENT_USER);
        let value = |key: &str| user.open_subkey(key).and_then(|key| key.get_raw_value(NAME)).ok();
        let choice = value(CHOICES);
        value(RUN).is_some() && is_allowed(choice.as_ref().map(|choice| &*choice.bytes))
    }

    /// # Errors
    /// If the account's part of the registry cannot be written.
    pub(in super::super) fn switch_on(command_line: &OsString) -> io::Result<()> {
        let (run, _) = RegKey::predef(HKEY_CURRENT_USER).create_subkey(RUN)?;
        run.set_value(NAME, command_line)?;
        // Who switches it on here means it, whatever was chosen there.
        remove(CHOICES)
    }

    /// # Errors
    /// As [`switch_on`].
    pub(in super::super) fn switch_off() -> io::Result<()> {
        remove(RUN)?;
        remove(CHOICES)
    }

    fn remove(key: &str) -> io::Result<()> {
        let key = RegKey::predef(HKEY_CURRENT_USER).open_subkey_with_flags(key, KEY_SET_VALUE);
        match key.and_then(|key| key.delete_value(NAME)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_own_switch_counts() {
        assert!(is_allowed(None) && is_allowed(Some(&[])));
        assert!(is_allowed(Some(&[2, 0, 0, 0])) && is_allowed(Some(&[6, 0, 0, 0])));
        assert!(!is_allowed(Some(&[3, 0, 0, 0, 0x1a])) && !is_allowed(Some(&[1])));
        let line = command_line(Path::new(r"C:\Users\Zoë\App Data\dockline-desktop.exe"));
        assert_eq!(line, r#""C:\Users\Zoë\App Data\dockline-desktop.exe" --hidden"#);
    }
}
