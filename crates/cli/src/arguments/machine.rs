//! What the commands about this machine take (`setup`, `hosts`, `doctor`, `settings`, `agent`), and those about the program
//! itself (`demo`, `completions`).

use clap::{Args, Subcommand, ValueHint};
use clap_complete::Shell;
use dockline_model::{RegistryName, RemoteEnd, SshTarget};
use std::path::PathBuf;

/// `dockline setup`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline setup                      shows, asks, does it, has the engine try
  dockline setup --plan               shows it and changes nothing
  dockline setup cr.boss.org --yes    only for this registry, without asking
  dockline setup --undo               takes everything back
  dockline setup --undo /etc/hosts    takes one change back
  dockline setup cr.boss.org --undo   takes back what was done for it

The engine is the one that docker in this shell talks to. An administrator's rights are asked for once, when \
the changes are made and not before. Where there is nobody to ask (no terminal), the plan is shown and nothing is \
changed, with exit status 11; --yes has it done without a question.

Exit status 7 or 8: the settings are written, but the engine does not reach the registry.")]
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

/// `dockline hosts`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline hosts                shows the change and asks
  dockline hosts --plan         shows it and changes nothing
  dockline hosts --undo         takes all of Dockline's lines out again
  dockline hosts --yes          makes it without asking, for scripts

Programs need the names only if they are to use cr.boss.org:5000 rather than the registry's 127.x address. \
An administrator's rights are asked for when the change is made, not before. Where there is nobody to ask (no terminal), the \
change is shown and not made, with exit status 11; --yes has it made without a question.")]
pub struct Hosts {
    /// Show the change and make none
    #[arg(long, conflicts_with_all = ["apply", "yes"])]
    pub plan: bool,
    /// Make it, after asking (the default)
    #[arg(long)]
    pub apply: bool,
    /// Take Dockline's lines out again
    #[arg(long, conflicts_with = "apply")]
    pub undo: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `dockline doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline doctor                              every registry
  dockline doctor cr.boss.org --round-trip     and sends a tiny blob there
  dockline doctor cr.boss.org --ssh user@host  one that is not configured yet

Every link that does not hold says why and how to fix it; the exit status is that of the first one. With --json the \
report has a text to copy into a question; it holds names of hosts, and no secret.")]
pub struct Doctor {
    /// The registry; all of them otherwise
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
    /// Also send a tiny blob to the registry, and read it back; it stays there, under no name, until the registry's
    /// garbage collection
    #[arg(long)]
    pub round_trip: bool,
}

/// `dockline settings`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline settings
  dockline settings set transfers-per-registry 4
  dockline settings set docker-context colima   or as-docker
  dockline settings set start-at-login on")]
pub struct Settings {
    /// A change
    #[command(subcommand)]
    pub change: Option<SettingsAction>,
}

/// What `dockline settings` does with the settings.
#[derive(Debug, Subcommand)]
pub enum SettingsAction {
    /// Change a setting
    Set(Change),
}

/// One setting and its new value.
#[derive(Debug, Args)]
pub struct Change {
    /// The setting
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
    /// Notify when there is a newer version of Dockline
    NotifyUpdate,
    /// The Docker context whose engine is used, or as-docker
    DockerContext,
    /// How often the app or the agent asks for newer versions: off, daily, weekly
    UpdateCheck,
    /// Who is asked for newer versions: the address of a JSON document, or none
    UpdateUrl,
}

/// `dockline updates`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline settings set update-url https://example.org/dockline.json
  dockline updates                            asks there now
  dockline updates --last                     asks nobody; the last answer
  dockline settings set update-check weekly   the app or the agent asks

The address is that of a JSON document with the texts “version”, “url” (a page about it) and perhaps “notes”, on \
whatever host you or your team keep it. Only https, or http on this machine. Nothing but the request goes out, and \
nothing is downloaded or installed. Exit status 12: no answer, or not such a document.")]
pub struct Updates {
    /// Ask nobody; show the last answer
    #[arg(long)]
    pub last: bool,
}

/// `dockline agent`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline agent          runs until Ctrl-C, SIGTERM or --stop
  dockline agent --stop   ends it

While it runs, any program that connects to a registry's address opens its tunnel, and 10 seconds after \
the last connection is gone the tunnel closes. The desktop app does the same.")]
pub struct Agent {
    /// End the one that runs (also the desktop app)
    #[arg(long)]
    pub stop: bool,
    /// With --stop: interrupt transfers and connections
    #[arg(long, requires = "stop")]
    pub force: bool,
}

/// `dockline demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
An SSH server and an OCI registry are started on loopback with keys made on the spot. Dockline connects, pushes \
a sample image, pulls it back and compares the digests. It needs neither Docker nor root nor a server, and leaves \
nothing behind.")]
pub struct Demo {
    /// In the terminal (the only way this program has; the desktop app's is `dockline-desktop --demo`)
    #[arg(long)]
    pub headless: bool,
}

/// `dockline completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(dockline completions bash)       in ~/.bashrc
  dockline completions zsh > ~/.zfunc/_dockline
  dockline completions fish > ~/.config/fish/completions/dockline.fish")]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}
