//! What can be typed, and the help that says so.

use clap::{
    Args, Parser, Subcommand, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;
use dockline_model::{
    ArchiveFormat, Compression, OfferSpec, RegistryName, RegistryUrl, RemoteEnd, Road, SshTarget,
    TrafficLimits,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

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
   70  a defect of Dockline's own; please report it
  130  stopped with Ctrl-C

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
  dockline demo                                         try it without a server
  dockline add cr.boss.org --ssh dockercr@88.88.88.88   name a host
  dockline setup                                        make docker push work here
  dockline push app:v1 cr.boss.org                      push through the tunnel

`dockline help COMMAND` explains a command, `dockline help exit-codes` the exit statuses."
)]
pub struct Cli {
    /// Print JSON (one object a line) instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Name a registry host
    #[command(after_help = "\
Examples:
  dockline add cr.boss.org --ssh dockercr@88.88.88.88
  dockline add cr.boss.org --ssh build --identity ~/.ssh/id_boss --jump gate.boss.org
  dockline add cr.boss.org --ssh root@10.0.0.7:2222 --remote /run/registry.sock
  dockline add cr.boss.org --ssh a.boss.org --ssh b.boss.org   b stands in while a does not answer

Host, user, port, identity and jump host are taken from ~/.ssh/config where they are not given.")]
    Add(Add),
    /// Change a registry: what is not given stays as it is
    #[command(after_help = "\
Examples:
  dockline edit cr.boss.org --ssh dockercr@99.99.99.99
  dockline edit cr.boss.org --rename cr2.boss.org
  dockline edit cr.boss.org --copy-to cr2.boss.org --ssh other   a second one like it

The tunnel starts anew only if its way or its address is another one then.")]
    Edit(Edit),
    /// Show the registries
    List,
    /// Forget a registry
    #[command(after_help = "\
Example:
  dockline remove cr.boss.org

What `dockline setup` did for it is shown and taken back first, if you agree.")]
    Remove {
        /// Its name
        registry: RegistryName,
        /// Take back what `dockline setup` did for it, too, without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Open the tunnel and keep it open
    #[command(after_help = "\
Examples:
  dockline connect cr.boss.org          open it; the desktop app or `dockline agent` keeps it open
  dockline connect cr.boss.org --hold   open it until this command ends (Ctrl-C)

Where neither the desktop app nor an agent runs, this command holds the tunnel itself, as with --hold.")]
    Connect(Connect),
    /// Close the tunnel, unless something else still uses it
    #[command(after_help = "Example:\n  dockline disconnect cr.boss.org --force")]
    Disconnect {
        /// Which registry's
        registry: RegistryName,
        /// Close it under whatever still uses it
        #[arg(long)]
        force: bool,
    },
    /// Show the tunnels: state, what holds them, bytes
    #[command(after_help = "Examples:\n  dockline status\n  dockline status cr.boss.org --json")]
    Status {
        /// Only this registry's
        registry: Option<RegistryName>,
    },
    /// Push an image, or an image archive
    #[command(after_help = "\
Examples:
  dockline push app:v1 cr.boss.org               an image of Docker's or Podman's
  dockline push app:v1 cr.boss.org/team/app:v2   under another name
  dockline push app.tar cr.boss.org              an archive (docker save, OCI layout); needs no engine
  docker save app:v1 | dockline push - cr.boss.org   the same from a pipe
  dockline push app.tar cr.boss.org --all-platforms  an OCI archive with every platform in it
  dockline push cr.boss.org:5000/app:v1          an image that is named for the registry already")]
    Push(Push),
    /// Pull an image into the engine, or into a file
    #[command(after_help = "\
Examples:
  dockline pull cr.boss.org/app:v1
  dockline pull cr.boss.org/app:v1 --output app.tar   an OCI archive; needs no engine
  dockline pull cr.boss.org/app:v1 -o app.tar --format docker --platform linux/arm64
  dockline pull cr.boss.org/app:v1 -o app.tar --all-platforms --referrers

What a killed pull into a file had got is not fetched again by the next.")]
    Pull(Pull),
    /// Copy an image from one registry to another, without an engine
    #[command(after_help = "\
Examples:
  dockline copy cr.boss.org/app:v1 cr.other.org
  dockline copy cr.boss.org/app:v1 cr.other.org/team/app:v2 --all-platforms --referrers
  dockline copy cr.boss.org/app:v1 --to a.example.org --to b.example.org

Layers go from one tunnel into the other and are written nowhere in between; only what is missing travels.")]
    Copy(Copy),
    /// Let a host use a registry of this machine, until Ctrl-C
    #[command(after_help = "\
Examples:
  dockline offer root@prod.boss.org                       its localhost:5000 is this machine's
  dockline offer prod --port 5001 --to 127.0.0.1:5000     at another port there
  dockline offer prod --to 127.77.31.7:5000               a registry that a tunnel of this machine leads to
  dockline offer prod --keep                              whenever the desktop app or the agent runs
  dockline offer prod --withdraw                          not any more

The other direction of a tunnel, as ssh -R has it: images are pulled on the host from a registry that runs here.
The port is open to everybody on that host, and to nobody else, for as long as this command runs; with --keep,
whenever the desktop app or the agent does.")]
    Offer(Offer),
    /// Put an image into the Docker of a host that has no registry
    #[command(after_help = "\
Examples:
  dockline ship app:v1 deploy@prod              app:v1 is in the Docker of prod then
  dockline ship app:v1 a.boss.org b.boss.org    on several hosts at once, each with its own result
  dockline ship app:v1 prod --as team/app:v1    under another name there

The host needs Docker and SSH, nothing else: its own Docker pulls what it lacks through the connection, and nothing
stays behind but the image. If some of several hosts fail, the exit status is that of the first that did.")]
    Ship(Ship),
    /// Show the engine's images
    Images,
    /// Show what is in a registry: its repositories, or a repository's tags
    #[command(after_help = "\
Examples:
  dockline ls                        repositories of the only registry
  dockline ls cr.boss.org            repositories
  dockline ls cr.boss.org/team/app   tags, printed as they come")]
    Ls {
        /// REGISTRY, or REGISTRY/REPOSITORY
        target: Option<String>,
    },
    /// Show what an image in a registry is made of: platforms, layers, sizes, and what refers to it
    #[command(
        after_help = "Examples:\n  dockline inspect cr.boss.org/team/app:v1\n  dockline inspect cr.boss.org/team/app@sha256:… --json"
    )]
    Inspect {
        /// REGISTRY/REPOSITORY[:TAG|@DIGEST]
        reference: String,
    },
    /// Delete an image from a registry, after showing what that takes away and frees
    #[command(after_help = "\
Examples:
  dockline rm cr.boss.org/team/app:v1          shows what goes, and asks
  dockline rm cr.boss.org/team/app:v1 --plan   shows it and deletes nothing

Every tag that names the same image goes with it. The layers' room is freed by the registry's own garbage collection.")]
    Rm {
        /// REGISTRY/REPOSITORY[:TAG|@DIGEST]
        reference: String,
        /// Show it and delete nothing
        #[arg(long, conflicts_with = "yes")]
        plan: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show how much room each repository of a registry takes
    #[command(
        after_help = "Example:\n  dockline du cr.boss.org\n\nReads every manifest that a tag leads to, so it takes a while with thousands of them."
    )]
    Du {
        /// Which registry; may be left out if there is only one
        registry: Option<String>,
    },
    /// Free the room of what was deleted: run the registry's garbage collector on its host, through SSH
    #[command(after_help = "\
Examples:
  dockline gc cr.boss.org                          shows what would go, and asks
  dockline gc cr.boss.org --plan                   shows it and removes nothing
  dockline gc cr.boss.org --ssh root@88.88.88.88   as somebody who may stop the registry there

The registry has to be Distribution's (registry:2, registry:3), in a container or a systemd service of a host of yours.
It is stopped meanwhile and started again whatever happens, also when the connection is lost.")]
    Gc(Gc),
    /// Log in at a registry that asks for a name and a password
    #[command(after_help = "\
Examples:
  dockline login cr.boss.org                                     asks for both
  pass show cr | dockline login cr.boss.org -u me --password-stdin

The login is tried first and kept in the system's keyring. Logins of `docker login` and of credential helpers in
~/.docker/config.json are used as they are. As a link called docker-credential-dockline on the PATH, this program is
a credential helper for Docker (\"credsStore\": \"dockline\").")]
    Login(Login),
    /// Forget the login that Dockline keeps for a registry
    Logout {
        /// Which registry's
        registry: RegistryName,
    },
    /// Make docker push work here: whatever this machine's engine needs for it, shown first, undone at any time
    #[command(after_help = "\
Examples:
  dockline setup                      shows what the engine needs, asks, does it, and has the engine try
  dockline setup --plan               shows it and changes nothing
  dockline setup cr.boss.org --yes    only for this registry, without asking
  dockline setup --undo               takes everything back
  dockline setup --undo /etc/hosts    takes one change back
  dockline setup cr.boss.org --undo   takes back what was done for this registry

The engine is the one that docker in this shell talks to. An administrator's rights are asked for once, when the
changes are made and not before. Exit status 7: the settings are written, but the engine does not get there.")]
    Setup(Setup),
    /// Let this machine resolve the registries' names (the hosts file)
    #[command(after_help = "\
Examples:
  dockline hosts                shows the change and asks
  dockline hosts --plan         shows it and changes nothing
  dockline hosts --undo         takes all of Dockline's lines out again
  dockline hosts --apply --yes  for scripts

Programs need the names only if they are to use cr.boss.org:5000 rather than the registry's 127.x address.
An administrator's rights are asked for when the change is made, not before.")]
    Hosts(Hosts),
    /// Examine the whole way to a registry, link by link
    #[command(after_help = "\
Examples:
  dockline doctor                                            every registry
  dockline doctor cr.boss.org --round-trip                   and send a tiny blob there and back
  dockline doctor cr.boss.org --ssh dockercr@88.88.88.88     one that is not configured yet

Every link that does not hold says why and what mends it; the exit status is that of the first one. With --json the
report has a text to copy into a question; it holds names of hosts, and no secret.")]
    Doctor(Doctor),
    /// Show registries that this machine seems to know already: SSH hosts, image names, Docker contexts
    Proposals,
    /// Show the transfers, also those of earlier runs, and do something with them
    #[command(after_help = "\
Examples:
  dockline transfers
  dockline transfers retry 7
  dockline transfers retry --all       everything that failed
  dockline transfers dismiss --all     forget what has ended
  dockline transfers pause --all       hold back what waits and halt what can be halted")]
    Transfers {
        /// What to do
        #[command(subcommand)]
        what: Option<Transfers>,
    },
    /// Write registries down for others, or take them over
    #[command(subcommand)]
    Team(Team),
    /// Show the settings and where the files are, or change a setting
    #[command(after_help = "\
Examples:
  dockline settings
  dockline settings set transfers-per-registry 4
  dockline settings set docker-context colima     `as-docker` uses what docker uses
  dockline settings set start-at-login on")]
    Settings {
        /// A change
        #[command(subcommand)]
        change: Option<SettingsAction>,
    },
    /// Show the Docker contexts, and which one's engine is used
    Contexts,
    /// Keep listeners and tunnels without a desktop
    #[command(after_help = "\
Examples:
  dockline agent          runs until Ctrl-C, SIGTERM or `dockline agent --stop`
  dockline agent --stop

While it runs, any program that connects to a registry's address opens its tunnel, and 10 seconds after the
last connection is gone the tunnel closes. The desktop app does the same.")]
    Agent(Agent),
    /// Do the main job on a registry host inside this program
    #[command(after_help = "\
An SSH server and an OCI registry are started on loopback with keys made on the spot. Dockline connects, pushes a
sample image, pulls it back and compares the digests. It needs neither Docker nor root nor a server, and leaves
nothing behind.")]
    Demo {
        /// In the terminal (the only way this program has; the desktop app's is `dockline-desktop --demo`)
        #[arg(long)]
        headless: bool,
    },
    /// Print a completion script for a shell
    #[command(after_help = "\
Examples:
  dockline completions bash > ~/.local/share/bash-completion/completions/dockline
  dockline completions zsh > ~/.zfunc/_dockline
  dockline completions fish > ~/.config/fish/completions/dockline.fish")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Explain the exit statuses
    #[command(long_about = EXIT_CODES)]
    ExitCodes,
}

/// `dockline add`.
#[derive(Debug, Args)]
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
    /// Seconds that the tunnel stays open after its last use [default: 10]
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
    #[arg(long, conflicts_with_all = ["ssh", "identity", "jump", "remote", "port", "address", "gateway", "linger", "keep_open"])]
    pub no_tunnel: bool,
    /// The same at another address
    #[arg(long, value_name = "https://HOST[:PORT][/PATH]", conflicts_with_all = ["ssh", "identity", "jump", "remote", "port", "address", "gateway", "linger", "keep_open"])]
    pub url: Option<RegistryUrl>,
    /// A certificate of yours (PEM) for a registry that asks for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_key")]
    pub client_certificate: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "client_certificate")]
    pub client_key: Option<PathBuf>,
}

/// `dockline gc`.
#[derive(Debug, Args)]
pub struct Gc {
    /// Which registry; may be left out if there is only one
    pub registry: Option<String>,
    /// Show what would go and remove nothing
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
pub struct Login {
    /// At which registry
    pub registry: RegistryName,
    /// As whom; asked for if it is left out
    #[arg(long, short, value_name = "NAME")]
    pub username: Option<String>,
    /// Read the password or token from standard input (its first line)
    #[arg(long)]
    pub password_stdin: bool,
}

/// `dockline edit`.
#[derive(Debug, Args)]
pub struct Edit {
    /// Which registry
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
    /// Keep the tunnel open whenever the desktop app or the agent runs
    #[arg(long, value_name = "true|false")]
    pub keep_open: Option<bool>,
}

/// `dockline doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Which registry; all of them otherwise
    pub registry: Option<RegistryName>,
    /// One that is not configured: where to log in
    #[arg(long, value_name = "DESTINATION", requires = "registry")]
    pub ssh: Vec<SshTarget>,
    /// One that is not configured: a private key file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "ssh")]
    pub identity: Option<PathBuf>,
    /// One that is not configured: jump hosts
    #[arg(long, value_name = "[USER@]HOST[:PORT]", requires = "ssh")]
    pub jump: Option<String>,
    /// One that is not configured: what the tunnel ends at
    #[arg(long, value_name = "HOST:PORT|PATH", requires = "ssh")]
    pub remote: Option<RemoteEnd>,
    /// Also send a tiny blob to the registry, and read it back
    #[arg(long)]
    pub round_trip: bool,
}

/// `dockline transfers`.
#[derive(Debug, Subcommand)]
pub enum Transfers {
    /// Ask again for what failed
    Retry(TransferWhich),
    /// Forget what has ended
    Dismiss(TransferWhich),
    /// Halt; what was sent is kept where that can be
    Pause(TransferWhich),
    /// Go on
    Resume(TransferWhich),
}

/// One transfer, or all.
#[derive(Debug, Args)]
pub struct TransferWhich {
    /// Its number
    #[arg(conflicts_with = "all")]
    pub transfer: Option<u64>,
    /// All of them
    #[arg(long)]
    pub all: bool,
}

/// `dockline team`.
#[derive(Debug, Subcommand)]
pub enum Team {
    /// Write registries down: no secrets, no key files
    Export {
        /// Which; all of them otherwise
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
        #[arg(long)]
        plan: bool,
    },
}

/// `dockline settings`.
#[derive(Debug, Subcommand)]
pub enum SettingsAction {
    /// Change one
    Set(Change),
}

/// One setting and its new value.
#[derive(Debug, Args)]
pub struct Change {
    /// Which
    pub setting: SettingName,
    /// on or off, a number, or a word; `dockline settings` shows what it is now
    pub value: String,
}

/// The settings, as they are typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum SettingName {
    /// Start the desktop app when you log in
    StartAtLogin,
    /// Pushes and pulls of one registry at a time, 1 to 8
    TransfersPerRegistry,
    /// Seconds that a tunnel stays open after its last use
    LingerSeconds,
    /// Seconds of silence before a session is asked whether it is there; from the next start of a tunnel on
    KeepaliveSeconds,
    /// Keep secrets in the system's keyring
    Keyring,
    /// Notify when a transfer is done
    NotifyDone,
    /// Notify when a transfer has failed
    NotifyFailed,
    /// Notify when a host's key has changed
    NotifyHostKey,
    /// Notify when a tunnel is lost for good
    NotifyTunnelLost,
    /// The window's colours: system, light, dark
    Theme,
    /// The window's language: system, en, nl
    Language,
    /// How large the window's text is, from 100 to 200 percent
    TextPercent,
    /// The Docker context whose engine is used, or as-docker
    DockerContext,
}

/// `dockline connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Which registry
    pub registry: RegistryName,
    /// Hold it only until this command ends
    #[arg(long)]
    pub hold: bool,
    /// Read the password or passphrase from standard input (its first line)
    #[arg(long)]
    pub password_stdin: bool,
}

/// `dockline push`.
#[derive(Debug, Args)]
pub struct Push {
    /// An image (app:v1), an archive that ends in .tar, .tar.gz, .tgz or .tar.zst, or - for an archive on standard input
    pub image: String,
    /// REGISTRY, or REGISTRY/REPOSITORY[:TAG]; may be left out if it is clear
    pub target: Option<String>,
    /// IMAGE is an archive, whatever it is called
    #[arg(long)]
    pub archive: bool,
    /// Which of several images in the archive, by its name there
    #[arg(long = "image", value_name = "NAME")]
    pub inner: Option<String>,
    /// Who carries the image: the engine (its own push), or Dockline itself [default: whichever is faster]
    #[arg(long, value_name = "ROAD", value_parser = words(ROADS))]
    pub road: Option<Road>,
    /// The same as --road engine
    #[arg(long, conflicts_with_all = ["road", "direct"])]
    pub engine: bool,
    /// The same as --road direct
    #[arg(long, conflicts_with = "road")]
    pub direct: bool,
    /// How layers are packed on the direct road: gzip, zstd (Docker 23, containerd 1.5, Podman 1.8 and later) or none
    /// [default: gzip]
    #[arg(long, value_name = "KIND", value_parser = words(COMPRESSIONS))]
    pub compression: Option<Compression>,
    /// How hard: gzip 1 to 12, zstd 1 to 19 [default: as the line is fast or slow]
    #[arg(long, value_name = "N")]
    pub level: Option<u8>,
    /// To all hosts of the registry, each with its own result, instead of the preferred one alone
    #[arg(long)]
    pub replicas: bool,
    /// Of an archive, the images of all platforms, with their attestations; their digests stay
    #[arg(long, conflicts_with_all = ["compression", "level"])]
    pub all_platforms: bool,
    /// Of an archive, what refers to the image, too: signatures (cosign), SBOMs, attestations
    #[arg(long, conflicts_with_all = ["compression", "level"])]
    pub referrers: bool,
}

/// `dockline pull`.
#[derive(Debug, Args)]
pub struct Pull {
    /// REGISTRY/REPOSITORY[:TAG]; the port may be left out
    pub reference: String,
    /// Write an archive here instead
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// How the archive is written: oci, or docker (as docker save does) [default: oci]
    #[arg(long, value_name = "FORMAT", value_parser = words(FORMATS), requires = "output")]
    pub format: Option<ArchiveFormat>,
    /// Which image of several: linux/arm64 [default: this machine's]
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "all_platforms")]
    pub platform: Option<String>,
    /// The images of all platforms, with their attestations
    #[arg(long, requires = "output")]
    pub all_platforms: bool,
    /// What refers to the image, too: signatures (cosign), SBOMs, attestations
    #[arg(long, requires = "output")]
    pub referrers: bool,
}

/// `dockline copy`.
#[derive(Debug, Args)]
pub struct Copy {
    /// REGISTRY/REPOSITORY[:TAG]
    pub from: String,
    /// REGISTRY, or REGISTRY/REPOSITORY[:TAG]
    #[arg(required_unless_present = "to")]
    pub target: Option<String>,
    /// To this registry as well; once for each
    #[arg(long, value_name = "TARGET")]
    pub to: Vec<String>,
    /// To all hosts of each registry, each with its own result, instead of the preferred one alone
    #[arg(long)]
    pub replicas: bool,
    /// The images of all platforms, with their attestations
    #[arg(long)]
    pub all_platforms: bool,
    /// What refers to the image, too: signatures (cosign), SBOMs, attestations
    #[arg(long)]
    pub referrers: bool,
}

/// The words that clap offers, refuses others than, and completes in shells, and what each stands for.
fn words<T: Clone + Send + Sync + 'static>(
    known: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(known.iter().map(|(word, _)| *word)).try_map(move |word| {
        known
            .iter()
            .find(|(known, _)| **known == word)
            .map(|(_, value)| value.clone())
            .ok_or(UnknownWord(word))
    })
}

/// A word that is none of those offered, which clap has ruled out before.
#[derive(Debug, thiserror::Error)]
#[error("“{0}” is not known")]
struct UnknownWord(String);

const FORMATS: &[(&str, ArchiveFormat)] = &[("oci", ArchiveFormat::Oci), ("docker", ArchiveFormat::Docker)];
const ROADS: &[(&str, Road)] = &[("engine", Road::Engine), ("direct", Road::Direct)];
const COMPRESSIONS: &[(&str, Compression)] =
    &[("gzip", Compression::Gzip), ("zstd", Compression::Zstd), ("none", Compression::None)];

/// `dockline offer`.
#[derive(Debug, Args)]
pub struct Offer {
    /// To whom: [user@]host[:port], or a Host of ~/.ssh/config
    #[arg(value_name = "DESTINATION")]
    pub host: SshTarget,
    /// The port on the host
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Where the registry is, seen from this machine
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = OfferSpec::DEFAULT_TO, value_parser = OfferSpec::parse_to)]
    pub to: SocketAddr,
    /// A private key file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Jump hosts, nearest first, as ssh -J takes them
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub jump: Option<String>,
    /// Write it into the configuration: it is offered whenever the desktop app or the agent runs
    #[arg(long)]
    pub keep: bool,
    /// Take it back, out of the configuration, too
    #[arg(long, conflicts_with_all = ["keep", "to"])]
    pub withdraw: bool,
}

/// `dockline ship`.
#[derive(Debug, Args)]
pub struct Ship {
    /// An image of Docker's or Podman's
    pub image: String,
    /// To whom: [user@]host[:port], or a Host of ~/.ssh/config; several at once
    #[arg(value_name = "DESTINATION", required = true)]
    pub hosts: Vec<SshTarget>,
    /// What it is to be called there [default: as here]
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// A private key file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Jump hosts, nearest first, as ssh -J takes them
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub jump: Option<String>,
}

/// `dockline hosts`.
#[derive(Debug, Args)]
pub struct Hosts {
    /// Show the change and make none
    #[arg(long, conflicts_with_all = ["apply", "yes"])]
    pub plan: bool,
    /// Make it (the default on a terminal, after asking)
    #[arg(long)]
    pub apply: bool,
    /// Take Dockline's lines out again
    #[arg(long, conflicts_with = "apply")]
    pub undo: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `dockline setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// Only this registry; all of them otherwise
    pub registry: Option<RegistryName>,
    /// Show what would change and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub plan: bool,
    /// Take everything back, or one change: its id (hosts, daemon-json:native) or its file
    #[arg(long, value_name = "CHANGE", num_args = 0..=1)]
    pub undo: Option<Option<String>>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// The registry speaks TLS with a certificate of this authority (a PEM file)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "registry")]
    pub ca: Option<PathBuf>,
}

/// `dockline agent`.
#[derive(Debug, Args)]
pub struct Agent {
    /// End the one that runs (also the desktop app)
    #[arg(long)]
    pub stop: bool,
    /// With --stop: interrupt transfers and connections
    #[arg(long, requires = "stop")]
    pub force: bool,
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
            Code::Internal,
            Code::Cancelled,
        ] {
            let row = format!("\n{:>5}  ", code.exit_status());
            assert!(EXIT_CODES.contains(&row), "{code:?} has no row");
        }
    }
}
