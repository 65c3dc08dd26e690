//! An image straight into the Docker of a host that has no registry: the image is put on a shelf here, the host is
//! offered it over SSH, and its own Docker pulls what it lacks.
//!
//! The API of the Docker there is spoken through `docker system dial-stdio`, which every client since 18.09 has and
//! which goes wherever `docker` goes there: another socket, a context, rootless. A second program waits there for the
//! connection's end and then removes the name that the image has for the length of the pull; so nothing is left behind
//! when this side is killed.

use super::{
    Mailbox, Message,
    engine::Engines,
    prompts::Asker,
    run::{Figures, TRIES, cancelled},
};
use crate::controller::blocking;
use dockline_engine::{Cause, Elsewhere, Engine, EngineEndpoint, EngineError, PullOptions};
use dockline_model::{
    Code, OfferId, OfferSpec, OfferState, OfferView, RegistryName, SshTarget, TransferId, TransferState,
    UiError, UnixMillis, Verified,
};
use dockline_registry::{Reference, SHELF_IMAGE, SHELF_USER, Shelf, ShelfLayers};
use dockline_tunnel::{Offer, OfferConfig, Program, SshEnvironment};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::{
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Ports that no system gives to connections by itself (Linux: 32768 to 60999; IANA: 49152 and above).
const FIRST_PORT: u16 = 61_000;
/// How often another port is tried when one is taken.
const PORTS: u32 = 5;
/// Faster than this, packing and unpacking cost more time than they save on the way; bytes a second.
const FAST: u64 = 40 << 20;
/// How long a session that is gone may take to be noticed after a program at its end has failed.
const NOTICED: Duration = Duration::from_secs(2);
/// What is sent to find that out, and how long that may take.
const TRIAL: usize = 8 << 20;
const TRIAL_TIME: Duration = Duration::from_millis(1500);
/// The first bytes only fill the channel's window (OpenSSH's is 2 MiB); what comes then goes as fast as it is read there.
const TRIAL_WINDOW: usize = 3 << 20;
/// The fastest so many of those count: a machine that is busy for a moment makes a way look slow.
const TRIAL_PART: usize = 1 << 20;
/// How long a program there may take to say what it was asked.
const ANSWER: Duration = Duration::from_secs(20);
/// Where `docker` may be that the shell of a login without terminal does not know.
const MORE_PATHS: &str = "PATH=\"$PATH:/usr/local/bin:/opt/homebrew/bin:/snap/bin\"";
/// What an archive on its way is called.
const ARCHIVE: &str = ".tar.part";

/// What shipping needs of its surroundings.
pub(super) struct Shipping {
    pub(super) id: TransferId,
    /// Whom questions name.
    pub(super) name: RegistryName,
    pub(super) ssh: SshEnvironment,
    pub(super) asker: Arc<Asker>,
    /// Where archives are for as long as they are on their way, and what is known of hosts.
    pub(super) folder: PathBuf,
    pub(super) figures: Arc<Figures>,
    pub(super) cancel: CancellationToken,
    pub(super) mailbox: Mailbox,
    pub(super) engines: Engines,
}

/// What is to be shipped, and where to.
#[derive(Debug, Clone)]
pub(super) struct Freight {
    pub(super) image: String,
    pub(super) host: SshTarget,
    /// What it is to be called there.
    pub(super) reference: Reference,
}

/// Removes what a killed owner left in the folder. One that lives holds its file's lock.
pub(super) fn clean(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().ends_with(ARCHIVE)
            && let Ok(file) = std::fs::File::open(entry.path())
            && file.try_lock().is_ok()
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "the archive of an earlier transfer stays: {}", entry.path().display());
        }
    }
}

/// Ships it; what was made on the way is gone when this returns.
pub(super) async fn run(shipping: Shipping, freight: Freight) -> Result<Verified, UiError> {
    let cancel = shipping.cancel.clone();
    let mut ship = Ship { shipping, freight, offer: None };
    let result = tokio::select! {
        result = ship.sail() => result,
        () = cancel.cancelled() => Err(cancelled()),
    };
    if let Some(offer) = ship.offer.take() {
        offer.stop().await;
    }
    result
}

struct Ship {
    shipping: Shipping,
    freight: Freight,
    offer: Option<Offer>,
}

/// The Docker of the host.
struct There {
    os: String,
    architecture: String,
}

impl Ship {
    async fn sail(&mut self) -> Result<Verified, UiError> {
        let here = self.shipping.engines.find().map_err(told)?;
        here.image_id(&self.freight.image).await.map_err(told)?;
        self.say(TransferState::Waiting);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(nowhere)?;
        let to = listener.local_addr().map_err(nowhere)?;
        let image = self.freight.image.clone();
        let (folder, note) = (self.shipping.folder.clone(), self.note());
        let begin =
            || AbortOnDropHandle::new(tokio::spawn(export(here.clone(), image.clone(), folder.clone())));
        // The engine takes seconds to prepare an image; the way to the host is opened meanwhile. Not while that way is
        // measured, though: a machine that is busy with the one makes the other look slow.
        let known = noted(&note).await;
        let early = known.map(|_| begin());
        let offer = self.offered(to).await?;
        let there = self.docker(&offer).await?;
        let packing = match known {
            Some(packing) => packing,
            None => self.packing(&offer, &note).await,
        };
        let export = early.unwrap_or_else(begin);
        tracing::info!(?packing, "the way to the host is open");
        self.say(TransferState::Running);
        let archive = export.await.map_err(|error| {
            UiError::new(Code::Internal, format!("A background task of Dockline failed: {error}."))
        })??;

        tracing::info!("the image is exported");
        let password = SecretString::from(hex::encode(rand::random::<[u8; 32]>()));
        let name = self.freight.image.parse::<Reference>().ok();
        let name = name.as_ref().map_or(("", ""), |name| (name.repository(), name.tag_or_latest()));
        let shelf = Shelf::open(listener, archive.path(), name, packing, password.expose_secret()).await;
        let shelf = shelf.map_err(|error| UiError::from(&error))?;
        self.fits(&shelf, &there)?;
        tracing::info!("the image is ready to be pulled");
        let id = self.pulled(&offer, password).await?;
        let known = [shelf.config_digest(), shelf.manifest_digest()].map(ToString::to_string);
        if !known.contains(&id) {
            return Err(UiError::new(
                Code::DigestMismatch,
                format!(
                    "{} has {id} as {}, but {} was shipped.",
                    self.host(),
                    self.freight.reference,
                    known[0]
                ),
            )
            .hint("Somebody else may have given the same name there meanwhile; try again."));
        }
        Ok(Verified { digest: id, at_registry: true })
    }

    fn host(&self) -> &str {
        &self.freight.host.host
    }

    fn say(&self, state: TransferState) {
        self.shipping.mailbox.post(Message::TransferAt { id: self.shipping.id, state });
    }

    /// A port of the host's that leads to `to`.
    async fn offered(&mut self, to: std::net::SocketAddr) -> Result<Offer, UiError> {
        let mut tries = 1;
        loop {
            let port = rand::random_range(FIRST_PORT..=u16::MAX);
            let config = OfferConfig {
                id: OfferId(0),
                spec: OfferSpec { ssh: self.freight.host.clone(), port, to },
                name: self.shipping.name.clone(),
                ssh: self.shipping.ssh.clone(),
            };
            let offer = Offer::start(config, self.shipping.asker.clone());
            self.offer = Some(offer.clone());
            match offer.ready().await {
                Ok(()) => return Ok(offer),
                Err(error) if error.code == Code::PortInUse && tries < PORTS => tries += 1,
                Err(error) => return Err(error),
            }
            offer.stop().await;
        }
    }

    /// Asks the Docker there what it is.
    async fn docker(&self, offer: &Offer) -> Result<There, UiError> {
        let format = "{{.Server.Os}} {{.Server.Arch}} {{.Server.Version}}";
        let asked = async {
            let program = offer.run(&in_shell(&format!("exec docker version --format \"{format}\""))).await?;
            program.output(4096).await.map_err(|error| lost(self.host(), &error))
        };
        let asked = timeout(ANSWER, asked).await.map_err(|_| {
            UiError::new(Code::TimedOut, format!("Docker on {} did not answer.", self.host()))
                .hint("See there whether `docker version` answers.")
        });
        let (output, end) = asked??;
        let output = String::from_utf8_lossy(&output);
        let words: Vec<&str> = output.split_whitespace().collect();
        match words.as_slice() {
            [os, architecture, version] if end.status == Some(0) => {
                if is_too_old(version) {
                    return Err(UiError::new(
                        Code::EngineFailed,
                        format!("Docker {version} on {} is too old to be shipped to.", self.host()),
                    )
                    .hint("Docker 18.09 or later is needed there."));
                }
                Ok(There { os: (*os).to_owned(), architecture: (*architecture).to_owned() })
            }
            _ => Err(no_docker(&self.freight.host, end.status, &end.complaint)),
        }
    }

    /// Where it is kept what was found out about the way to this host.
    fn note(&self) -> PathBuf {
        self.shipping.folder.join(format!("{}.way", short_hash(&self.freight.host.to_string())))
    }

    /// Whether layers are worth packing on this way. What was found out once stays: a host knows a layer again only by
    /// the same bytes.
    async fn packing(&self, offer: &Offer, note: &Path) -> ShelfLayers {
        let packing = match speed(offer).await {
            Some(speed) if speed >= FAST => ShelfLayers::Plain,
            Some(_) | None => ShelfLayers::Gzip,
        };
        let word = match packing {
            ShelfLayers::Plain => "plain",
            ShelfLayers::Gzip => "gzip",
        };
        let folder = tokio::fs::create_dir_all(&self.shipping.folder).await;
        if let Err(error) = folder.and(tokio::fs::write(note, word).await) {
            tracing::debug!(%error, "how layers are packed for a host is not remembered");
        }
        packing
    }

    /// An image for another processor would arrive, and never run.
    fn fits(&self, shelf: &Shelf, there: &There) -> Result<(), UiError> {
        let Some((os, architecture)) = shelf.platform() else { return Ok(()) };
        let runs = os == there.os
            && (architecture == there.architecture
                || matches!(
                    (architecture, there.architecture.as_str()),
                    ("386", "amd64") | ("arm", "arm64")
                ));
        if runs {
            return Ok(());
        }
        let has = format!("{}/{}", there.os, there.architecture);
        Err(UiError::new(
            Code::EngineFailed,
            format!(
                "{} was built for {os}/{architecture}, and {} is {has}.",
                self.freight.image,
                self.host()
            ),
        )
        .hint(format!("Build it for that platform: docker buildx build --platform {has} …")))
    }

    /// Has the Docker there pull it, name it and forget the name it was pulled by; its id there.
    async fn pulled(&self, offer: &Offer, password: SecretString) -> Result<String, UiError> {
        let (repository, tag) = SHELF_IMAGE;
        let temporary = format!("127.0.0.1:{}/{repository}:{tag}", offer.view().spec.port);
        let connect = offer.clone();
        let engine = Elsewhere::new(self.host(), move || {
            let offer = connect.clone();
            async move {
                let program = offer.run(&in_shell("exec docker system dial-stdio")).await;
                program.map_err(|error| io::Error::other(error.message))
            }
        });
        let engine = Engine::connect(EngineEndpoint::Elsewhere(engine)).map_err(told)?;
        let options = PullOptions { platform: None, login: Some((SHELF_USER.to_owned(), password)) };
        let reference = self.freight.reference.to_string();
        let mut pause = Duration::from_secs(1);
        let mut tries = 1;
        loop {
            let session = since(&offer.view());
            let outcome = async {
                let sweeper = self.sweeper(offer, &temporary).await?;
                let (figures, sent) = (self.shipping.figures.clone(), offer.sent());
                let pulled = engine.pull_with(&temporary, &options, move |layers, current, total| {
                    figures.write(layers, current, total);
                    figures.sent(sent());
                });
                pulled.await.map_err(|error| self.told_there(error))?;
                tracing::info!("the image is pulled");
                self.shipping.figures.sent(offer.sent()());
                self.say(TransferState::Verifying);
                let there = |error| self.told_there(error);
                engine.tag(&temporary, &reference).await.map_err(there)?;
                // Each question is a program of its own there.
                let untag = async {
                    match temporary == reference {
                        true => Ok(false),
                        false => engine.untag(&temporary).await,
                    }
                };
                let (id, _) = tokio::try_join!(engine.image_id(&reference), untag).map_err(there)?;
                tracing::info!("the image is named");
                dismiss(sweeper).await;
                tracing::info!("the sweeper is gone");
                Ok::<_, UiError>(id)
            };
            let error = match outcome.await {
                Ok(id) => return Ok(id),
                Err(error) => error,
            };
            // The shelf stays as it is; so does what the host has got of it. The Docker there may be the first to say
            // that the way is gone.
            let mut view = offer.watch();
            let is_ways = timeout(NOTICED, view.wait_for(|view| since(view) != session)).await.is_ok();
            if tries == TRIES || !is_ways {
                return Err(match offer.view().state {
                    OfferState::Failed { error } | OfferState::Reconnecting { error, .. } => error,
                    OfferState::Connecting | OfferState::Offering { .. } => error,
                });
            }
            tracing::info!(transfer = self.shipping.id.0, tries, code = ?error.code, "shipping again");
            tries += 1;
            self.say(TransferState::Waiting);
            sleep(pause).await;
            pause *= 2;
            let settled = view.wait_for(|view| match view.state {
                OfferState::Offering { .. } | OfferState::Failed { .. } => true,
                OfferState::Connecting | OfferState::Reconnecting { .. } => false,
            });
            // It ends with an offer that has failed, above.
            drop(settled.await);
            self.say(TransferState::Running);
        }
    }

    /// Starts the program that removes the temporary name when the connection ends.
    async fn sweeper(&self, offer: &Offer, temporary: &str) -> Result<Program, UiError> {
        // Without a terminal sshd sends no signal; the end of its input is how it learns. A pull that is being given up
        // may name the image a moment later, so it looks more than once.
        let script = format!(
            "trap \"\" HUP; read -r word; [ \"$word\" = done ] && exit 0; for second in 1 2 3 4 5; do \
             docker rmi {temporary} >/dev/null 2>&1; sleep 1; done"
        );
        offer.run(&in_shell(&script)).await
    }

    /// What the Docker there says, as a sentence about that host.
    fn told_there(&self, error: EngineError) -> UiError {
        let host = self.host();
        let EngineError::Refused { cause, words, .. } = &error else {
            return UiError::new(Code::EngineFailed, format!("Docker on {host} stopped answering."))
                .hint("See there whether it was restarted, and try again.")
                .details(error_chain(&error));
        };
        let ui = |code, message: String, hint: &str| UiError::new(code, message).hint(hint).details(words);
        match cause {
            Cause::EngineDiskFull | Cause::RegistryDiskFull => ui(
                Code::EngineFailed,
                format!("The disk of {host} is full: Docker there could not store the image."),
                "Free some space there (docker image prune), and ship again; layers that arrived are kept.",
            ),
            Cause::NothingListens | Cause::NoRoute | Cause::NoAnswer | Cause::HungUp | Cause::WantsHttps => {
                ui(
                    Code::EngineCannotReach,
                    format!(
                        "Docker on {host} does not get to 127.0.0.1 of that host, where Dockline offers it the image."
                    ),
                    "A rootless Docker, or one in a virtual machine, has a 127.0.0.1 of its own. There, use: \
                 docker save IMAGE | ssh HOST docker load",
                )
            }
            Cause::WrongPlatform => ui(
                Code::EngineFailed,
                format!("{} was built for another platform than that of {host}.", self.freight.image),
                "Build it for that platform as well (`docker buildx build --platform …`).",
            ),
            Cause::NoSuchImage
            | Cause::BadReference
            | Cause::NoSuchReference
            | Cause::LoginNeeded
            | Cause::Denied
            | Cause::ReadOnly
            | Cause::RegistryFailed
            | Cause::NameUnknown
            | Cause::Untrusted
            | Cause::Lost
            | Cause::Unknown => ui(
                Code::EngineFailed,
                format!("Docker on {host} could not take the image."),
                "Its own words are in the details; its log there may say more.",
            ),
        }
    }
}

/// Tells the sweeper that there is nothing to sweep.
async fn dismiss(mut sweeper: Program) {
    let told = async {
        sweeper.write_all(b"done\n").await?;
        sweeper.flush().await?;
        sweeper.ended().await;
        Ok::<_, io::Error>(())
    };
    if !matches!(timeout(ANSWER, told).await, Ok(Ok(()))) {
        tracing::debug!("the program that cleans up on the host looks in vain");
    }
}

/// When the present session came up.
fn since(offer: &OfferView) -> Option<UnixMillis> {
    match offer.state {
        OfferState::Offering { since } => Some(since),
        OfferState::Connecting | OfferState::Reconnecting { .. } | OfferState::Failed { .. } => None,
    }
}

/// What was found out about a way.
async fn noted(note: &Path) -> Option<ShelfLayers> {
    match tokio::fs::read_to_string(note).await.as_deref() {
        Ok("plain") => Some(ShelfLayers::Plain),
        Ok("gzip") => Some(ShelfLayers::Gzip),
        Ok(_) | Err(_) => None,
    }
}

/// `script` for whatever shell the login there has. It must not have a single quote in it.
fn in_shell(script: &str) -> String {
    format!("exec sh -c '{MORE_PATHS}; {script}'")
}

/// Bytes a second to the host.
async fn speed(offer: &Offer) -> Option<u64> {
    // It says when it begins and when all has arrived: a shell's beginning and a session's end take longer than the bytes.
    let script = format!("echo; head -c {TRIAL} >/dev/null; echo");
    let mut program = offer.run(&in_shell(&script)).await.ok()?;
    program.read_u8().await.ok()?;
    let began = Instant::now();
    let (mut sent, mut marks) = (0, Vec::new());
    let all = async {
        let piece = vec![0; 64 << 10];
        while sent < TRIAL {
            program.write_all(&piece).await?;
            sent += piece.len();
            if sent >= TRIAL_WINDOW && sent.is_multiple_of(TRIAL_PART) {
                marks.push(Instant::now());
            }
        }
        program.read_u8().await
    };
    // What is still under way then tells enough.
    drop(timeout(TRIAL_TIME, all).await);
    let in_all = bytes_a_second(sent, began.elapsed());
    let parts = marks.windows(2).map(|mark| bytes_a_second(TRIAL_PART, mark[1] - mark[0]));
    let speed = parts.max().unwrap_or(0).max(in_all);
    tracing::info!(speed, "bytes a second to the host");
    Some(speed)
}

fn bytes_a_second(bytes: usize, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    bytes as u64 * 1_000_000 / micros
}

/// Writes the engine's image into a file that is gone when it is dropped, or when this process is no more and the next
/// owner starts.
async fn export(engine: Engine, image: String, folder: PathBuf) -> Result<tempfile::NamedTempFile, UiError> {
    let failed = |error: io::Error| {
        let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let hint = if is_full {
            "This machine's disk is full; the image needs room here while it is on its way."
        } else {
            "Check the folder's disk and who may write there."
        };
        UiError::new(Code::FileIo, format!("The image could not be written to a temporary file: {error}."))
            .hint(hint)
    };
    let begin = move || {
        std::fs::create_dir_all(&folder)?;
        clean(&folder);
        let file = tempfile::Builder::new().prefix("image-").suffix(ARCHIVE).tempfile_in(&folder)?;
        match file.as_file().lock() {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked?,
        }
        Ok(file)
    };
    let archive = blocking(begin).await?.map_err(failed)?;
    let mut file = tokio::fs::File::from_std(archive.as_file().try_clone().map_err(failed)?);
    let mut export = engine.export(&image).await.map_err(told)?;
    while let Some(bytes) = export.chunk().await.map_err(told)? {
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(archive)
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(u32::MAX)) < (18, 9)
}

/// Why `docker version` said nothing.
fn no_docker(host: &SshTarget, status: Option<u32>, complaint: &str) -> UiError {
    let words = complaint.to_ascii_lowercase();
    let has = |text: &str| words.contains(text);
    let name = &host.host;
    let error = if status == Some(127) || has("not found") {
        UiError::new(Code::EngineUnavailable, format!("There is no Docker on {name}."))
            .hint("Install Docker there, or name a host that has it.")
    } else if has("permission denied") {
        let user = host.user.as_deref().unwrap_or("the user that logs in");
        UiError::new(Code::EnginePermission, format!("On {name}, {user} may not use Docker."))
            .hint("Add that user to the group docker there (usermod -aG docker USER), or log in as another.")
    } else if has("cannot connect") || has("is the docker daemon running") {
        UiError::new(Code::EngineUnavailable, format!("Docker does not run on {name}."))
            .hint("Start it there: systemctl start docker")
    } else {
        UiError::new(Code::EngineFailed, format!("Docker on {name} does not say what it is."))
            .hint("See there whether `docker version` answers.")
    };
    error.details(complaint.trim())
}

fn lost(host: &str, error: &io::Error) -> UiError {
    UiError::new(Code::SshLost, format!("The connection to {host} was lost.")).details(error.to_string())
}

fn nowhere(error: io::Error) -> UiError {
    UiError::new(Code::AddressUnavailable, format!("Dockline cannot listen on 127.0.0.1: {error}."))
}

fn told(error: EngineError) -> UiError {
    UiError::from(&error)
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_docker_is_told_apart() {
        let host: SshTarget = "deploy@prod".parse().unwrap();
        let told = |status, words: &str| no_docker(&host, Some(status), words).code;
        assert_eq!(told(127, "sh: 1: exec: docker: not found\n"), Code::EngineUnavailable);
        let words = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
        assert_eq!(told(1, words), Code::EnginePermission);
        assert!(no_docker(&host, Some(1), words).message.contains("deploy"));
        let words = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        assert_eq!(told(1, words), Code::EngineUnavailable);
        assert_eq!(told(1, ""), Code::EngineFailed);
    }

    #[test]
    fn only_a_docker_without_dial_stdio_is_too_old() {
        for (version, old) in
            [("17.12.1-ce", true), ("18.06.3", true), ("18.09.0", false), ("20.10.24+dfsg1", false)]
        {
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }
}
