//! Short-lived programs: run, and complain with their own words when they fail.

use std::process::{Command, ExitStatus, Stdio};

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Finished {
    /// Panics unless the program succeeded; the message holds everything it said.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        assert!(
            self.status.success(),
            "`{}` ended with {}\n--- its output ---\n{}{}",
            self.command,
            self.status,
            self.stdout,
            self.stderr
        );
        self
    }
}

/// Runs a program to its end, with nothing on its standard input.
///
/// # Panics
/// When it cannot be started.
#[track_caller]
pub fn try_run(command: &mut Command) -> Finished {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("`{line}` could not be started: {error}"));
    Finished {
        command: line,
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a program that must succeed and returns what it printed.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn run(program: &str, arguments: &[&str]) -> String {
    try_run(Command::new(program).args(arguments)).expect_success().stdout
}

/// The command line as one would type it, near enough for a message.
pub(super) fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
