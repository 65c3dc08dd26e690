//! Has the host pull the goods, again where the way breaks meanwhile.

use super::{
    Ship,
    again::{self, since},
    crew::{Crew, dismiss},
    former,
    goods::Opening,
    there::There,
    words::told_there,
};
use crate::{controller::run::TRIES, files::blocking};
use dockline_engine::PullOptions;
use dockline_model::{Code, OfferView, TransferState, UiError};
use dockline_registry::{Reference, RegistryError, SHELF_USER, ShelfLayers};
use dockline_tunnel::Offer;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;

/// Why the host has not got the goods.
pub(super) enum Undelivered {
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
    /// Has the host pull the goods; the image's id there.
    pub(super) async fn delivered(
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

    /// Has the Docker there pull it, name it and forget the name it was pulled by; its id there.
    async fn pulled(&self, offer: &Offer, crew: Crew, password: SecretString) -> Result<String, UiError> {
        let options = PullOptions { platform: None, login: Some((SHELF_USER.to_owned(), password)) };
        let reference = self.freight.reference.to_string();
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
                let (engine, watching, temporary) = crew.watched(offer).await?;
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
            // The shelf stays as it is; so does what the host has got of it.
            if tries == TRIES || !again::is_lost(offer, session).await {
                return Err(again::why(offer, error));
            }
            tracing::info!(transfer = self.shipping.id.0, tries, code = ?error.code, "shipping again");
            self.say(TransferState::Waiting);
            again::restored(offer, tries).await;
            tries += 1;
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
}
