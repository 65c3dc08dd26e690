//! `dockline-desktop`: Dockline in the tray. The package has this program once, as `dockline`, and `dockline-desktop` is
//! another name of it.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser as _;
use dockline_desktop::{app, log_to_stderr, terminal};
use std::{env, ffi::OsStr, path::Path, process::ExitCode};

fn main() -> anyhow::Result<ExitCode> {
    let is_read = terminal::attach();
    if env::args_os().next().is_some_and(|name| is_the_command_line(&name)) {
        return Ok(dockline_cli::run());
    }
    let arguments = app::Arguments::try_parse().unwrap_or_else(|told| {
        terminal::say_if_unread(is_read, &told.to_string());
        told.exit()
    });
    let is_read = terminal::let_go(is_read);
    log_to_stderr();
    // Why it ended is printed by whoever called this, too.
    app::run(&arguments).inspect_err(|error| terminal::say_if_unread(is_read, &format!("{error:#}")))
}

/// Whether the program was started by one of the command line's names: its own, or one that Docker has for it.
fn is_the_command_line(name: &OsStr) -> bool {
    let name = Path::new(name).file_stem().unwrap_or(name);
    ["dockline", "docker-dockline", "docker-credential-dockline"].iter().any(|known| name == *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_depends_on_the_name_that_it_is_started_by() {
        for name in ["dockline", "/usr/bin/dockline", "./dockline.exe", "docker-credential-dockline"] {
            assert!(is_the_command_line(OsStr::new(name)), "{name}");
        }
        for name in ["/usr/bin/dockline-desktop", "dockline-desktop.exe", ""] {
            assert!(!is_the_command_line(OsStr::new(name)), "{name}");
        }
    }
}
