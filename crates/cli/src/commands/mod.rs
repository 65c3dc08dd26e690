//! One module a command, or a family of them.

mod agent;
mod collect;
mod configure;
mod connect;
mod contents;
mod demo;
mod doctor;
mod hosts;
mod images;
mod login;
mod offer;
mod settings;
mod setup;
mod several;
mod status;
mod target;
mod team;
mod transfer;
mod transfers;

pub use login::helper as credential_helper;

use crate::{
    arguments::{Command, SettingsAction},
    output::Output,
    print_completions,
};
use dockline_model::UiError;

/// Does what was typed.
pub async fn run(command: Command, output: &Output) -> Result<(), UiError> {
    let output = *output;
    match command {
        Command::Add(add) => configure::add(add, output).await,
        Command::Edit(edit) => configure::edit(edit, output).await,
        Command::List => status::list(output).await,
        Command::Remove { registry, yes } => configure::remove(registry, yes, output).await,
        Command::Connect(connect) => connect::connect(connect, output).await,
        Command::Disconnect { registry, force } => connect::disconnect(registry, force, output).await,
        Command::Status { registry } => status::status(registry, output).await,
        Command::Push(push) => transfer::push(push, output).await,
        Command::Pull(pull) => transfer::pull(pull, output).await,
        Command::Copy(copy) => several::copy(copy, output).await,
        Command::Offer(offer) => offer::offer(offer, output).await,
        Command::Ship(ship) => several::ship(ship, output).await,
        Command::Images => images::images(output).await,
        Command::Ls { target } => contents::list(target, output).await,
        Command::Inspect { reference } => contents::inspect(reference, output).await,
        Command::Rm { reference, plan, yes } => contents::remove(reference, plan, yes, output).await,
        Command::Du { registry } => contents::usage(registry, output).await,
        Command::Gc(arguments) => collect::collect(arguments, output).await,
        Command::Login(arguments) => login::login(arguments, output).await,
        Command::Logout { registry } => login::logout(registry, output).await,
        Command::Hosts(hosts) => hosts::hosts(hosts, output).await,
        Command::Setup(arguments) => setup::setup(arguments, output).await,
        Command::Doctor(arguments) => doctor::doctor(arguments, output).await,
        Command::Proposals => doctor::proposals(output).await,
        Command::Transfers { what } => transfers::transfers(what, output).await,
        Command::Team(what) => team::team(what, output).await,
        Command::Settings { change } => {
            settings::settings(change.map(|SettingsAction::Set(change)| change), output).await
        }
        Command::Contexts => settings::contexts(output).await,
        Command::Agent(agent) => agent::agent(agent, output).await,
        Command::Demo { headless: _ } => demo::demo(output).await,
        Command::Completions { shell } => print_completions(shell),
        Command::ExitCodes => {
            output.result(&crate::arguments::EXIT_CODES, || crate::arguments::EXIT_CODES.to_owned())
        }
    }
}
