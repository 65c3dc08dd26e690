//! `cargo xtask …`: what a developer does with Dockline. It runs first on a fresh machine and builds everything
//! else, so it depends on next to nothing.

mod bench;
mod bindings;
mod demo;
mod faults;
mod fuzz;
mod newer;
mod package;
mod packages;
mod platforms;
mod test;
mod vendor;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Dockline's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and push and pull an image through a tunnel to a built-in registry host.
    Demo(demo::Options),
    /// Install what is missing, run every check and test there is, and end in one line of totals.
    Test(test::Options),
    /// Generate the window's TypeScript types from the model, and the tray's Dutch from the window's sentences.
    Bindings(bindings::Options),
    /// Write down what is ours in the libraries of `vendor`: their patches, and what was published.
    Vendor(vendor::Options),
    /// Make a .deb of the desktop app, the command line and the helper.
    Package(package::Options),
    /// Type-check for Windows, macOS and Linux on ARM (there without the desktop app), and run tests under Wine.
    Platforms(platforms::Options),
    /// Run libFuzzer on what reads bytes that others wrote.
    Fuzz(fuzz::Options),
    /// Fetch a newer Docker than Debian 12's into the target folder, for the tests of what only a newer one does.
    NewerDocker,
    /// The same for OpenSSH's server.
    NewerOpenssh,
    /// Measure against other tools; figures go to target/bench/NAME.json.
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
    /// Transfers with checked digests while everything on the way goes wrong: nothing wrong, hung or left over.
    Faults(faults::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bindings(options) => bindings::run(&options),
        Task::Vendor(options) => vendor::run(&options),
        Task::Package(options) => package::run(&options),
        Task::Platforms(options) => platforms::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::NewerDocker => newer::provide(&newer::DOCKER).map(|()| ExitCode::SUCCESS),
        Task::NewerOpenssh => newer::provide(&newer::OPENSSH).map(|()| ExitCode::SUCCESS),
        Task::Bench { what } => bench::run(&what),
        Task::Faults(options) => faults::run(&options),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
