//! `dockline-desktop`: Dockline in the tray.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use clap::Parser as _;
use dockline_desktop::{app, log_to_stderr};
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = app::Arguments::parse();
    log_to_stderr();
    app::run(&arguments)
}
