//! The desktop app, as its own process.

use super::{PATIENCE, Screen, screen::workspace};
use crate::lab::{Daemon, Dockline};
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::OnceLock,
};

/// A running app.
#[derive(Debug)]
pub struct App {
    daemon: Daemon,
}

impl App {
    /// Starts it on `screen` with the files of `dockline`, and waits until it has a session.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(screen: &Screen, dockline: &Dockline, arguments: &[&str]) -> Self {
        let app = Self::spawn(screen, dockline, arguments);
        app.daemon.wait_for_line("session open", PATIENCE);
        app
    }

    /// Starts it, and does not wait for anything.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(screen: &Screen, dockline: &Dockline, arguments: &[&str]) -> Self {
        Self { daemon: Daemon::spawn("dockline-desktop", command(screen, dockline, arguments)) }
    }

    /// Starts it a second time, and waits until the second one has ended.
    ///
    /// # Panics
    /// When it goes on running.
    #[must_use]
    pub fn start_again(screen: &Screen, dockline: &Dockline, arguments: &[&str]) -> ExitStatus {
        let second = Daemon::spawn("dockline-desktop, again", command(screen, dockline, arguments));
        second.wait(PATIENCE).unwrap_or_else(|| panic!("a second app runs\n{}", second.log()))
    }

    /// Its process and its log.
    #[must_use]
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }
}

/// The app, ready to run.
pub(super) fn command(screen: &Screen, dockline: &Dockline, arguments: &[&str]) -> Command {
    let mut command = Command::new(desktop_program());
    command.args(arguments);
    dress(&mut command, screen, dockline);
    command
}

/// Gives a program the surroundings of `dockline` and `screen`.
pub(super) fn dress(command: &mut Command, screen: &Screen, dockline: &Dockline) {
    for (key, value) in dockline.command(&[]).get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    screen.lend(command);
    // What a killed app leaves behind goes with the test.
    command.env("TMPDIR", dockline.folder());
    command.env("DOCKLINE_LOG", "info,dockline=debug");
}

/// The `dockline-desktop` program: `DOCKLINE_DESKTOP_PROGRAM`, or the one of this workspace, built now so that no
/// test runs an old one.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn desktop_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = env::var_os("DOCKLINE_DESKTOP_PROGRAM") {
            return path.into();
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--workspace",
                "--bin",
                "dockline-desktop",
                "--bin",
                "dockline-window",
            ])
            .current_dir(workspace())
            .status()
            .expect("cargo runs");
        assert!(built.success(), "dockline-desktop does not build");
        let test = env::current_exe().expect("a test knows its own path");
        let profile = test.ancestors().find(|folder| folder.join("dockline-desktop").is_file());
        profile.expect("cargo puts programs beside their tests").join("dockline-desktop")
    })
}
