//! An image straight into the Docker of a host that has no registry: the image is put on a shelf here, the host is
//! offered it over SSH, and its own Docker pulls what it lacks.
//!
//! The API of the Docker there is spoken through `docker system dial-stdio`, which every client since 18.09 has and
//! which goes wherever `docker` goes there: another socket, a context, rootless. A second program waits there for the
//! connection's end and then removes the name that the image has for the length of the pull; so nothing is left behind
//! when this side is killed.

mod again;
mod crew;
mod delivery;
mod export;
mod former;
mod goods;
mod there;
mod way;
mod words;

pub(super) use export::clean;

use super::{
    Mailbox, Message, engine::Engines, figures::Figures, prompts::Asker, run::cancelled, traces::Traces,
};
use crate::files::task_failed;
use crew::{Crew, Speaker};
use delivery::Undelivered;
use dockline_engine::EngineError;
use dockline_model::{
    Code, OfferId, OfferSpec, RegistryName, SshTarget, TransferId, TransferState, UiError, Verified,
};
use dockline_registry::{Records, Reference, SHELF_IMAGE};
use dockline_tunnel::{Offer, OfferConfig, SshEnvironment};
use goods::Goods;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
};
use there::There;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
pub(super) use words::check_name;

/// Ports that no system gives to connections by itself (Linux: 32768 to 60999; IANA: 49152 and above).
const PORTS: RangeInclusive<u16> = 61_000..=u16::MAX;
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
        let (crew, way, there) = self.met(&offer, known).await?;
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

    fn crew(&self, offer: &Offer) -> Result<Crew, UiError> {
        // Before the port is looked at: of a session that comes up in between, that may be another one.
        let speaker = Speaker::begin(self.host(), offer)?;
        let repository = format!("127.0.0.1:{}/{}", offer.view().spec.port, SHELF_IMAGE.0);
        // A name of its own for each: the sweeper of a lost session looks for its name for some seconds.
        let temporary = format!("{repository}:{}-{:08x}", SHELF_IMAGE.1, rand::random::<u32>());
        Ok(Crew::of(speaker, offer, temporary))
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
