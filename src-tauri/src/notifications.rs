//! What the person is told when they are looking elsewhere.

use dockline_model::{Snapshot, TransferKind, TransferState, TransferView, TunnelState};

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The bold line.
    pub title: String,
    /// The sentence below it; a failure comes with what to do about it.
    pub body: String,
    /// Whether something went wrong.
    pub failure: bool,
}

/// What ended between two states: pushes and pulls, well or badly, and tunnels that a person has to mend. A
/// transfer the person cancelled is no news to them.
#[must_use]
pub fn notifications_for(before: &Snapshot, after: &Snapshot) -> Vec<Notice> {
    let ended = after.transfers.iter().filter_map(|transfer| {
        let was = before.transfers.iter().find(|old| old.id == transfer.id)?;
        if was.state.is_final() { None } else { transfer_notice(transfer) }
    });
    let failed = after.registries.iter().filter_map(|registry| {
        let name = &registry.spec.name;
        let was = before.registries.iter().find(|old| old.spec.name == *name)?;
        match (&was.tunnel.state, &registry.tunnel.state) {
            (TunnelState::Failed { .. }, _) => None,
            (_, TunnelState::Failed { error }) => Some(Notice {
                title: format!("No tunnel to {name}"),
                body: said(&error.message, error.hint.as_deref()),
                failure: true,
            }),
            (_, _) => None,
        }
    });
    failed.chain(ended).collect()
}

fn transfer_notice(transfer: &TransferView) -> Option<Notice> {
    let (done, verb) = match transfer.kind {
        TransferKind::Push => ("Pushed", "pushed"),
        TransferKind::Pull => ("Pulled", "pulled"),
        TransferKind::Ship => ("Shipped", "shipped"),
        TransferKind::Copy => ("Copied", "copied"),
    };
    let source = &transfer.source;
    match &transfer.state {
        TransferState::Done { verified } => Some(Notice {
            title: format!("{done} {source}"),
            body: if verified.at_registry {
                format!("{}\nThe registry has the same digest.", transfer.reference)
            } else {
                transfer.reference.clone()
            },
            failure: false,
        }),
        TransferState::Failed { error } => Some(Notice {
            title: format!("{source} was not {verb}"),
            body: said(&error.message, error.hint.as_deref()),
            failure: true,
        }),
        TransferState::Waiting
        | TransferState::Paused
        | TransferState::Running
        | TransferState::Verifying
        | TransferState::Cancelled => None,
    }
}

fn said(message: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{message}\n{hint}"),
        None => message.to_owned(),
    }
}

/// Shows notices. A desktop that has nowhere to show them is no failure: the window and the tray say the same.
pub async fn show(notices: Vec<Notice>) {
    // notify-rust waits for the desktop's answer, and has no way to do so without blocking that every platform has.
    let shown = tokio::task::spawn_blocking(move || {
        for notice in notices {
            let mut notification = notify_rust::Notification::new();
            notification
                .appname("Dockline")
                .summary(&notice.title)
                .body(&escaped(&notice.body))
                .icon(if notice.failure { FAILURE_ICON } else { ICON });
            if let Err(error) = notification.show() {
                tracing::debug!(%error, "the desktop shows no notifications");
            }
        }
    });
    if let Err(error) = shown.await {
        tracing::warn!(%error, "notifications stopped");
    }
}

/// The icon's name in the theme, as the packages install it.
const ICON: &str = "dockline-desktop";

/// A name that every icon theme has (Icon Naming Specification).
const FAILURE_ICON: &str = "dialog-error";

/// The body may hold markup (Desktop Notifications Specification, "Markup"): an engine's own words must not.
fn escaped(text: &str) -> String {
    if cfg!(all(unix, not(target_os = "macos"))) {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{registry, snapshot, transfer};
    use dockline_model::{Code, UiError, UnixMillis, Verified};

    fn with(state: TransferState) -> Snapshot {
        Snapshot { transfers: vec![transfer(1, state)], ..snapshot() }
    }

    fn error() -> UiError {
        UiError::new(Code::RegistryDiskFull, "The registry's disk is full.").hint("Make room there.")
    }

    #[test]
    fn a_push_that_ends_is_told_once() {
        let verified = Verified { digest: "sha256:0".to_owned(), at_registry: true };
        let (running, done) = (with(TransferState::Running), with(TransferState::Done { verified }));
        let notices = notifications_for(&running, &done);
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].title, "Pushed app:v1");
        assert!(notices[0].body.starts_with("cr.boss.org:5000/app:v1\n") && !notices[0].failure);
        assert!(notifications_for(&done, &done).is_empty());
        assert!(notifications_for(&snapshot(), &done).is_empty(), "it ended before we looked");
    }

    #[test]
    fn a_failure_comes_with_what_to_do() {
        let failed = with(TransferState::Failed { error: error() });
        let notices = notifications_for(&with(TransferState::Verifying), &failed);
        assert_eq!(notices[0].title, "app:v1 was not pushed");
        assert_eq!(notices[0].body, "The registry's disk is full.\nMake room there.");
        assert!(notices[0].failure);
        assert!(notifications_for(&with(TransferState::Running), &with(TransferState::Cancelled)).is_empty());
    }

    #[test]
    fn a_tunnel_is_news_when_it_fails_and_not_while_it_stays_so() {
        let state = |tunnel| Snapshot { registries: vec![registry("cr.boss.org", tunnel)], ..snapshot() };
        let up = state(TunnelState::Up { since: UnixMillis(0) });
        let failed = state(TunnelState::Failed { error: error() });
        assert_eq!(notifications_for(&up, &failed)[0].title, "No tunnel to cr.boss.org");
        assert!(notifications_for(&failed, &failed).is_empty());
        assert!(notifications_for(&failed, &up).is_empty());
    }

    #[test]
    fn words_of_others_are_not_markup() {
        if cfg!(target_os = "linux") {
            assert_eq!(escaped("<a href=x>&"), "&lt;a href=x&gt;&amp;");
        }
    }
}
