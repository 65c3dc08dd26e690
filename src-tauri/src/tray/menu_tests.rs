//! The menu for each state a person can meet.

use super::{super::entry::LONGEST_NOTE, *};
use crate::fixtures::{lease, offer, registry, snapshot, transfer};
use dockline_model::{
    Asked, Code, ImageView, OfferId, PassedOver, Release, RouteView, TransferId, TransferKind, UiError,
    UnixMillis, Verified,
};

fn entries(state: &Snapshot) -> Vec<MenuEntry> {
    menu(state, true, Tongue::English)
}

fn texts(state: &Snapshot) -> Vec<String> {
    entries(state).iter().map(|entry| entry.text().unwrap_or("-").to_owned()).collect()
}

fn up() -> TunnelState {
    TunnelState::Up { since: UnixMillis(0) }
}

#[test]
fn without_a_registry_the_menu_still_opens_and_quits() {
    assert_eq!(texts(&snapshot()), ["No registry yet", "-", "Open Dockline", "Quit Dockline"]);
}

#[test]
fn setting_up_is_offered_where_there_is_something_to_set_up() {
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", TunnelState::Idle)];
    let (copy, setup) = ("Copy address cr.boss.org:5000", "Make docker push work here…");
    assert_eq!(texts(&state)[1..], ["-", copy, setup, "-", "Open Dockline", "Quit Dockline"]);
}

#[test]
fn each_registry_can_be_connected_or_disconnected() {
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", TunnelState::Idle), registry("b.example", up())];
    state.registries[1].tunnel.leases = vec![lease(LeaseHolder::Manual, None)];
    assert_eq!(
        texts(&state)[..4],
        ["Connect to cr.boss.org", "Disconnect b.example", "    open for you", "-"]
    );
}

#[test]
fn nobody_is_offered_a_connection_where_there_is_no_tunnel() {
    let mut state = snapshot();
    state.registries = vec![registry("nexus.boss.org", TunnelState::Idle)];
    state.registries[0].spec.url = Some(Box::new("https://nexus.boss.org".parse().unwrap()));
    assert_eq!(texts(&state)[0], "nexus.boss.org, without a tunnel");
    assert!(texts(&state).iter().all(|text| !text.starts_with("Connect")));
}

#[test]
fn what_holds_a_tunnel_is_counted_by_kind() {
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", up())];
    state.transfers = vec![transfer(1, TransferState::Running), transfer(2, TransferState::Running)];
    state.transfers[1].kind = TransferKind::Pull;
    let connection = |port| LeaseHolder::Connection { peer: ([127, 0, 0, 1], port).into() };
    state.registries[0].tunnel.leases = vec![
        lease(LeaseHolder::Transfer { id: TransferId(1) }, None),
        lease(LeaseHolder::Transfer { id: TransferId(2) }, None),
        lease(connection(1), Some("dockerd")),
        lease(connection(2), Some("dockerd")),
        lease(connection(3), None),
        lease(LeaseHolder::Face { connection: 4 }, None),
        lease(LeaseHolder::Manual, None),
    ];
    // All of it is more than a menu's line has room for.
    assert!(
        texts(&state)[1]
            .trim()
            .starts_with("open for you, 1 terminal, a program, dockerd, the push of app:v1")
    );
    state.registries[0].tunnel.leases.truncate(2);
    assert_eq!(texts(&state)[1].trim(), "open for the push of app:v1, the pull of app:v1");
    state.transfers[1].kind = TransferKind::Push;
    assert!(texts(&state)[1].ends_with("open for 2 pushes"));
}

#[test]
fn closing_under_others_says_whom_it_cuts_off() {
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", up())];
    let peer = ([127, 0, 0, 1], 40000).into();
    state.registries[0].tunnel.leases = vec![lease(LeaseHolder::Connection { peer }, Some("dockerd"))];
    assert_eq!(
        entries(&state)[0],
        MenuEntry::Action {
            choice: Choice::DisconnectOthers("cr.boss.org".parse().unwrap()),
            text: "Disconnect cr.boss.org (cuts off dockerd)".to_owned()
        }
    );
    state.registries[0].tunnel.leases.push(lease(LeaseHolder::Manual, None));
    assert_eq!(entries(&state)[0].text(), Some("Disconnect cr.boss.org"));
}

#[test]
fn a_failure_is_in_the_menu_and_can_be_tried_again() {
    let mut state = snapshot();
    let error = UiError::new(Code::SshAuth, format!("None of the keys was accepted.\n{}", "x".repeat(200)));
    state.registries = vec![registry("cr.boss.org", TunnelState::Failed { error })];
    let said = texts(&state);
    assert_eq!(said[0], "Connect to cr.boss.org");
    assert!(said[1].starts_with("    None of the keys was accepted. xxx") && said[1].ends_with('…'));
    assert_eq!(said[1].chars().count(), 4 + LONGEST_NOTE);
}

#[test]
fn a_failure_and_a_detour_are_said_in_dutch() {
    let mut state = snapshot();
    let error = UiError::new(Code::SshUnreachable, "88.88.88.88 did not answer on port 22 within 3 s.");
    let failed = registry("a.example", TunnelState::Failed { error: error.clone() });
    let mut detoured = registry("b.example", up());
    detoured.tunnel.route = Some(Box::new(RouteView {
        ssh: "b".parse().unwrap(),
        passed_over: vec![PassedOver { ssh: "a".parse().unwrap(), error: error.clone() }],
    }));
    detoured.tunnel.listener_error = Some(UiError::new(Code::PortInUse, "The moon is full."));
    state.registries = vec![failed, detoured];
    let said: Vec<String> = menu(&state, true, Tongue::Dutch)
        .iter()
        .filter_map(|entry| Some(entry.text()?.trim().to_owned()))
        .collect();
    assert_eq!(said[1], "88.88.88.88 antwoordde niet binnen 3 s op poort 22.");
    assert_eq!(said[4..6], ["via b, want a antwoordt niet", "De poort is bezet. The moon is full."]);
    let alone = menu_without_owner(&error, Tongue::Dutch);
    assert_eq!(alone[0].text().map(str::trim), Some("88.88.88.88 antwoordde niet binnen 3 s op poort 22."));
}

#[test]
fn a_newer_version_is_above_the_way_into_the_window() {
    let mut state = snapshot();
    let release = Release { version: "1.2.0".to_owned(), url: "https://example.org".to_owned(), notes: None };
    state.updates.last =
        Some(Asked { at: UnixMillis(0), newest: "1.2.0".to_owned(), release: Some(release), is_news: false });
    let said = texts(&state);
    let at = said.iter().position(|text| text == "Dockline 1.2.0 is available…").unwrap();
    assert_eq!(said[at + 1], "Open Dockline");
    assert_eq!(entries(&state)[at].choice(), Some(&Choice::Open(Some(Wish::Settings))));
}

#[test]
fn an_offer_says_what_and_to_whom_and_can_be_taken_back() {
    let mut state = snapshot();
    let mut offer = offer(7, OfferState::Offering { since: UnixMillis(0) });
    state.offers.push(offer.clone());
    assert_eq!(
        texts(&state)[..2],
        ["Stop offering to prod.boss.org", "    offering 127.0.0.1:5000 at its port 5001"]
    );
    let MenuEntry::Action { choice, .. } = &entries(&state)[0] else { panic!("{:?}", entries(&state)) };
    assert_eq!(*choice, Choice::Withdraw(OfferId(7)));
    offer.error = Some(Box::new(UiError::new(Code::RegistryUnreachable, "Nothing runs there.")));
    state.offers = vec![offer];
    assert_eq!(texts(&state)[1], "    Nothing runs there.");
}

#[test]
fn a_detour_is_in_the_menu() {
    let mut state = snapshot();
    let mut view = registry("cr.boss.org", up());
    let error = UiError::new(Code::SshUnreachable, "…");
    view.tunnel.route = Some(Box::new(RouteView {
        ssh: "b".parse().unwrap(),
        passed_over: vec![PassedOver { ssh: "a".parse().unwrap(), error }],
    }));
    state.registries.push(view);
    assert_eq!(texts(&state)[2], "    via b, since a does not answer");
}

#[test]
fn running_transfers_show_whole_percent_and_finished_ones_are_gone() {
    let mut state = snapshot();
    let verified = Verified { digest: "sha256:0".to_owned(), at_registry: true };
    state.transfers = vec![
        transfer(1, TransferState::Done { verified }),
        transfer(2, TransferState::Running),
        transfer(3, TransferState::Running),
        transfer(4, TransferState::Waiting),
        transfer(5, TransferState::Verifying),
        transfer(6, TransferState::Running),
    ];
    (state.transfers[2].total, state.transfers[2].share) = (0, None);
    // All of what is known has moved: the share is what counts.
    (state.transfers[5].current, state.transfers[5].total, state.transfers[5].share) = (100, 100, Some(995));
    assert_eq!(
        texts(&state)[2..9],
        [
            "Pushing app:v1: 42 %",
            "Pushing app:v1",
            "Pushing app:v1: waiting",
            "Pushing app:v1: comparing digests",
            "Pushing app:v1: 99 %",
            "Pause all transfers",
            "-"
        ]
    );
}

#[test]
fn percents_change_in_place_and_new_lines_do_not() {
    let place = |one: &[MenuEntry], two: &[MenuEntry]| {
        one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same_place(two))
    };
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", TunnelState::Idle)];
    state.transfers = vec![transfer(1, TransferState::Running)];
    let before = entries(&state);
    state.transfers[0].share = Some(430);
    assert_ne!(before, entries(&state));
    assert!(place(&before, &entries(&state)));
    state.registries[0].tunnel.state = up();
    assert!(!place(&before, &entries(&state)));
}

#[test]
fn a_percentage_stays_when_more_turns_out_to_be_there() {
    let mut state = snapshot();
    state.transfers = vec![transfer(1, TransferState::Running)];
    let before = texts(&state);
    state.transfers[0].total *= 10;
    assert_eq!(texts(&state), before);
}

#[test]
fn what_tells_of_no_bytes_shows_those_that_crossed_the_line() {
    let mut state = snapshot();
    state.transfers = vec![transfer(1, TransferState::Running)];
    (state.transfers[0].current, state.transfers[0].total, state.transfers[0].share) = (0, 0, None);
    let mut shown = |sent| {
        state.transfers[0].sent = sent;
        texts(&state).into_iter().find(|text| text.starts_with("Pushing")).unwrap()
    };
    assert_eq!(shown(999_999), "Pushing app:v1");
    assert_eq!(shown(41_234_567), "Pushing app:v1: 41 MB sent");
}

#[test]
fn what_is_held_back_can_go_on_even_if_nothing_waits() {
    let mut state = snapshot();
    state.paused = true;
    assert!(texts(&state).contains(&"Resume transfers".to_owned()));
    state.transfers = vec![transfer(1, TransferState::Waiting)];
    assert!(!texts(&state).contains(&"Pause all transfers".to_owned()));
}

#[test]
fn only_what_moves_can_be_paused() {
    let mut state = snapshot();
    let is_offered = |state: &Snapshot| texts(state).contains(&"Pause all transfers".to_owned());
    state.transfers = vec![transfer(1, TransferState::Paused)];
    assert!(!is_offered(&state));
    state.transfers.push(transfer(2, TransferState::Waiting));
    assert!(is_offered(&state));
}

#[test]
fn recent_images_can_be_pushed() {
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", TunnelState::Idle)];
    state.engine.images = (0..12)
        .map(|number| ImageView {
            id: format!("sha256:{number}"),
            tags: if number == 1 {
                Vec::new()
            } else {
                vec![format!("app:v{number}"), "also:this".to_owned()]
            },
            size: 1,
            created: UnixMillis(0),
            held_at: Vec::new(),
        })
        .collect();
    let push = |state: &Snapshot| {
        entries(state).into_iter().find(|entry| entry.text().is_some_and(|text| text.starts_with("Push")))
    };
    let one = push(&state).unwrap();
    assert_eq!(one.text(), Some("Push to cr.boss.org"));
    assert_eq!(one.entries().len(), RECENT_IMAGES);
    assert_eq!(
        one.entries()[1],
        MenuEntry::action(
            Choice::Push { image: "app:v2".to_owned(), registry: "cr.boss.org".parse().unwrap() },
            "app:v2"
        ),
        "an image without a name cannot be pushed"
    );
    state.registries.push(registry("b.example", TunnelState::Idle));
    let several = push(&state).unwrap();
    assert_eq!(several.text(), Some("Push"));
    assert_eq!(several.entries()[1].text(), Some("b.example"));
    assert_eq!(several.entries()[1].entries().len(), RECENT_IMAGES);
    state.engine.images.clear();
    assert_eq!(push(&state), None);
}

#[test]
fn addresses_can_be_copied() {
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", TunnelState::Idle)];
    let copy = |state: &Snapshot| {
        entries(state)
            .into_iter()
            .find(|entry| entry.text().is_some_and(|text| text.starts_with("Copy")))
            .unwrap()
    };
    assert_eq!(copy(&state).text(), Some("Copy address cr.boss.org:5000"));
    assert_eq!(copy(&state).choice(), Some(&Choice::CopyAddress("cr.boss.org:5000".to_owned())));
    state.registries.push(registry("b.example", TunnelState::Idle));
    assert_eq!(copy(&state).entries()[1].text(), Some("b.example:5000"));
}

#[test]
fn starting_at_login_is_switched_where_it_can_be() {
    let mut state = snapshot();
    let check =
        |state: &Snapshot| entries(state).into_iter().find(|entry| matches!(entry, MenuEntry::Check { .. }));
    assert_eq!(check(&state), None);
    state.settings.start_at_login = Some(false);
    let off = check(&state).unwrap();
    assert_eq!(off.choice(), Some(&Choice::StartAtLogin(true)));
    state.settings.start_at_login = Some(true);
    let on = check(&state).unwrap();
    assert_eq!(on.choice(), Some(&Choice::StartAtLogin(false)));
    assert!(on.same_place(&off), "the menu stays as it is");
}

#[test]
fn quitting_says_what_it_interrupts() {
    let quit = |state: &Snapshot, is_owner| {
        menu(state, is_owner, Tongue::English).pop().unwrap().text().unwrap().to_owned()
    };
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", up())];
    state.registries[0].tunnel.leases = vec![lease(LeaseHolder::Manual, None)];
    assert_eq!(quit(&state, true), "Quit Dockline", "what the person holds is theirs to drop");
    let peer = ([127, 0, 0, 1], 40000).into();
    state.registries[0].tunnel.leases.push(lease(LeaseHolder::Connection { peer }, Some("dockerd")));
    state.transfers = vec![transfer(1, TransferState::Running), transfer(2, TransferState::Cancelled)];
    assert_eq!(quit(&state, true), "Quit Dockline (interrupts 1 transfer, dockerd)");
    assert_eq!(quit(&state, false), "Quit Dockline", "the agent goes on");
}

#[test]
fn it_is_all_dutch_for_those_who_want_that() {
    let mut state = snapshot();
    state.registries = vec![registry("cr.boss.org", up()), registry("b.example", TunnelState::Idle)];
    state.registries[0].tunnel.leases = vec![lease(LeaseHolder::Transfer { id: TransferId(1) }, None)];
    state.transfers = vec![transfer(1, TransferState::Running)];
    state.settings.start_at_login = Some(true);
    let said: Vec<String> = menu(&state, true, Tongue::Dutch)
        .iter()
        .filter_map(|entry| Some(entry.text()?.trim().to_owned()))
        .collect();
    assert_eq!(
        said,
        [
            "cr.boss.org verbreken (breekt de push van app:v1 af)",
            "open voor de push van app:v1",
            "Verbinden met b.example",
            "app:v1 pushen: 42 %",
            "Alle overdrachten pauzeren",
            "Adres kopiëren",
            "docker push hier laten werken…",
            "Dockline openen",
            "Starten als ik inlog",
            "Dockline afsluiten (breekt 1 overdracht af)",
        ]
    );
}
