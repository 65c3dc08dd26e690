//! What can be typed, and the help that says so. The commands stand here, in the order of `dockline help`; what each of
//! them takes stands with its examples in the module of its kind.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the comments are the help as people read it: `REPOSITORY[:TAG]`"
)]

mod contents;
mod machine;
mod moving;
mod registries;

pub use contents::{Du, Gc, Inspect, Login, Logout, Ls, Rm};
pub use machine::{
    Agent, Change, Completions, Demo, Doctor, Hosts, SettingName, Settings, SettingsAction, Setup, Updates,
};
pub use moving::{Copy, Offer, Pull, Push, Ship, TransferWhich, Transfers, TransfersAction};
pub use registries::{Add, Connect, Disconnect, Edit, Remove, Status, Team};

use clap::{Parser, Subcommand};

/// The exit statuses, as `dockline help exit-codes` explains them. They follow `Code::exit_status`.
pub const EXIT_CODES: &str = "\
The exit status tells scripts what kind of failure it was:

    0  done
    2  the command does not make sense: arguments, an unknown registry, a bad reference
    3  the configuration file does not read, or cannot be written
    4  SSH: the host is not found or not reached, or refused the login
    5  the host's key is unknown, has changed, or is revoked
    6  the forward: nothing listens there, sshd forbids it, or the local port is taken
    7  the engine: Docker or Podman is not there, lacks the image, or failed
    8  the registry: not reached, wants a login, refused, lacks the image, or is full
    9  a local file or an image archive
   10  system settings: not changed safely, or without leave
   11  the owner of the tunnels: gone, busy, or nobody was there to answer a question
   12  newer versions of Dockline: whoever was asked did not answer, or not as it should
   70  a defect of Dockline's own; please report it
  130  stopped (Ctrl-C), or you answered no
  141  whoever read the output has gone (… | head)

With --json the error itself, with its stable code, is the last line of standard output:

    {\"error\":{\"code\":\"ssh-auth\",\"message\":\"…\",\"hint\":\"…\"}}
";

/// Push and pull container images through SSH, with no TLS, no open port and no script.
#[derive(Debug, Parser)]
#[command(
    name = "dockline",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Start here:
  dockline demo                                        try it without a server
  dockline add cr.boss.org --ssh dockercr@88.88.88.88  add a registry
  dockline setup                                       let docker push work
  dockline push app:v1 cr.boss.org                     push through the tunnel

`dockline help COMMAND` explains a command, `dockline help exit-codes` the exit statuses."
)]
pub struct Cli {
    /// Print JSON (one value a line) instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a registry
    Add(Add),
    /// Change a registry: what is not given stays as it is
    Edit(Edit),
    /// Show the registries
    List,
    /// Forget a registry
    Remove(Remove),
    /// Open the tunnel and keep it open
    Connect(Connect),
    /// Close the tunnel, unless something else still uses it
    Disconnect(Disconnect),
    /// Show the tunnels: state, what holds them, bytes
    Status(Status),
    /// Push an image, or an image archive
    Push(Push),
    /// Pull an image into the engine, or into a file
    Pull(Pull),
    /// Copy an image from one registry to another, without an engine
    Copy(Copy),
    /// Let a host use a registry of this machine, until Ctrl-C
    Offer(Offer),
    /// Put an image into the Docker of a host that has no registry
    Ship(Ship),
    /// Show the engine's images
    Images,
    /// Show what is in a registry: its repositories, or a repository's tags
    Ls(Ls),
    /// Show what an image in a registry is made of: platforms, layers, sizes, and what refers to it
    Inspect(Inspect),
    /// Delete an image from a registry, after showing what that takes away and frees
    Rm(Rm),
    /// Show how much room each repository of a registry takes
    Du(Du),
    /// Free the room of what was deleted: run the registry's garbage collector on its host, through SSH
    Gc(Gc),
    /// Log in at a registry that asks for a name and a password
    Login(Login),
    /// Forget the login that Dockline keeps for a registry
    Logout(Logout),
    /// Make docker push work here: whatever this machine's engine needs for it, shown first, undone at any time
    Setup(Setup),
    /// Let this machine resolve the registries' names (the hosts file)
    Hosts(Hosts),
    /// Examine the whole way to a registry, link by link
    Doctor(Doctor),
    /// Show registries that this machine seems to know already: SSH hosts, image names, Docker contexts
    Proposals,
    /// Show the transfers, also those of earlier runs, and do something with them
    Transfers(Transfers),
    /// Write registries down for others, or take them over
    #[command(subcommand)]
    Team(Team),
    /// Show the settings and where the files are, or change a setting
    Settings(Settings),
    /// Show the Docker contexts, and which one's engine is used
    Contexts,
    /// Ask whether there is a newer version of Dockline; nothing is downloaded
    Updates(Updates),
    /// Keep listeners and tunnels without a desktop
    Agent(Agent),
    /// Do the main job on a registry host inside this program
    Demo(Demo),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Explain the exit statuses
    #[command(long_about = EXIT_CODES)]
    ExitCodes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use dockline_model::Code;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// A terminal breaks what is too long by itself, but not where a line of ours was broken already.
    #[test]
    fn help_breaks_only_where_it_is_meant_to() {
        let mut command = Cli::command();
        command.build();
        let mut commands = vec![&command];
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands());
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let mut before = "";
            for line in help.lines() {
                if line.starts_with("  ") {
                    assert!(line.chars().count() <= 78, "too long an example: {line}");
                } else {
                    let continues = !line.is_empty() && !before.is_empty() && !before.starts_with("  ");
                    assert!(
                        !continues,
                        "{}: one paragraph in two lines:\n{before}\n{line}",
                        command.get_name()
                    );
                }
                before = line;
            }
        }
    }

    #[test]
    fn a_registry_without_a_tunnel_takes_nothing_about_one() {
        let parsed = |more: &[&str]| {
            let words = ["dockline", "add", "nexus.boss.org", "--no-tunnel"];
            Cli::try_parse_from(words.iter().chain(more)).map(drop).map_err(|error| error.kind())
        };
        assert_eq!(parsed(&["--ca", "ca.pem"]), Ok(()));
        for option in [
            &["--localhost-port", "5001"][..],
            &["--open-at-start"],
            &["--limit-up", "2M"],
            &["--limit-down", "2M"],
            &["--ssh", "a@h"],
        ] {
            assert_eq!(parsed(option), Err(clap::error::ErrorKind::ArgumentConflict), "{option:?}");
        }
    }

    #[test]
    fn every_exit_status_is_explained() {
        for code in [
            Code::InvalidArgument,
            Code::ConfigInvalid,
            Code::SshAuth,
            Code::HostKeyChanged,
            Code::PortInUse,
            Code::EngineUnavailable,
            Code::RegistryFailed,
            Code::FileIo,
            Code::PermissionDenied,
            Code::OwnerGone,
            Code::UpdateInvalid,
            Code::Internal,
            Code::Cancelled,
        ] {
            let row = format!("\n{:>5}  ", code.exit_status());
            assert!(EXIT_CODES.contains(&row), "{code:?} has no row");
        }
    }
}
