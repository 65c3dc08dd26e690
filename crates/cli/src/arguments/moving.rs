//! What the commands that move images take: `push`, `pull`, `copy`, `offer`, `ship`, and `transfers` for those on the way.

use clap::{
    Args, Subcommand, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};
use dockline_model::{ArchiveFormat, Compression, OfferSpec, Road, SshTarget};
use std::{net::SocketAddr, path::PathBuf};

/// `dockline push`.
#[derive(Debug, Args)]
#[command(after_help = with_pipes("\
Examples:
  dockline push app:v1 cr.boss.org               an engine's image
  dockline push app:v1 cr.boss.org/team/app:v2   under another name
  dockline push cr.boss.org:5000/app:v1          an image that is named for it
  dockline push app.tar cr.boss.org              an archive; needs no engine
  dockline push app:v1 cr.boss.org --all-platforms
  dockline push ./layout cr.boss.org/app:v1      the folder of an OCI layout
  docker save app:v1 | dockline push - cr.boss.org

Archives are those of docker save, and OCI layouts, which may be folders."))]
pub struct Push {
    /// An image (app:v1), an archive that ends in .tar, .tar.gz, .tgz or .tar.zst, a folder (./layout), or - for an archive
    /// on standard input
    pub image: String,
    /// REGISTRY, or REGISTRY/REPOSITORY[:TAG]; may be left out if it is clear
    pub target: Option<String>,
    /// IMAGE is an archive or a folder, whatever it is called
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
    /// The images of all platforms, with their attestations, as the archive or the engine has them; their digests stay
    #[arg(long, conflicts_with_all = ["compression", "level"])]
    pub all_platforms: bool,
    /// Of an archive, what refers to the image, too: signatures (cosign), SBOMs, attestations
    #[arg(long, conflicts_with_all = ["compression", "level"])]
    pub referrers: bool,
}

/// `dockline pull`.
#[derive(Debug, Args)]
#[command(after_help = with_pipes("\
Examples:
  dockline pull cr.boss.org/app:v1
  dockline pull cr.boss.org/app:v1 --output app.tar   a file; needs no engine
  dockline pull cr.boss.org/app:v1 -o - | docker load
  dockline pull cr.boss.org/app:v1 -o app.tar --platform linux/arm64
  dockline pull cr.boss.org/app:v1 -o app.tar --all-platforms --referrers
  dockline pull cr.boss.org/app:v1 --direct           Dockline fetches it

What a killed pull into a file, or one with --direct, had got is not fetched again by the next."))]
pub struct Pull {
    /// REGISTRY/REPOSITORY[:TAG]; the port may be left out
    pub reference: String,
    /// Write an archive here instead; - for standard output
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// How the archive is written: oci, or docker (as docker save does) [default: oci]
    #[arg(long, value_name = "FORMAT", value_parser = words(FORMATS), requires = "output")]
    pub format: Option<ArchiveFormat>,
    /// Which image of several: linux/arm64 [default: this machine's]
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "all_platforms")]
    pub platform: Option<String>,
    /// Who fetches the image: the engine, or Dockline itself, which then hands all of it to the engine [default: the
    /// engine, unless it cannot reach the registry; a file is always written by Dockline]
    #[arg(long, value_name = "ROAD", value_parser = words(ROADS))]
    pub road: Option<Road>,
    /// The same as --road engine
    #[arg(long, conflicts_with_all = ["road", "direct", "output"])]
    pub engine: bool,
    /// The same as --road direct
    #[arg(long, conflicts_with = "road")]
    pub direct: bool,
    /// The images of all platforms, with their attestations
    #[arg(long, requires = "output")]
    pub all_platforms: bool,
    /// What refers to the image, too: signatures (cosign), SBOMs, attestations
    #[arg(long, requires = "output")]
    pub referrers: bool,
}

/// `dockline copy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline copy cr.boss.org/app:v1 cr.other.org
  dockline copy cr.boss.org/app:v1 cr.other.org/team/app:v2 --all-platforms
  dockline copy cr.boss.org/app:v1 cr.other.org --platform linux/arm64
  dockline copy cr.boss.org/app:v1 --to a.example.org --to b.example.org

Layers go from one tunnel into the other and are written nowhere in between; only what is missing travels.")]
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
    /// Which image of several: linux/arm64 [default: this machine's]
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "all_platforms")]
    pub platform: Option<String>,
    /// The images of all platforms, with their attestations
    #[arg(long)]
    pub all_platforms: bool,
    /// What refers to the image, too: signatures (cosign), SBOMs, attestations
    #[arg(long)]
    pub referrers: bool,
}

/// `dockline offer`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline offer root@prod.boss.org           its localhost:5000 is ours
  dockline offer prod --port 5001             at another port there
  dockline offer prod --to 127.77.31.7:5000   what a tunnel here leads to
  dockline offer prod --keep                  while the app or the agent runs
  dockline offer prod --withdraw              not any more

The other direction of a tunnel, as ssh -R has it: images are pulled on the host from a registry that runs here. \
The port is open to everybody on that host, and to nobody else, for as long as this command runs; with --keep, \
whenever the desktop app or the agent does.")]
pub struct Offer {
    /// The host: [user@]host[:port], or a Host of ~/.ssh/config
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
#[command(after_help = "\
Examples:
  dockline ship app:v1 deploy@prod             its Docker has app:v1 then
  dockline ship app:v1 a.boss.org b.boss.org   several at once
  dockline ship app:v1 prod --as team/app:v1   under another name there

The host needs Docker 18.09 or later (not rootless, not Podman) and an SSH login that may use it and forward a port. \
Its own Docker pulls what it lacks through the connection, and nothing stays behind but the image. If some of several hosts fail, the exit status is that of the first that did.")]
pub struct Ship {
    /// An image of Docker's or Podman's
    pub image: String,
    /// The host: [user@]host[:port], or a Host of ~/.ssh/config; several at once
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

/// `dockline transfers`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dockline transfers
  dockline transfers retry 7
  dockline transfers retry --all       everything that failed
  dockline transfers dismiss --all     forget what has ended
  dockline transfers pause --all       halt what runs, hold back what waits")]
pub struct Transfers {
    /// What to do
    #[command(subcommand)]
    pub what: Option<TransfersAction>,
}

/// What `dockline transfers` does with the transfers.
#[derive(Debug, Subcommand)]
pub enum TransfersAction {
    /// Ask again for what failed
    Retry(TransferWhich),
    /// Forget what has ended
    Dismiss(TransferWhich),
    /// Halt; what was sent is kept where that can be
    Pause(TransferWhich),
    /// Resume
    Resume(TransferWhich),
}

/// One transfer, or all.
#[derive(Debug, Args)]
pub struct TransferWhich {
    /// The transfer's number
    #[arg(conflicts_with = "all")]
    pub transfer: Option<u64>,
    /// All of them
    #[arg(long)]
    pub all: bool,
}

/// What shells do to pipes stands under examples of them.
fn with_pipes(help: &str) -> String {
    match cfg!(windows) {
        true => format!(
            "{help}\n\nWindows PowerShell before 7.4 changes what goes through a pipe: use files there, with \
             docker save --output and docker load --input."
        ),
        false => help.to_owned(),
    }
}

const FORMATS: &[(&str, ArchiveFormat)] = &[("oci", ArchiveFormat::Oci), ("docker", ArchiveFormat::Docker)];
const ROADS: &[(&str, Road)] = &[("engine", Road::Engine), ("direct", Road::Direct)];
const COMPRESSIONS: &[(&str, Compression)] =
    &[("gzip", Compression::Gzip), ("zstd", Compression::Zstd), ("none", Compression::None)];

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
