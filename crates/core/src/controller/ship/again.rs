//! A way that breaks while something is asked over it: how that is told from what the host itself says no to, and its
//! coming back.

use dockline_model::{OfferState, UiError, UnixMillis};
use dockline_tunnel::Offer;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a session that is gone may take to be noticed after a program at its end has failed.
const NOTICED: Duration = Duration::from_secs(2);
/// Before the second try; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// When the present session came up.
pub(super) const fn since(offer: &OfferState) -> Option<UnixMillis> {
    match *offer {
        OfferState::Offering { since } => Some(since),
        OfferState::Connecting | OfferState::Reconnecting { .. } | OfferState::Failed { .. } => None,
    }
}

/// Whether `session` is lost. The Docker there may be the first to say so, so it is waited for a little.
pub(super) async fn is_lost(offer: &Offer, session: Option<UnixMillis>) -> bool {
    timeout(NOTICED, offer.watch().wait_for(|view| since(&view.state) != session)).await.is_ok()
}

/// Waits until the way is there again, or has failed for good, and no less than is due after so many `tries`.
pub(super) async fn restored(offer: &Offer, tries: u32) {
    sleep(FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1))).await;
    let mut view = offer.watch();
    let settled = view.wait_for(|view| match view.state {
        OfferState::Offering { .. } | OfferState::Failed { .. } => true,
        OfferState::Connecting | OfferState::Reconnecting { .. } => false,
    });
    // It ends with an offer that has failed, which says so at the next try.
    drop(settled.await);
}

/// `error`, or why the way is gone, where it is.
pub(super) fn why(offer: &Offer, error: UiError) -> UiError {
    match offer.view().state {
        OfferState::Failed { error } | OfferState::Reconnecting { error, .. } => error,
        OfferState::Connecting | OfferState::Offering { .. } => error,
    }
}
