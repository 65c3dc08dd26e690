//! `dockline`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dockline_cli::run()
}
