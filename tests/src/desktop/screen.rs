//! A screen and a session bus that nobody else uses.

use super::{PATIENCE, x11::X11};
use crate::lab::Daemon;
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Xvfb with a window manager, and a D-Bus session bus that activates nothing. All gone when it is dropped.
#[derive(Debug)]
pub struct Screen {
    display: String,
    bus_address: String,
    dark: bool,
    /// Whether programs on it tell assistive technology what they show.
    has_readers: bool,
    x11: X11,
    // Dropped in this order: what uses the display ends before the display does.
    _window_manager: Daemon,
    _bus: Daemon,
    _server: Daemon,
    folder: TempDir,
}

impl Screen {
    /// A screen of 1280 by 900 pixels with a light theme.
    ///
    /// # Panics
    /// When a part does not start; ask for `Need::Desktop` first.
    #[must_use]
    pub fn start() -> Self {
        Self::with(1280, 900, false)
    }

    /// A screen of that many pixels, light or dark.
    ///
    /// # Panics
    /// As [`Screen::start`].
    #[must_use]
    pub fn with(width: u32, height: u32, dark: bool) -> Self {
        let folder =
            tempfile::Builder::new().prefix("dockline-screen-").tempdir().expect("a folder can be made");

        let mut server = Command::new("Xvfb");
        server
            .args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{width}x{height}x24"));
        let server = Daemon::spawn("Xvfb", server);
        let display = format!(":{}", first_number(&server));

        let bus = session_bus(folder.path());
        let bus_address = format!("unix:path={}", folder.path().join("bus").display());

        let mut window_manager = Command::new("openbox");
        window_manager.args(["--sm-disable"]).env("DISPLAY", &display).env("HOME", folder.path());
        let window_manager = Daemon::spawn("openbox", window_manager);
        let x11 = X11::connect(&display);
        x11.wait_for_window_manager();
        Self {
            display,
            bus_address,
            dark,
            has_readers: false,
            x11,
            _window_manager: window_manager,
            _bus: bus,
            _server: server,
            folder,
        }
    }

    /// Has the desktop ask for less motion, as its settings for accessibility do, of what is started from now on.
    ///
    /// # Panics
    /// When the folder of this screen is gone.
    #[must_use]
    pub fn with_less_motion(self) -> Self {
        let folder = self.folder.path().join("config/gtk-3.0");
        fs::create_dir_all(&folder).expect("the folder is ours");
        fs::write(folder.join("settings.ini"), "[Settings]\ngtk-enable-animations=0\n")
            .expect("the folder is ours");
        self
    }

    /// Has what is started from now on tell assistive technology what it shows.
    pub(super) const fn let_readers_in(&mut self) {
        self.has_readers = true;
    }

    /// `DISPLAY`.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// `DBUS_SESSION_BUS_ADDRESS`.
    #[must_use]
    pub fn bus_address(&self) -> &str {
        &self.bus_address
    }

    /// Puts a program on this screen and this bus, with XDG folders of its own.
    pub fn lend(&self, command: &mut Command) {
        let own = |name: &str| {
            let path = self.folder.path().join(name);
            fs::create_dir_all(&path).expect("the folder is ours");
            path
        };
        let runtime = own("runtime");
        fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .expect("the folder is ours");
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("XDG_RUNTIME_DIR", runtime)
            .env("XDG_CONFIG_HOME", own("config"))
            .env("XDG_DATA_HOME", own("data"))
            .env("XDG_CACHE_HOME", own("cache"))
            .env("XDG_STATE_HOME", own("state"))
            .env("XDG_CURRENT_DESKTOP", "openbox")
            .env("GTK_THEME", if self.dark { "Adwaita:dark" } else { "Adwaita" })
            .env("GDK_BACKEND", "x11")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env_remove("WAYLAND_DISPLAY");
        if self.has_readers {
            command.env_remove("NO_AT_BRIDGE");
        } else {
            command.env("NO_AT_BRIDGE", "1");
        }
        // Whatever language this machine speaks.
        for variable in ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"] {
            command.env_remove(variable);
        }
    }

    /// The visible windows with this title.
    ///
    /// # Panics
    /// When the screen is gone.
    #[must_use]
    pub fn windows(&self, title: &str) -> Vec<u32> {
        self.x11.windows(title)
    }

    /// Waits until exactly `count` windows with this title are visible.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn wait_for_windows(&self, title: &str, count: usize) {
        let seen = super::wait_until(|| self.windows(title).len() == count).await;
        assert!(
            seen,
            "{} windows called “{title}” are visible instead of {count}: {:?}",
            self.windows(title).len(),
            self.x11.titles()
        );
    }

    /// Asks the window to close, as its × does.
    ///
    /// # Panics
    /// When the screen is gone.
    pub fn close_window(&self, window: u32) {
        self.x11.close(window);
    }

    /// The colours in the upper `height` rows of the window with this title; none while there is none.
    ///
    /// # Panics
    /// When the screen is gone.
    #[must_use]
    pub fn colours(&self, title: &str, height: u16) -> BTreeSet<[u8; 3]> {
        let window = self.windows(title).first().copied();
        window.and_then(|window| self.x11.colours(window, height)).unwrap_or_default()
    }

    /// Waits until this text is on the clipboard.
    ///
    /// # Panics
    /// When it never is.
    pub async fn wait_for_clipboard(&self, text: &str) {
        let seen = super::wait_until(|| self.x11.clipboard().as_deref() == Some(text)).await;
        assert!(seen, "“{text}” is not on the clipboard, but {:?}", self.x11.clipboard());
    }

    /// What is on the clipboard, once this is part of it.
    ///
    /// # Panics
    /// When it never is.
    pub async fn clipboard_with(&self, part: &str) -> String {
        let mut text = String::new();
        let seen = super::wait_until(|| {
            text = self.x11.clipboard().unwrap_or_default();
            text.contains(part)
        })
        .await;
        assert!(seen, "“{part}” is not on the clipboard, but {text}");
        text
    }

    /// Waits until the window with this title has the focus.
    ///
    /// # Panics
    /// When it never has.
    pub async fn wait_for_focus(&self, title: &str) {
        let has_it = || self.windows(title).first().is_some_and(|window| self.x11.has_focus(*window));
        assert!(super::wait_until(has_it).await, "“{title}” never has the focus");
    }

    /// The middle of the one window with this title, in pixels of the screen.
    ///
    /// # Panics
    /// When there is no such window.
    #[must_use]
    pub fn middle_of(&self, title: &str) -> (i16, i16) {
        let window = *self.windows(title).first().unwrap_or_else(|| panic!("no window is called “{title}”"));
        self.x11.middle(window)
    }

    /// Opens a small window of another program in the upper left corner and gives it the focus.
    ///
    /// # Panics
    /// When the screen is gone.
    pub async fn look_elsewhere(&self) {
        let window = self.x11.open_window("elsewhere");
        let seen = super::wait_until(|| self.x11.has_focus(window)).await;
        assert!(seen, "the window manager gives a new window the focus");
    }
}

/// Where pictures are kept: `target/screenshots`.
///
/// # Panics
/// When the folder cannot be made.
#[must_use]
pub fn screenshots() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let folder = target.join("screenshots");
    fs::create_dir_all(&folder).expect("target/ can be written");
    folder
}

pub(super) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(super) fn session_bus(folder: &Path) -> Daemon {
    let config = folder.join("bus.conf");
    // Without service folders nothing is activated: what is on the bus is what the test put there.
    let text = format!(
        r#"<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#,
        folder.join("bus").display()
    );
    fs::write(&config, text).expect("the folder is ours");
    let mut bus = Command::new("dbus-daemon");
    bus.args(["--nofork", "--print-address=1", "--config-file"]).arg(&config);
    let bus = Daemon::spawn("dbus-daemon", bus);
    bus.wait_for_line("unix:path=", PATIENCE);
    bus
}

fn first_number(server: &Daemon) -> u32 {
    for count in 1.. {
        server.wait_for_count("", count, PATIENCE);
        if let Some(number) = server.log().lines().find_map(|line| line.trim().parse().ok()) {
            return number;
        }
    }
    unreachable!("wait_for_count panics when no more lines come")
}
