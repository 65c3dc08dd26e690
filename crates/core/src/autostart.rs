//! Whether the desktop app starts when the person logs in. The desktop keeps that, not the configuration: people switch
//! it off in their system's settings too.

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
        let is_on = fs::read_to_string(&self.entry).is_ok_and(|text| !is_switched_off(&text));
        (is_on || self.program.is_some()).then_some(is_on)
    }

    /// Switches it. Blocks.
    ///
    /// # Errors
    /// `NotFound` if the app is not installed, `FileIo` if the entry cannot be written.
    pub fn set(&self, on: bool) -> Result<(), UiError> {
        let failed = |error: io::Error| {
            UiError::new(Code::FileIo, format!("{} cannot be changed: {error}.", self.entry.display()))
                .hint("Check that the folder is yours; your desktop's own settings can switch it, too.")
        };
        if !on {
            return match fs::remove_file(&self.entry) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let program = self.program.as_deref().ok_or_else(|| {
            UiError::new(
                Code::NotFound,
                "Dockline's desktop app is not installed, so it cannot start at login.",
            )
            .hint("Install it, or let your system start `dockline agent`.")
        })?;
        replace(&self.entry, text(program).as_bytes()).map_err(failed)
    }
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

/// A script in the start menu's Startup folder: no registry key, and people find it.
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
fn text(program: &Path) -> String {
    let program = program.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\n\
         <key>Label</key><string>org.dockline.desktop</string>\n\
         <key>ProgramArguments</key><array><string>{program}</string><string>--hidden</string></array>\n\
         <key>RunAtLoad</key><true/>\n</dict></plist>\n"
    )
}

#[cfg(windows)]
fn text(program: &Path) -> String {
    let program = program.to_string_lossy().replace('"', "\"\"");
    format!("CreateObject(\"WScript.Shell\").Run \"\"\"{program}\"\" --hidden\", 0\r\n")
}

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
    }
}
