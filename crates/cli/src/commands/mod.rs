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
mod updates;

pub use login::helper as credential_helper;

use crate::{arguments::Command, output::Output, print_completions};
use dockline_model::UiError;

/// Does what was typed.
pub async fn run(command: Command, output: &Output) -> Result<(), UiError> {
    let output = *output;
    match command {
        Command::Add(add) => configure::add(add, output).await,
        Command::Edit(edit) => configure::edit(edit, output).await,
        Command::List => status::list(output).await,
        Command::Remove(remove) => configure::remove(remove, output).await,
        Command::Connect(connect) => connect::connect(connect, output).await,
        Command::Disconnect(disconnect) => connect::disconnect(disconnect, output).await,
        Command::Status(status) => status::status(status.registry, output).await,
        Command::Push(push) => transfer::push(push, output).await,
        Command::Pull(pull) => transfer::pull(pull, output).await,
        Command::Copy(copy) => several::copy(copy, output).await,
        Command::Offer(offer) => offer::offer(offer, output).await,
        Command::Ship(ship) => several::ship(ship, output).await,
        Command::Images => images::images(output).await,
        Command::Ls(ls) => contents::list(ls.target, output).await,
        Command::Inspect(inspect) => contents::inspect(inspect.reference, output).await,
        Command::Rm(rm) => contents::remove(rm, output).await,
        Command::Du(du) => contents::usage(du.registry, output).await,
        Command::Gc(arguments) => collect::collect(arguments, output).await,
        Command::Login(arguments) => login::login(arguments, output).await,
        Command::Logout(logout) => login::logout(logout.registry, output).await,
        Command::Hosts(hosts) => hosts::hosts(hosts, output).await,
        Command::Setup(arguments) => setup::setup(arguments, output).await,
        Command::Doctor(arguments) => doctor::doctor(arguments, output).await,
        Command::Proposals => doctor::proposals(output).await,
        Command::Transfers(transfers) => transfers::transfers(transfers.what, output).await,
        Command::Team(what) => team::team(what, output).await,
        Command::Settings(settings) => settings::settings(settings.change, output).await,
        Command::Contexts => settings::contexts(output).await,
        Command::Updates(updates) => updates::updates(updates.last, output).await,
        Command::Agent(agent) => agent::agent(agent, output).await,
        Command::Demo(_) => demo::demo(output).await,
        Command::Completions(completions) => print_completions(completions.shell),
        Command::ExitCodes => {
            output.result(&crate::arguments::EXIT_CODES, || crate::arguments::EXIT_CODES.to_owned())
        }
    }
}
