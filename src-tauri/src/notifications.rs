//! What the person is told when they are looking elsewhere.

use crate::{choice::Choice, sentences, strings::Tongue, words::Wish};
use dockline_model::{Code, Notices, Snapshot, TransferState, TransferView, TunnelState, UiError};

/// Which of the person's switches ([`Notices`]) a notification is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Done,
    Failed,
    HostKey,
    TunnelLost,
    Update,
}

impl Kind {
    const fn is_wanted(self, notices: Notices) -> bool {
        match self {
            Self::Done => notices.done,
            Self::Failed => notices.failed,
            Self::HostKey => notices.host_key,
            Self::TunnelLost => notices.tunnel_lost,
            Self::Update => notices.update,
        }
    }
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The bold line.
    pub title: String,
    /// The sentence below it; a failure comes with what to do about it.
    pub body: String,
    /// Whether something went wrong.
    pub failure: bool,
    /// What a click on it shows.
    pub shows: Wish,
    /// What its button says and does, where there is a remedy that takes one.
    pub remedy: Option<(&'static str, Choice)>,
    /// What a click on all of it is called.
    pub show: &'static str,
}

/// What ended between two states: pushes and pulls, well or badly, and tunnels that a person has to mend. A
/// transfer the person cancelled is no news to them.
#[must_use]
pub fn notifications_for(before: &Snapshot, after: &Snapshot, tongue: Tongue) -> Vec<Notice> {
    let notices = after.settings.notices;
    let ended = after.transfers.iter().filter_map(|transfer| {
        let was = before.transfers.iter().find(|old| old.id == transfer.id)?;
        if was.state.is_final() { None } else { transfer_notice(transfer, tongue) }
    });
    let failed = after.registries.iter().filter_map(|registry| {
        let name = &registry.spec.name;
        let was = before.registries.iter().find(|old| old.spec.name == *name)?;
        match (&was.tunnel.state, &registry.tunnel.state) {
            (TunnelState::Failed { .. }, _) => None,
            (_, TunnelState::Failed { error }) => {
                let is_key = matches!(error.code, Code::HostKeyChanged | Code::HostKeyRevoked);
                // Another host key is not to be accepted by a click in passing.
                let (kind, title, remedy) = match is_key {
                    true => (Kind::HostKey, tongue.another_host_key(name.as_str()), None),
                    false => {
                        let again = (tongue.connect_again(), Choice::Connect(name.clone()));
                        (Kind::TunnelLost, tongue.no_tunnel(name.as_str()), Some(again))
                    }
                };
                let body = said(error, tongue);
                let show = tongue.show();
                Some((kind, Notice { title, body, failure: true, shows: Wish::Registries, remedy, show }))
            }
            (_, _) => None,
        }
    });
    let all = failed.chain(ended).chain(newer(before, after, tongue));
    all.filter(|(kind, _)| kind.is_wanted(notices)).map(|(_, notice)| notice).collect()
}

/// A version that no answer had named before. Whoever looks for themselves is looking at the window.
fn newer(before: &Snapshot, after: &Snapshot, tongue: Tongue) -> Option<(Kind, Notice)> {
    let (was, last) = (before.updates.last.as_ref(), after.updates.last.as_ref()?);
    let release = last.release.as_ref().filter(|_| last.is_news && was != Some(last))?;
    let notice = Notice {
        title: tongue.newer_version(&release.version),
        body: tongue.newer_version_how().to_owned(),
        failure: false,
        shows: Wish::Settings,
        remedy: None,
        show: tongue.show(),
    };
    Some((Kind::Update, notice))
}

fn transfer_notice(transfer: &TransferView, tongue: Tongue) -> Option<(Kind, Notice)> {
    let (source, shows, show) = (&transfer.source, Wish::Transfers, tongue.show());
    match &transfer.state {
        TransferState::Done { verified } => {
            let body = match verified.at_registry {
                true => format!("{}\n{}", transfer.reference, tongue.same_digest()),
                false => transfer.reference.clone(),
            };
            let title = tongue.done(transfer.kind, source);
            Some((Kind::Done, Notice { title, body, failure: false, shows, remedy: None, show }))
        }
        TransferState::Failed { error } => {
            let body = said(error, tongue);
            let title = tongue.not_done(transfer.kind, source);
            let remedy = Some((tongue.try_again(), Choice::Retry(transfer.id)));
            Some((Kind::Failed, Notice { title, body, failure: true, shows, remedy, show }))
        }
        TransferState::Waiting
        | TransferState::Paused
        | TransferState::Running
        | TransferState::Verifying
        | TransferState::Cancelled => None,
    }
}

/// What happened and, on a line of its own, what to do about it.
fn said(error: &UiError, tongue: Tongue) -> String {
    let message = sentences::message(error, tongue);
    match sentences::hint(error, tongue) {
        Some(hint) => format!("{message}\n{hint}"),
        None => message,
    }
}

/// What a click chooses: on the remedy's button, or on the notification itself.
#[must_use]
pub fn clicked(notice: Notice, on_remedy: bool) -> Choice {
    match notice.remedy {
        Some((_, choice)) if on_remedy => choice,
        Some(_) | None => Choice::Open(Some(notice.shows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{registry, snapshot, transfer};
    use dockline_model::{Asked, Release, UiError, UnixMillis, UpdatesView, Verified};

    fn told_by(before: &Snapshot, after: &Snapshot) -> Vec<Notice> {
        notifications_for(before, after, Tongue::English)
    }

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
        let notices = told_by(&running, &done);
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].title, "Pushed app:v1");
        assert!(notices[0].body.starts_with("cr.boss.org:5000/app:v1\n") && !notices[0].failure);
        assert!(told_by(&done, &done).is_empty());
        assert!(told_by(&snapshot(), &done).is_empty(), "it ended before we looked");
    }

    #[test]
    fn a_failure_comes_with_what_to_do() {
        let failed = with(TransferState::Failed { error: error() });
        let notices = told_by(&with(TransferState::Verifying), &failed);
        assert_eq!(notices[0].title, "app:v1 was not pushed");
        assert_eq!(notices[0].body, "The registry's disk is full.\nMake room there.");
        assert_eq!(notices[0].remedy, Some(("Try again", Choice::Retry(dockline_model::TransferId(1)))));
        assert!(notices[0].failure);
        assert!(told_by(&with(TransferState::Running), &with(TransferState::Cancelled)).is_empty());
    }

    #[test]
    fn a_failure_and_what_to_do_are_said_in_dutch() {
        let error = UiError::new(
            Code::SshHostNotFound,
            "The SSH host prod could not be found: its name does not resolve.",
        )
        .hint("`dockline doctor cr.boss.org` tries the way there.");
        let (running, failed) = (with(TransferState::Running), with(TransferState::Failed { error }));
        let told = notifications_for(&running, &failed, Tongue::Dutch).remove(0);
        assert_eq!(told.title, "app:v1 is niet gepusht");
        assert_eq!(
            told.body,
            "De SSH-host prod is niet te vinden: zijn naam leidt nergens heen.\nDe dokter loopt de weg erheen na."
        );
        let told = told_by(&running, &failed).remove(0);
        assert!(told.body.ends_with("\nThe doctor tries the way there."), "{}", told.body);
    }

    #[test]
    fn a_tunnel_is_news_when_it_fails_and_not_while_it_stays_so() {
        let state = |tunnel| Snapshot { registries: vec![registry("cr.boss.org", tunnel)], ..snapshot() };
        let up = state(TunnelState::Up { since: UnixMillis(0) });
        let failed = state(TunnelState::Failed { error: error() });
        let told = told_by(&up, &failed).remove(0);
        assert_eq!(told.title, "No tunnel to cr.boss.org");
        assert_eq!(told.remedy, Some(("Connect again", Choice::Connect("cr.boss.org".parse().unwrap()))));
        assert!(told_by(&failed, &failed).is_empty());
        assert!(told_by(&failed, &up).is_empty());
    }

    #[test]
    fn a_newer_version_is_told_once() {
        let asked = |at, is_news| {
            let release =
                Release { version: "1.2.0".to_owned(), url: "https://example.org".to_owned(), notes: None };
            let last =
                Asked { at: UnixMillis(at), newest: "1.2.0".to_owned(), release: Some(release), is_news };
            Snapshot { updates: UpdatesView { last: Some(last), ..UpdatesView::default() }, ..snapshot() }
        };
        let mut news = asked(1, true);
        let told = told_by(&snapshot(), &news).remove(0);
        assert_eq!((told.title.as_str(), told.shows), ("Dockline 1.2.0 is available", Wish::Settings));
        assert!(told_by(&news, &news).is_empty());
        assert!(told_by(&news, &asked(2, false)).is_empty());
        assert!(told_by(&snapshot(), &asked(2, false)).is_empty(), "an earlier start has told it");
        news.settings.notices.update = false;
        assert!(told_by(&snapshot(), &news).is_empty());
    }

    #[test]
    fn what_is_switched_off_is_not_shown() {
        let before = with(TransferState::Running);
        let error = UiError::new(Code::SshLost, "The connection was lost.");
        let mut after = with(TransferState::Failed { error });
        assert_eq!(told_by(&before, &after).len(), 1);
        after.settings.notices.failed = false;
        assert!(told_by(&before, &after).is_empty());
        let mut idle = snapshot();
        idle.registries = vec![registry("cr.boss.org", TunnelState::Idle)];
        let mut changed = idle.clone();
        let error = UiError::new(Code::HostKeyChanged, "The key is another one.");
        changed.registries[0].tunnel.state = TunnelState::Failed { error };
        let told = told_by(&idle, &changed).remove(0);
        assert_eq!(told.title, "cr.boss.org shows another host key");
        assert_eq!(told.remedy, None, "a key is not accepted in passing");
        changed.settings.notices.tunnel_lost = false;
        assert_eq!(told_by(&idle, &changed).len(), 1);
        changed.settings.notices.host_key = false;
        assert!(told_by(&idle, &changed).is_empty());
    }
}
