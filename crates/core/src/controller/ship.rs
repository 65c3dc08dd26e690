//! An image straight into the Docker of a host that has no registry: the image is put on a shelf here, the host is
//! offered it over SSH, and its own Docker pulls what it lacks.
//!
//! The API of the Docker there is spoken through `docker system dial-stdio`, which every client since 18.09 has and
//! which goes wherever `docker` goes there: another socket, a context, rootless. A second program waits there for the
//! connection's end and then removes the name that the image has for the length of the pull; so nothing is left behind
//! when this side is killed.

mod crew;
mod export;
mod former;
mod goods;
mod there;
mod way;
mod words;

pub(super) use export::clean;

use super::{
    Mailbox, Message,
    engine::Engines,
    figures::Figures,
    prompts::Asker,
    run::{TRIES, cancelled},
    traces::Traces,
};
use crate::files::{blocking, task_failed};
use crew::{Crew, Speaker, dismiss};
use dockline_engine::{EngineError, PullOptions};
use dockline_model::{
    Code, OfferId, OfferSpec, OfferState, OfferView, RegistryName, SshTarget, TransferId, TransferState,
    UiError, UnixMillis, Verified,
};
use dockline_registry::{Records, Reference, RegistryError, SHELF_IMAGE, SHELF_USER, ShelfLayers};
use dockline_tunnel::{Offer, OfferConfig, SshEnvironment};
use goods::{Goods, Opening};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use there::There;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use way::Way;
pub(super) use words::check_name;
use words::told_there;

/// Ports that no system gives to connections by itself (Linux: 32768 to 60999; IANA: 49152 and above).
const PORTS: RangeInclusive<u16> = 61_000..=u16::MAX;
/// How long a session that is gone may take to be noticed after a program at its end has failed.
const NOTICED: Duration = Duration::from_secs(2);

/// What shipping needs of its surroundings.
pub(super) struct Shipping {
    pub(super) id: TransferId,
    /// Whom questions name.
    pub(super) name: RegistryName,
    pub(super) ssh: SshEnvironment,
    pub(super) asker: Arc<Asker>,
    /// Where archives and packed layers are for as long as they are on their way, and what is known of hosts.
    pub(super) folder: PathBuf,
    pub(super) figures: Arc<Figures>,
    /// What layers were packed to before.
    pub(super) records: Arc<Records>,
    pub(super) cancel: CancellationToken,
    pub(super) mailbox: Mailbox,
    pub(super) engines: Engines,
    pub(super) traces: Traces,
}

/// What is to be shipped, and where to.
#[derive(Debug, Clone)]
pub(super) struct Freight {
    pub(super) image: String,
    pub(super) host: SshTarget,
    /// What it is to be called there.
    pub(super) reference: Reference,
}

/// Ships it; what was made on the way is gone when this returns.
pub(super) async fn run(shipping: Shipping, freight: Freight) -> Result<Verified, UiError> {
    let cancel = shipping.cancel.clone();
    let mut ship = Ship { shipping, freight, offer: None, goods: None };
    let result = tokio::select! {
        result = ship.sail() => result,
        () = cancel.cancelled() => Err(cancelled()),
    };
    let Ship { offer, goods, .. } = ship;
    let stopped = async {
        if let Some(offer) = offer {
            offer.stop().await;
        }
    };
    let removed = async {
        if let Some(goods) = goods {
            goods.put_away().await;
        }
    };
    tokio::join!(stopped, removed);
    result
}

struct Ship {
    shipping: Shipping,
    freight: Freight,
    offer: Option<Offer>,
    goods: Option<Goods>,
}

/// Why the host has not got the goods.
enum Undelivered {
    /// For a reason that is not the goods'.
    Failed(UiError),
    /// They cannot be read, or are not what they should be.
    Damaged(UiError),
    /// A layer is packed to other bytes than was remembered, which is forgotten now.
    Outdated,
}

impl From<UiError> for Undelivered {
    fn from(error: UiError) -> Self {
        Self::Failed(error)
    }
}

impl Ship {
    async fn sail(&mut self) -> Result<Verified, UiError> {
        let here = self.shipping.engines.find().map_err(told)?;
        let parts = here.parts(&self.freight.image).await.map_err(told)?;
        self.say(TransferState::Waiting);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(nowhere)?;
        let to = listener.local_addr().map_err(nowhere)?;
        let (image, folder) = (self.freight.image.clone(), self.shipping.folder.clone());
        let note = way::note(&folder, &self.freight.host);
        let known = way::noted(&note).await;
        let traces = self.shipping.traces.clone();
        let begin = || {
            let (here, parts) = (here.clone(), parts.clone());
            let (image, folder, traces) = (image.clone(), folder.clone(), traces.clone());
            // An export keeps the engine busy for seconds, which makes a way that is measured meanwhile look slow; looking into
            // its store takes a tenth of one.
            let may_export = known.is_some();
            AbortOnDropHandle::new(tokio::spawn(async move {
                match Goods::open(&here, &parts, &traces).await {
                    None if may_export => Goods::export(here, image, folder).await.map(Some),
                    opened => Ok(opened),
                }
            }))
        };
        // The way to the host is opened while the engine prepares the image. What was shipped there before is there, most
        // likely, and nothing has to be prepared.
        let early = (!way::was_shipped(&note, &parts.id).await).then(begin);
        let offer = self.offered(to).await?;
        let crew = self.crew(&offer)?;
        let way = Way::begin(known, &offer);
        let there = self.docker(&offer, &crew.speaker.engine).await?;
        if let Some(held) = self.held(&crew.speaker.engine, &parts).await {
            self.fits((&parts.os, &parts.architecture), &there)?;
            drop(early);
            let id = self.already(&crew.speaker.engine, &parts, &held).await?;
            way::note_shipped(&note, &parts.id).await;
            return Ok(Verified { digest: id, at_registry: true });
        }
        let packing = way.packing(&note).await;
        let goods = early.unwrap_or_else(begin);
        tracing::info!(?packing, "the way to the host is open");
        self.say(TransferState::Running);
        let goods = match goods.await.map_err(|error| task_failed(&error))?? {
            Some(goods) => goods,
            None => Goods::export(here.clone(), image.clone(), folder.clone()).await?,
        };
        tracing::info!(is_stored = goods.is_stored(), "the image is at hand");
        self.goods = Some(goods);
        let (mut listener, mut crew) = (listener, crew);
        let mut was_outdated = false;
        let id = loop {
            let is_stored = self.goods.as_ref().is_some_and(Goods::is_stored);
            match self.delivered(&offer, (crew, listener), &there, packing).await {
                Ok(id) => break id,
                Err(Undelivered::Outdated) if !was_outdated => {
                    tracing::warn!("layers are packed otherwise than they once were: the image is sent anew");
                    was_outdated = true;
                }
                Err(Undelivered::Damaged(error)) if is_stored => {
                    tracing::warn!(
                        ?error,
                        "the engine's store is not as it should be: the image is exported"
                    );
                    if let Some(goods) = self.goods.take() {
                        goods.put_away().await;
                    }
                    let export = Goods::export(here.clone(), image.clone(), folder.clone());
                    self.goods = Some(export.await?);
                }
                Err(Undelivered::Failed(error) | Undelivered::Damaged(error)) => return Err(error),
                Err(Undelivered::Outdated) => return Err(self.never_the_same()),
            }
            listener = TcpListener::bind(to).await.map_err(nowhere)?;
            crew = self.crew(&offer)?;
        };
        way::note_shipped(&note, &parts.id).await;
        Ok(Verified { digest: id, at_registry: true })
    }

    /// Has the host pull the goods; the image's id there.
    async fn delivered(
        &self,
        offer: &Offer,
        (crew, listener): (Crew, TcpListener),
        there: &There,
        packing: ShelfLayers,
    ) -> Result<String, Undelivered> {
        let Some(goods) = &self.goods else {
            return Err(UiError::new(Code::Internal, "Nothing was there to be shipped.").into());
        };
        let password = SecretString::from(hex::encode(rand::random::<[u8; 32]>()));
        let name = self.freight.image.parse::<Reference>().ok();
        let name = name.as_ref().map_or(("", ""), |name| (name.repository(), name.tag_or_latest()));
        let records = self.shipping.records.clone();
        let folder = self.shipping.folder.as_path();
        // What stands against it is told when something is to be written there.
        drop(tokio::fs::create_dir_all(folder).await);
        let password_there = password.expose_secret();
        let opening = Opening { name, packing, folder, password: password_there, records: records.clone() };
        let shelf = goods.shelf(listener, opening).await;
        blocking(move || records.save()).await?;
        let shelf = shelf.map_err(|error| {
            let is_damaged = matches!(error, RegistryError::Archive(_) | RegistryError::Source { .. });
            let error = UiError::from(&error);
            if is_damaged { Undelivered::Damaged(error) } else { Undelivered::Failed(error) }
        })?;
        if let Some(platform) = shelf.platform() {
            self.fits(platform, there)?;
        }
        tracing::info!("the image is ready to be pulled");
        let pulled = tokio::select! {
            pulled = self.pulled(offer, crew, password) => pulled.map_err(|error| {
                if shelf.is_damaged() { Undelivered::Damaged(error) } else { Undelivered::Failed(error) }
            }),
            // The Docker there would ask for the layer again and again, and each time it would be packed.
            () = shelf.outdated() => Err(Undelivered::Outdated),
        };
        let known = [shelf.config_digest(), shelf.manifest_digest()].map(ToString::to_string);
        // Another one may want its place.
        shelf.close().await;
        let id = pulled?;
        if known.contains(&id) {
            return Ok(id);
        }
        Err(self.somebody_elses(&id, &known[0]).into())
    }

    fn never_the_same(&self) -> UiError {
        let message = format!("A layer of {} is packed to other bytes each time.", self.freight.image);
        UiError::new(Code::Internal, message)
    }

    /// The name there is that of `id`, which is not what was `shipped`.
    fn somebody_elses(&self, id: &str, shipped: &str) -> UiError {
        let message =
            format!("{} has {id} as {}, but {shipped} was shipped.", self.host(), self.freight.reference);
        UiError::new(Code::DigestMismatch, message)
            .hint("Somebody else may have given the same name there meanwhile; try again.")
    }

    fn host(&self) -> &str {
        &self.freight.host.host
    }

    fn say(&self, state: TransferState) {
        self.shipping.mailbox.post(Message::TransferAt { id: self.shipping.id, state });
    }

    /// A port of the host's that leads to `to`.
    async fn offered(&mut self, to: SocketAddr) -> Result<Offer, UiError> {
        let port = rand::random_range(PORTS);
        let config = OfferConfig {
            id: OfferId(0),
            spec: OfferSpec { ssh: self.freight.host.clone(), port, to },
            name: self.shipping.name.clone(),
            ssh: self.shipping.ssh.clone(),
        };
        let offer = Offer::start_at_any(config, PORTS, self.shipping.asker.clone());
        self.offer = Some(offer.clone());
        offer.ready().await?;
        Ok(offer)
    }

    /// An image for another processor would arrive, and never run.
    fn fits(&self, (os, architecture): (&str, &str), there: &There) -> Result<(), UiError> {
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
    async fn pulled(&self, offer: &Offer, crew: Crew, password: SecretString) -> Result<String, UiError> {
        let options = PullOptions { platform: None, login: Some((SHELF_USER.to_owned(), password)) };
        let reference = self.freight.reference.to_string();
        let mut pause = Duration::from_secs(1);
        let mut tries = 1;
        let mut crew = Some(crew);
        let (mut former, mut is_held) = (Vec::new(), false);
        loop {
            let OfferView { state, spec, .. } = offer.view();
            let session = since(&state);
            let mut sweeper = None;
            let outcome = async {
                // The way may have broken, and come back, since they were sent.
                let fresh = crew.take().filter(|crew| crew.is_of(session));
                let crew = match fresh {
                    Some(crew) => crew,
                    None => self.crew(offer)?,
                };
                let (engine, watching, temporary) = crew.watched().await?;
                sweeper = Some(watching);
                let (figures, sent) = (self.shipping.figures.clone(), offer.sent());
                let pulled = engine.pull_with(&temporary, &options, move |layers, current, total| {
                    figures.write(layers, current, total);
                    figures.sent(sent());
                });
                pulled.await.map_err(|error| told_there(self.host(), &self.freight.image, &error))?;
                tracing::info!("the image is pulled");
                self.shipping.figures.sent(offer.sent()());
                self.say(TransferState::Verifying);
                let there = |error| told_there(self.host(), &self.freight.image, &error);
                engine.tag(&temporary, &reference).await.map_err(there)?;
                // One after the other: another connection would be another program there.
                let id = engine.image_id(&reference).await.map_err(there)?;
                if temporary != reference {
                    engine.untag(&temporary).await.map_err(there)?;
                }
                tracing::info!("the image is named");
                Ok::<_, UiError>(id)
            };
            let outcome = outcome.await;
            let error = match outcome {
                Ok(id) => {
                    if let Some(sweeper) = sweeper {
                        dismiss(sweeper).await;
                        tracing::info!("the sweeper is gone");
                    }
                    return Ok(id);
                }
                Err(error) => error,
            };
            // The shelf stays as it is; so does what the host has got of it. The Docker there may be the first to say
            // that the way is gone.
            let mut view = offer.watch();
            let is_ways = timeout(NOTICED, view.wait_for(|view| since(&view.state) != session)).await.is_ok();
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
            // Whoever has the port that was left is the host, most likely, for a session that it has not missed.
            let has_moved = offer.view().spec.port != spec.port;
            if let Some(sweeper) = sweeper {
                let session = former::of(sweeper).await;
                // One that the host has missed need not have told.
                if session.is_some() || has_moved {
                    former.push(session);
                }
            }
            is_held |= has_moved;
            if is_held {
                self.end_former(offer, &mut former).await?;
            }
            self.say(TransferState::Running);
        }
    }

    fn crew(&self, offer: &Offer) -> Result<Crew, UiError> {
        // Before the port is looked at: of a session that comes up in between, that may be another one.
        let speaker = Speaker::begin(self.host(), offer)?;
        let repository = format!("127.0.0.1:{}/{}", offer.view().spec.port, SHELF_IMAGE.0);
        // A name of its own for each: the sweeper of a lost session looks for its name for some seconds.
        let temporary = format!("{repository}:{}-{:08x}", SHELF_IMAGE.1, rand::random::<u32>());
        Ok(Crew::of(speaker, offer, temporary))
    }
}

/// When the present session came up.
const fn since(offer: &OfferState) -> Option<UnixMillis> {
    match *offer {
        OfferState::Offering { since } => Some(since),
        OfferState::Connecting | OfferState::Reconnecting { .. } | OfferState::Failed { .. } => None,
    }
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
