//! What the commands about registries take (`add`, `edit`, `remove`, `team`), and those about their tunnels (`connect`,
//! `disconnect`, `status`).

use clap::{Args, Subcommand, ValueHint};
use dockline_model::{RegistryName, RegistryUrl, RemoteEnd, SshTarget, TrafficLimits};
use std::{net::Ipv4Addr, path::PathBuf};

/// `dockline add`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline add cr.boss.org --ssh dockercr@88.88.88.88
  dockline add cr.boss.org --ssh build --jump gate.boss.org
  dockline add cr.boss.org --ssh root@10.0.0.7:2222 --remote /run/r.sock
  dockline add cr.boss.org --ssh a.boss.org --ssh b.boss.org   b if a is away

Host, user, port, identity and jump host are taken from ~/.ssh/config where they are not given.")]
pub struct Add {
    /// The name programs will use, with a dot in it: cr.boss.org
    pub registry: RegistryName,
    /// Where to log in: [user@]host[:port], or a Host of ~/.ssh/config. Several hosts of the same registry: once for
    /// each, the preferred one first; the next one stands in while a host does not answer
    #[arg(long, value_name = "DESTINATION", required_unless_present_any = ["no_tunnel", "url"])]
    pub ssh: Vec<SshTarget>,
    /// A private key file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Jump hosts, nearest first, as ssh -J takes them
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub jump: Option<String>,
    /// What the tunnel ends at on the far side: host:port, or the path of a UNIX socket [default: 127.0.0.1:5000]
    #[arg(long, value_name = "HOST:PORT|PATH")]
    pub remote: Option<RemoteEnd>,
    /// The local port [default: 5000]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The loopback address [default: a free one of 127.77.0.0/16]
    #[arg(long, value_name = "127.X.Y.Z")]
    pub address: Option<Ipv4Addr>,
    /// Also for programs inside of containers: this machine's address on the container network, mostly 172.17.0.1
    /// (`docker network inspect bridge`, Gateway). Every container there may use the registry then
    #[arg(long, value_name = "ADDRESS")]
    pub gateway: Option<Ipv4Addr>,
    /// Also at this port of 127.0.0.1, all that an engine in a virtual machine sees of this machine (`dockline setup`
    /// picks one where it is needed)
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub localhost_port: Option<u16>,
    /// The certificate (PEM) of the private authority that signed the registry's, if it speaks TLS
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,
    /// Seconds that the tunnel stays open after its last use [default: the setting linger-seconds, 10]
    #[arg(long, value_name = "SECONDS")]
    pub linger: Option<u32>,
    /// Once the tunnel is open, keep it open until `dockline disconnect`
    #[arg(long)]
    pub keep_open: bool,
    /// Open it as soon as the desktop app or the agent starts
    #[arg(long)]
    pub open_at_start: bool,
    /// The most bytes a second that it sends to the registry: 500k, 2M, 1.5MB/s [default: as many as it can]
    #[arg(long, value_name = "RATE", value_parser = TrafficLimits::parse_rate)]
    pub limit_up: Option<u64>,
    /// The most bytes a second that it receives from the registry
    #[arg(long, value_name = "RATE", value_parser = TrafficLimits::parse_rate)]
    pub limit_down: Option<u64>,
    /// The registry is reached as it is, at https://NAME, without SSH: Nexus, Docker Hub, ECR and the like
    #[arg(long, conflicts_with_all = ["ssh", "identity", "jump", "remote", "port", "address", "gateway", "localhost_port", "linger", "keep_open", "open_at_start", "limit_up", "limit_down"])]
    pub no_tunnel: bool,
    /// The same at another address
    #[arg(long, value_name = "https://HOST[:PORT][/PATH]", conflicts_with_all = ["ssh", "identity", "jump", "remote", "port", "address", "gateway", "localhost_port", "linger", "keep_open", "open_at_start", "limit_up", "limit_down"])]
    pub url: Option<RegistryUrl>,
    /// A certificate of yours (PEM) for a registry that asks for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_key")]
    pub client_certificate: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_certificate")]
    pub client_key: Option<PathBuf>,
}

/// `dockline edit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline edit cr.boss.org --ssh dockercr@99.99.99.99
  dockline edit cr.boss.org --rename cr2.boss.org
  dockline edit cr.boss.org --copy-to cr2.boss.org --ssh other   one like it

The tunnel starts anew only if its way or its address is another one then.

Everything else: in the configuration (dockline settings shows where) or in the window.")]
pub struct Edit {
    /// The registry
    pub registry: RegistryName,
    /// Give it another name
    #[arg(long, value_name = "NAME", conflicts_with = "copy_to")]
    pub rename: Option<RegistryName>,
    /// Leave it as it is and add one like it under this name
    #[arg(long, value_name = "NAME")]
    pub copy_to: Option<RegistryName>,
    /// Where to log in; once for each host, the preferred one first
    #[arg(long, value_name = "DESTINATION")]
    pub ssh: Vec<SshTarget>,
    /// A private key file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Jump hosts, nearest first; an empty text for none
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub jump: Option<String>,
    /// What the tunnel ends at on the far side
    #[arg(long, value_name = "HOST:PORT|PATH")]
    pub remote: Option<RemoteEnd>,
    /// The local port
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The loopback address
    #[arg(long, value_name = "127.X.Y.Z")]
    pub address: Option<Ipv4Addr>,
    /// Seconds that the tunnel stays open after its last use
    #[arg(long, value_name = "SECONDS")]
    pub linger: Option<u32>,
    /// Keep the tunnel open, once it is, until somebody disconnects it
    #[arg(long, value_name = "true|false")]
    pub keep_open: Option<bool>,
}

/// `dockline remove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dockline remove cr.boss.org

What `dockline setup` did for it is shown and taken back first, if you agree.")]
pub struct Remove {
    /// The registry
    pub registry: RegistryName,
    /// Take back what `dockline setup` did for it, too, without asking
    #[arg(long, short)]
    pub yes: bool,
}

/// `dockline connect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline connect cr.boss.org          open it; the app or the agent keeps it
  dockline connect cr.boss.org --hold   open it until this command ends

Where neither the desktop app nor an agent runs, this command holds the tunnel itself, as with --hold.")]
pub struct Connect {
    /// The registry
    pub registry: RegistryName,
    /// Hold it only until this command ends
    #[arg(long)]
    pub hold: bool,
    /// Read the password or passphrase from standard input (its first line)
    #[arg(long)]
    pub password_stdin: bool,
}

/// `dockline disconnect`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dockline disconnect cr.boss.org --force")]
pub struct Disconnect {
    /// The registry
    pub registry: RegistryName,
    /// Close it under whatever still uses it
    #[arg(long)]
    pub force: bool,
}

/// `dockline status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dockline status\n  dockline status cr.boss.org --json")]
pub struct Status {
    /// Only this registry
    pub registry: Option<RegistryName>,
}

/// `dockline team`.
#[derive(Debug, Subcommand)]
pub enum Team {
    /// Write registries down: no secrets, no key files
    Export {
        /// The registries; all of them otherwise
        registries: Vec<RegistryName>,
        /// Into this file, which must not be there; to standard output otherwise
        #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
    /// Add what a team file has and this machine has not; all of it or nothing
    Import {
        /// The file
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Only these; all of them otherwise
        registries: Vec<RegistryName>,
        /// Show what would change and change nothing
        #[arg(long, conflicts_with = "yes")]
        plan: bool,
        /// Add without asking what there is a warning about
        #[arg(long, short)]
        yes: bool,
    },
}
