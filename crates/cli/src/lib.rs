//! `dockline`: every feature of Dockline's, without a screen. A library, so that the package can have the command line and
//! the tray in one program under two names: they share nearly all of their code.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod commands;
mod diff;
mod face;
mod format;
mod given;
mod interrupts;
mod output;
mod piped;
mod plugin;
mod printable;
mod progress;
mod prompts;
mod terminal;

use arguments::Cli;
use clap::{CommandFactory as _, Parser as _, error::ErrorKind};
use dockline_model::{Code, UiError};
use output::Output;
use std::{io::Write as _, process::ExitCode};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Writes the program's log to standard error; `DOCKLINE_LOG` says how much (`debug`, `russh=off,info`), `otherwise` if it
/// does not, or not in that language.
pub fn log_to_stderr(otherwise: Targets) {
    let said = std::env::var("DOCKLINE_LOG").ok().and_then(|said| said.parse().ok());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(said.unwrap_or(otherwise)).init();
}

/// Does what the program's arguments say.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match plugin::call(std::env::args_os()) {
        plugin::Call::Arguments(arguments) => arguments,
        plugin::Call::Metadata => {
            // Whoever asked has gone.
            drop(output::to_stdout(&plugin::metadata()));
            return ExitCode::SUCCESS;
        }
        plugin::Call::CredentialHelper(action) => return credential_helper(&action),
    };
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return wrong_use(&error),
    };
    log_to_stderr(Targets::new());
    let output = Output::new(cli.json);
    // A question may have switched the echo off when Ctrl-C ends everything.
    let terminal = terminal::Remembered::now();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return output
                .fail(&UiError::new(Code::Internal, format!("No thread could be started: {error}.")));
        }
    };
    let result = runtime.block_on(commands::run(cli.command, &output));
    // A thread that still waits for an answer on the terminal must not keep the program alive.
    runtime.shutdown_background();
    terminal.restore();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.fail(&error),
    }
}

/// Docker waits for the answer in its own form.
fn credential_helper(action: &str) -> ExitCode {
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let status = runtime.block_on(commands::credential_helper(action));
    runtime.shutdown_background();
    status
}

/// clap's own message, or the same as JSON for whoever asked for that.
fn wrong_use(error: &clap::Error) -> ExitCode {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !is_help && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return Output::new(true)
            .fail(&UiError::new(Code::InvalidArgument, message).hint("`dockline help` lists the commands."));
    }
    // Nothing is to be done where even this cannot be printed.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The completion script.
fn print_completions(shell: clap_complete::Shell) -> Result<(), UiError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dockline", &mut script);
    std::io::stdout().write_all(&script).map_err(|error| output::stdout_failed(&error))
}
