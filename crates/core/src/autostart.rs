//! Whether the desktop app starts when the person logs in. The desktop keeps that, not the configuration: people switch
//! it off in their system's settings too. (On macOS those have a switch of their own that this cannot see: `launchd`.)

#[cfg(any(target_os = "macos", test))]
mod launchd;
#[cfg(any(windows, test))]
mod run_key;

use crate::files::replace;
use dockline_model::{Code, UiError};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The desktop app's program.
const PROGRAM: &str = if cfg!(windows) { "dockline-desktop.exe" } else { "dockline-desktop" };

/// Where it is switched on and off, and what is started.
#[derive(Debug, Clone)]
pub struct Autostart {
    entry: PathBuf,
    program: Option<PathBuf>,
}

impl Autostart {
    /// With that entry, for the desktop app beside this program or on the PATH.
    #[must_use]
    pub fn new(entry: PathBuf) -> Self {
        Self { entry, program: program() }
    }

    /// For a program that is known.
    #[must_use]
    pub fn at(entry: PathBuf, program: Option<PathBuf>) -> Self {
        Self { entry, program }
    }

    /// Whether the app starts at login; `None` where it is not installed and nothing starts it. Blocks.
    #[must_use]
    pub fn is_on(&self) -> Option<bool> {
        let is_on = self.entry_is_on();
        (is_on || self.program.is_some()).then_some(is_on)
    }

    /// Switches it. Blocks.
    ///
    /// # Errors
    /// `NotFound` if the app is not installed, or not where it stays; `FileIo` if the entry cannot be written.
    pub fn set(&self, on: bool) -> Result<(), UiError> {
        let failed = |error: io::Error| {
            UiError::new(Code::FileIo, format!("{} cannot be changed: {error}.", self.shown()))
                .hint("Check that the folder is yours; your desktop's own settings can switch it, too.")
        };
        if !on {
            return self.remove_entry().map_err(failed);
        }
        let program = self.program.as_deref().ok_or_else(|| {
            UiError::new(
                Code::NotFound,
                "Dockline's desktop app is not installed, so it cannot start at login.",
            )
            .hint("Install it, or let your system start `dockline agent`.")
        })?;
        if is_translocated(program) {
            return Err(UiError::new(
                Code::NotFound,
                "macOS runs Dockline from a copy that is gone after a restart, so it cannot start at login.",
            )
            .hint("Move Dockline to Applications first."));
        }
        self.write_entry(program).map_err(failed)
    }
}

#[cfg(not(windows))]
impl Autostart {
    fn entry_is_on(&self) -> bool {
        is_on_by(&self.entry)
    }

    fn write_entry(&self, program: &Path) -> io::Result<()> {
        replace(&self.entry, text(program).as_bytes())
    }

    fn remove_entry(&self) -> io::Result<()> {
        remove(&self.entry)
    }

    fn shown(&self) -> String {
        self.entry.display().to_string()
    }
}

/// The account's entry is a value of its registry. Any other (a test's, the demo's) is a file that nothing reads but this.
#[cfg(windows)]
impl Autostart {
    fn is_accounts(&self) -> bool {
        self.entry == entry_of_account()
    }

    fn entry_is_on(&self) -> bool {
        is_on_by(&self.entry) || (self.is_accounts() && run_key::account::is_on())
    }

    fn write_entry(&self, program: &Path) -> io::Result<()> {
        let line = run_key::command_line(program);
        if !self.is_accounts() {
            return replace(&self.entry, line.to_string_lossy().as_bytes());
        }
        run_key::account::switch_on(&line)?;
        // Or it would be started twice.
        remove(&self.entry)
    }

    fn remove_entry(&self) -> io::Result<()> {
        remove(&self.entry)?;
        if self.is_accounts() { run_key::account::switch_off() } else { Ok(()) }
    }

    fn shown(&self) -> String {
        match self.is_accounts() {
            true => format!(r"HKEY_CURRENT_USER\{}", run_key::account::RUN),
            false => self.entry.display().to_string(),
        }
    }
}

fn is_on_by(entry: &Path) -> bool {
    fs::read_to_string(entry).is_ok_and(|text| !is_switched_off(&text))
}

fn remove(entry: &Path) -> io::Result<()> {
    match fs::remove_file(entry) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// macOS starts an app that was downloaded and never moved from a read-only copy at a random place (Gatekeeper's “path
/// randomization”).
fn is_translocated(program: &Path) -> bool {
    program.components().any(|part| part.as_os_str() == "AppTranslocation")
}

/// Beside this program, as packages and the installers put it; else on the PATH.
fn program() -> Option<PathBuf> {
    let beside = dockline_programs::own().ok().and_then(|exe| Some(exe.parent()?.join(PROGRAM)));
    let on_path = env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(env::split_paths(&on_path).map(|folder| folder.join(PROGRAM)))
        .find(|p| p.is_file())
}

/// The XDG autostart specification: `$XDG_CONFIG_HOME/autostart/NAME.desktop`.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn entry_of_account() -> PathBuf {
    let config = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = config.unwrap_or_else(|| env::home_dir().unwrap_or_default().join(".config"));
    config.join("autostart").join("org.dockline.desktop.desktop")
}

/// launchd.plist(5), an agent of the person's own.
#[cfg(target_os = "macos")]
pub(crate) fn entry_of_account() -> PathBuf {
    env::home_dir().unwrap_or_default().join("Library/LaunchAgents/org.dockline.desktop.plist")
}

/// The script in the start menu's Startup folder that was the entry until there was one in the account's registry. Windows
/// reads it still, where it is there: as the account's code page, and only while it has VBScript.
#[cfg(windows)]
pub(crate) fn entry_of_account() -> PathBuf {
    let roaming = env::var_os("APPDATA").map(PathBuf::from).unwrap_or_default();
    roaming.join(r"Microsoft\Windows\Start Menu\Programs\Startup\Dockline.vbs")
}

/// Desktops switch an entry off by a line in it rather than by removing it.
fn is_switched_off(text: &str) -> bool {
    let off = ["Hidden=true", "X-GNOME-Autostart-enabled=false"];
    text.lines().any(|line| off.contains(&line.trim()))
}

#[cfg(all(unix, not(target_os = "macos")))]
fn text(program: &Path) -> String {
    // Desktop Entry specification, "The Exec key": quoted, with these four escaped, and `%` doubled.
    let mut quoted = String::new();
    for c in program.to_string_lossy().chars() {
        match c {
            '"' | '`' | '$' | '\\' => quoted.extend(['\\', '\\', c]),
            '%' => quoted.push_str("%%"),
            c => quoted.push(c),
        }
    }
    format!(
        "[Desktop Entry]\nType=Application\nName=Dockline\nComment=Tunnels to your own image registries\n\
         Exec=\"{quoted}\" --hidden\nIcon=dockline\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
    )
}

#[cfg(target_os = "macos")]
use launchd::plist as text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_switched_on_and_off_and_by_others() {
        let home = tempfile::tempdir().unwrap();
        let entry = home.path().join("autostart/dockline.desktop");
        let nowhere = Autostart::at(entry.clone(), None);
        assert_eq!(nowhere.is_on(), None);
        assert_eq!(nowhere.set(true).unwrap_err().code, Code::NotFound);
        let autostart = Autostart::at(entry.clone(), Some("/opt/dock\"line/dockline-desktop".into()));
        assert_eq!(autostart.is_on(), Some(false));
        autostart.set(true).unwrap();
        assert_eq!(autostart.is_on(), Some(true));
        let text = fs::read_to_string(&entry).unwrap();
        assert!(text.contains("dockline-desktop"), "{text}");
        fs::write(&entry, text + "Hidden=true\n").unwrap();
        assert_eq!(autostart.is_on(), Some(false));
        autostart.set(false).unwrap();
        autostart.set(false).unwrap();
        assert!(!entry.exists());
        // A place of macOS's making is none to start from.
        let copy =
            "/private/var/folders/x/T/AppTranslocation/1A/d/Dockline.app/Contents/MacOS/dockline-desktop";
        let error = Autostart::at(entry.clone(), Some(copy.into())).set(true).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("Move Dockline to Applications first."));
        assert!(!entry.exists());
    }
}
