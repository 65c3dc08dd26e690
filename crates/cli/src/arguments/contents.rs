//! What the commands about a registry's contents take (`ls`, `inspect`, `rm`, `du`, `gc`), and the way in (`login`, `logout`).

use clap::{Args, ValueHint};
use dockline_model::{RegistryName, SshTarget};
use std::path::PathBuf;

/// `dockline ls`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline ls                        repositories of the only registry
  dockline ls cr.boss.org            repositories
  dockline ls cr.boss.org/team/app   tags, printed as they come")]
pub struct Ls {
    /// REGISTRY, or REGISTRY/REPOSITORY
    pub target: Option<String>,
}

/// `dockline inspect`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dockline inspect cr.boss.org/team/app:v1\n  \
                  dockline inspect cr.boss.org/team/app@sha256:… --json")]
pub struct Inspect {
    /// REGISTRY/REPOSITORY[:TAG|@DIGEST]
    pub reference: String,
}

/// `dockline rm`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline rm cr.boss.org/team/app:v1          shows what goes, and asks
  dockline rm cr.boss.org/team/app:v1 --plan   shows it and deletes nothing

Every tag that names the same image goes with it. The layers' room is freed by the registry's own garbage \
collection.")]
pub struct Rm {
    /// REGISTRY/REPOSITORY[:TAG|@DIGEST]
    pub reference: String,
    /// Show it and delete nothing
    #[arg(long, conflicts_with = "yes")]
    pub plan: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `dockline du`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dockline du cr.boss.org\n\n\
                  Reads every manifest that a tag leads to, so it takes a while with thousands of them.")]
pub struct Du {
    /// The registry; may be left out if there is only one
    pub registry: Option<String>,
}

/// `dockline gc`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline gc cr.boss.org              shows what would be removed, and asks
  dockline gc cr.boss.org --plan       shows it and removes nothing
  dockline gc cr.boss.org --ssh root@88.88.88.88
                                       as somebody who may stop the registry

The registry has to be Distribution's (registry:2, registry:3), in a container or a systemd service of a host of \
yours. It is stopped meanwhile and started again whatever happens, also when the connection is lost.")]
pub struct Gc {
    /// The registry; may be left out if there is only one
    pub registry: Option<String>,
    /// Show what would be removed and remove nothing
    #[arg(long, conflicts_with = "yes")]
    pub plan: bool,
    /// Also images that no tag leads to; with registries of version 3 and later
    #[arg(long)]
    pub untagged: bool,
    /// Where to log in for it, if the tunnel's login may run nothing there: [user@]host[:port]
    #[arg(long, value_name = "DESTINATION")]
    pub ssh: Option<SshTarget>,
    /// A private key file for that
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "ssh")]
    pub identity: Option<PathBuf>,
    /// Jump hosts for that, nearest first
    #[arg(long, value_name = "[USER@]HOST[:PORT]", requires = "ssh")]
    pub jump: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `dockline login`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline login cr.boss.org                                     asks for both
  pass show cr | dockline login cr.boss.org -u me --password-stdin

The login is tried first and kept in the system's keyring. Logins of `docker login` and of credential \
helpers in ~/.docker/config.json are used as they are. As a link called docker-credential-dockline on the PATH, this \
program is a credential helper for Docker (\"credsStore\": \"dockline\").")]
pub struct Login {
    /// The registry
    pub registry: RegistryName,
    /// The user's name; asked for if it is left out
    #[arg(long, short, value_name = "NAME")]
    pub username: Option<String>,
    /// Read the password or token from standard input (its first line)
    #[arg(long)]
    pub password_stdin: bool,
}

/// `dockline logout`.
#[derive(Debug, Args)]
pub struct Logout {
    /// The registry
    pub registry: RegistryName,
}
