//! Lines of transfers.

use super::*;
use dockline_model::{TransferId, UnixMillis, Verified};

fn layer(id: &str, state: LayerState, current: u64) -> LayerView {
    LayerView { id: id.to_owned(), state, current, total: Some(100_000_000) }
}

fn view(layers: Vec<LayerView>) -> TransferView {
    TransferView {
        id: TransferId(1),
        kind: TransferKind::Push,
        road: Road::Engine,
        why: None,
        registry: "cr.boss.org".parse().unwrap(),
        host: None,
        source: "app:v1".into(),
        reference: "cr.boss.org:5000/app:v1".into(),
        state: TransferState::Running,
        layers,
        current: 50_000_000,
        total: 200_000_000,
        share: Some(250),
        sent: 0,
        skipped: 0,
        rate: Some(11_200_000),
        seconds_left: Some(13),
        started: UnixMillis(1_000),
        finished: None,
    }
}

#[test]
fn every_line_fits_every_width() {
    console::set_colors_enabled_stderr(false);
    let states = [
        LayerState::Waiting,
        LayerState::Transferring,
        LayerState::Extracting,
        LayerState::Retrying { seconds: 5 },
        LayerState::Done,
        LayerState::Exists,
        LayerState::Mounted { from: "a/very/long/repository/name/somewhere/else".into() },
    ];
    let view = view(states.iter().map(|s| layer("0123456789abcdef", s.clone(), 33_333_333)).collect());
    for width in 10..200 {
        for height in 1..20 {
            let lines = lines(&view, width, height);
            assert!(lines.len() <= height.max(4), "{} lines for {height}", lines.len());
            for line in lines {
                assert!(console::measure_text_width(&line) <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn sixty_layers_are_counted_where_they_do_not_fit() {
    let mut layers: Vec<LayerView> = (0..60).map(|n| layer(&n.to_string(), LayerState::Done, 1)).collect();
    layers[40] = layer("moving", LayerState::Transferring, 50_000_000);
    let lines = lines(&view(layers), 80, 20);
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(lines[1].starts_with("moving") && lines[1].contains("[####"));
    assert!(lines[2].contains("59 of 60 layers done"));
}

#[test]
fn the_whole_has_percent_rate_and_time_left() {
    console::set_colors_enabled_stderr(false);
    assert_eq!(overall(&view(vec![]), 50), " 25 %  50 MB of 200 MB  11.20 MB/s  13 s left");
    assert!(overall(&view(vec![]), 80).contains("[#####"));
    assert_eq!(overall(&view(vec![]), 45), " 25 %  50 MB of 200 MB  11.20 MB/s  13 s left");
    assert_eq!(overall(&view(vec![]), 44), " 25 %  11.20 MB/s  13 s left");
    assert_eq!(overall(&view(vec![]), 20), " 25 %  13 s left");
    let unknown =
        TransferView { total: 0, current: 0, share: None, rate: None, seconds_left: None, ..view(vec![]) };
    assert_eq!(percent(&unknown), 0);
    assert_eq!(lines(&unknown, 80, 20).len(), 1, "there is no whole to tell of");
}

#[test]
fn a_countdown_is_no_news() {
    let retrying = |seconds| LayerState::Retrying { seconds };
    assert!(is_countdown(Some(&retrying(5)), &retrying(4)));
    assert!(!is_countdown(Some(&retrying(1)), &retrying(10)), "the next try");
    assert!(!is_countdown(Some(&LayerState::Transferring), &retrying(5)));
    assert!(!is_countdown(None, &retrying(5)));
}

#[test]
fn the_summary_tells_what_moved_and_how_far_it_is_proven() {
    let digest = "sha256:0".to_owned();
    let done = TransferView {
        state: TransferState::Done { verified: Verified { digest, at_registry: true } },
        finished: Some(UnixMillis(11_000)),
        ..view(vec![layer("a", LayerState::Done, 1), layer("b", LayerState::Exists, 0)])
    };
    assert_eq!(
        summary(&done),
        "Pushed app:v1 to cr.boss.org:5000/app:v1\n  sha256:0\n  \
         Verified at the registry; 2 layers, 1 already there; 100 MB in 10.0 s (10 MB/s)"
    );
    let packed = TransferView { sent: 40_000_000, ..done.clone() };
    assert!(
        summary(&packed).ends_with("; 100 MB in 10.0 s (40 MB on the line, 4 MB/s)"),
        "{}",
        summary(&packed)
    );
    let there = TransferView { layers: vec![layer("b", LayerState::Exists, 0)], ..done.clone() };
    assert!(summary(&there).ends_with("Verified at the registry; 1 layer, 1 already there; 10.0 s"));
    let nothing = TransferView { kind: TransferKind::Pull, layers: Vec::new(), ..done.clone() };
    assert!(summary(&nothing).ends_with("Verified at the registry; everything was there already; 10.0 s"));
    let quick = TransferView { finished: Some(UnixMillis(done.started.0 + 31)), ..done };
    assert!(summary(&quick).contains("100 MB in 31 ms ("), "{}", summary(&quick));
}

/// What `crates/engine/fixtures/podman-events/push-ok-fresh` comes to: two lines of status, no layer, no bytes. The
/// tunnel has counted them.
#[test]
fn what_podman_pushes_is_seen_to_move() {
    console::set_colors_enabled_stderr(false);
    let nothing = TransferView { current: 0, total: 0, share: None, seconds_left: None, ..view(vec![]) };
    let pushing = TransferView { sent: 41_000_000, rate: Some(8_000_000), ..nothing.clone() };
    assert_eq!(lines(&pushing, 80, 20)[1..], ["41 MB sent, 8 MB/s"]);
    let first = TransferView { rate: None, kind: TransferKind::Pull, ..pushing.clone() };
    assert_eq!(lines(&first, 80, 20)[1..], ["41 MB received"]);
    assert_eq!(lines(&nothing, 80, 20).len(), 1);

    let verified = Verified { digest: "sha256:0".to_owned(), at_registry: true };
    let done = TransferState::Done { verified };
    let done = TransferView { state: done, finished: Some(UnixMillis(6_000)), ..pushing };
    let told = summary(&done);
    assert!(told.ends_with("  Verified at the registry; 41 MB sent in 5.0 s (8.20 MB/s)"), "{told}");
    let uncounted = summary(&TransferView { sent: 0, ..done });
    assert!(uncounted.ends_with("  Verified at the registry; 5.0 s"), "{uncounted}");
}

/// `podman-events/pull-ok-fresh`: layers, of which none has a size.
#[test]
fn what_podman_pulls_has_layers_of_no_size_and_not_of_none() {
    console::set_colors_enabled_stderr(false);
    let unsized_one = |id: &str, state| LayerView { total: None, ..layer(id, state, 0) };
    let layers = vec![
        unsized_one("2eaf4959fad7", LayerState::Waiting),
        unsized_one("66a61c4453bd", LayerState::Extracting),
        unsized_one("f484a22e9824", LayerState::Done),
    ];
    let pulling = TransferView {
        kind: TransferKind::Pull,
        current: 0,
        total: 0,
        share: None,
        sent: 41_000_000,
        rate: None,
        seconds_left: None,
        ..view(layers)
    };
    let shown = lines(&pulling, 80, 20);
    assert_eq!(shown[2..], ["66a61c4453bd  unpacking", "f484a22e9824  done", "41 MB received"]);
    let fetched = pulling.layers.iter().map(|layer| LayerView { state: LayerState::Done, ..layer.clone() });
    let fetched = TransferView {
        layers: fetched.collect(),
        state: TransferState::Done {
            verified: Verified { digest: "sha256:0".to_owned(), at_registry: true },
        },
        finished: Some(UnixMillis(6_000)),
        ..pulling
    };
    assert!(
        summary(&fetched).ends_with("; 3 layers; 41 MB received in 5.0 s (8.20 MB/s)"),
        "{}",
        summary(&fetched)
    );
}

/// The moment of `docker28-overlay/push-ok-fresh` in which the bytes fall from all that were known to half of them.
#[test]
fn the_percentage_does_not_fall_when_another_size_is_told() {
    console::set_colors_enabled_stderr(false);
    let mut layers = vec![layer("a", LayerState::Done, 10), layer("b", LayerState::Transferring, 0)];
    (layers[0].total, layers[1].total) = (Some(10), None);
    let before = TransferView { current: 10, total: 10, share: Some(500), ..view(layers.clone()) };
    assert_eq!(overall(&before, 45), " 50 %  10 B  11.20 MB/s  13 s left", "of how much nobody knows");
    layers[1].total = Some(990);
    let after = TransferView { current: 10, total: 1000, ..before };
    let after = TransferView { layers, ..after };
    assert_eq!(percent(&after), 50);
    assert!(overall(&after, 100).contains("[####################....................]"));
}
