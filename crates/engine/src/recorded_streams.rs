//! Every recorded stream of `fixtures/` against `fixtures/golden.txt`, and properties over streams of any kind.
//!
//! After a deliberate change run with `DOCKLINE_WRITE_GOLDEN=1` and read the difference.

use crate::{
    EngineError, Operation,
    failure::refusal,
    progress::{Outcome, TransferProgress},
};
use dockline_model::{Gauge, LayerState, TransferView, UiError};
use proptest::prelude::*;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

struct Recording {
    name: String,
    operation: Operation,
    body: Vec<u8>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn recordings() -> Vec<Recording> {
    let root = fixtures();
    let mut found = Vec::new();
    for folder in [root.join("docker-events"), root.join("podman-events")] {
        collect(&folder, &mut found);
    }
    let mut recordings: Vec<_> = found
        .into_iter()
        .filter_map(|path| {
            let head = fs::read_to_string(path.with_extension("http")).unwrap();
            let request = head.lines().next().unwrap();
            // Logins are recorded beside the transfers.
            if !request.contains("/images/") {
                return None;
            }
            let name = path.strip_prefix(&root).unwrap().with_extension("");
            Some(Recording {
                name: name.to_str().unwrap().to_owned(),
                operation: if request.contains("/images/create") {
                    Operation::Pull
                } else if request.contains("/images/load") {
                    Operation::Load
                } else {
                    Operation::Push
                },
                body: fs::read(&path).unwrap(),
            })
        })
        .collect();
    recordings.sort_by(|a, b| a.name.cmp(&b.name));
    recordings
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
}

/// Feeds `body` in pieces of the given sizes (the last one repeated), watching the promises at each step.
fn run(body: &[u8], sizes: &[usize]) -> TransferProgress {
    measured(body, sizes).0
}

/// The same, with the share that was shown last.
fn measured(body: &[u8], sizes: &[usize]) -> (TransferProgress, Option<u16>) {
    let mut progress = TransferProgress::default();
    let (mut rest, mut sizes, mut size) = (body, sizes.iter(), usize::MAX);
    let mut seen = (0, 0);
    let (mut gauge, mut share) = (Gauge::default(), None);
    loop {
        size = sizes.next().map_or(size, |next| (*next).max(1));
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        progress.feed(piece);
        if rest.is_empty() {
            progress.finish();
        }
        let now = (progress.current(), progress.total());
        assert!(now.0 >= seen.0, "the overall figure ran backwards: {seen:?} to {now:?}");
        assert!(now.0 <= now.1, "the overall figure passed its total: {now:?}");
        let shown = gauge.read(progress.layers(), now.0, now.1);
        assert!(shown >= share, "the share ran backwards: {share:?} to {shown:?}");
        assert!(shown < Some(TransferView::WHOLE), "full before the end: {now:?}");
        share = shown;
        for layer in progress.layers() {
            assert!(layer.current <= layer.total.unwrap_or(u64::MAX), "{layer:?}");
        }
        seen = now;
        if rest.is_empty() {
            return (progress, share);
        }
    }
}

fn state_name(state: &LayerState) -> &'static str {
    match state {
        LayerState::Waiting => "waiting",
        LayerState::Transferring => "transferring",
        LayerState::Extracting => "extracting",
        LayerState::Retrying { .. } => "retrying",
        LayerState::Done => "done",
        LayerState::Exists => "exists",
        LayerState::Mounted { .. } => "mounted",
    }
}

/// One paragraph: the outcome as a person meets it, then the layers bottom first.
fn describe(recording: &Recording, progress: &TransferProgress) -> String {
    let mut text = format!("{}\n", recording.name);
    match progress.outcome() {
        Outcome::Completed { digest } => {
            writeln!(text, "  completed {}", digest.as_deref().unwrap_or("without a digest")).unwrap();
        }
        Outcome::CutShort => writeln!(text, "  cut short").unwrap(),
        Outcome::Failed { words } => {
            let error = refusal(recording.operation, "cr.boss.org:5000/app:v1", words, progress.evidence());
            let EngineError::Refused { cause, .. } = &error else { unreachable!("a refusal") };
            let shown = UiError::from(&error);
            assert!(shown.message.ends_with('.') && shown.details.is_some(), "{shown:?}");
            writeln!(text, "  {:?} ({cause:?}): {}", shown.code, shown.message).unwrap();
        }
    }
    if !progress.layers().is_empty() {
        writeln!(text, "  {} of {} bytes", progress.current(), progress.total()).unwrap();
    }
    for layer in progress.layers() {
        let total = layer.total.map_or("?".to_owned(), |total| total.to_string());
        writeln!(text, "    {} {} {}/{total}", layer.id, state_name(&layer.state), layer.current).unwrap();
    }
    text
}

#[test]
fn recorded_streams_come_out_as_expected() {
    let recordings = recordings();
    assert!(recordings.len() >= 86, "only {} recordings were found", recordings.len());
    let mut actual = String::new();
    for recording in &recordings {
        // As dockerd flushed it: a line at a time. 64 is about what a slow socket gives.
        let (progress, share) = measured(&recording.body, &[64]);
        if matches!(progress.outcome(), Outcome::Completed { .. }) && progress.total() > 0 {
            assert_eq!(share, Some(995), "{}: all has moved", recording.name);
        }
        actual += &describe(recording, &progress);
    }
    let golden = fixtures().join("golden.txt");
    if std::env::var_os("DOCKLINE_WRITE_GOLDEN").is_some() {
        fs::write(&golden, &actual).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.lines().count(), expected.lines().count());
}

#[test]
fn a_retried_layer_starts_over_and_the_whole_does_not() {
    let line = |status: &str, current: u64| {
        format!(
            "{{\"status\":\"{status}\",\"id\":\"a\",\"progressDetail\":{{\"current\":{current},\"total\":100}}}}\r\n"
        )
    };
    let mut progress = TransferProgress::default();
    progress.feed(line("Pushing", 80).as_bytes());
    assert_eq!((progress.current(), progress.total()), (80, 100));
    progress.feed(line("Retrying in 2 seconds", 0).as_bytes());
    assert_eq!(progress.layers()[0].state, LayerState::Retrying { seconds: 2 });
    assert_eq!((progress.layers()[0].current, progress.current()), (0, 80));
    progress.feed(line("Pushing", 30).as_bytes());
    assert_eq!((progress.layers()[0].current, progress.current()), (30, 80));
    progress.feed(line("Pushing", 100_000).as_bytes());
    assert_eq!((progress.layers()[0].current, progress.current()), (100, 100));
}

/// Lines as an engine might send them, in any order, and now and then not a line at all.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let status = prop::sample::select(vec![
        "Preparing",
        "Waiting",
        "Pushing",
        "Downloading",
        "Download complete",
        "Extracting",
        "Retrying in 3 seconds",
        "Retrying in many seconds",
        "Pushed",
        "Pull complete",
        "Layer already exists",
        "Mounted from team/app",
        "Pulling fs layer",
        "Unheard of",
        "Digest: sha256:416f2ad3fe19ce179a24d1166644b770fcc65fdddc89a5bcb4868d5d138ac952",
    ]);
    let number = prop_oneof![0_u64..200, Just(u64::MAX)];
    let units = prop::sample::select(vec!["", ",\"units\":\"s\""]);
    let event =
        (status, 0_u8..6, number.clone(), number, units).prop_map(|(status, id, current, total, units)| {
            format!(
                "{{\"status\":\"{status}\",\"id\":\"{id:012x}\",\
                 \"progressDetail\":{{\"current\":{current},\"total\":{total}{units}}}}}\r\n"
            )
            .into_bytes()
        });
    prop_oneof![9 => event, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

proptest! {
    #[test]
    fn where_chunks_end_makes_no_difference(
        index in any::<prop::sample::Index>(),
        sizes in prop::collection::vec(1_usize..3000, 1..40),
    ) {
        let recordings = recordings();
        let recording = index.get(&recordings);
        let whole = describe(recording, &run(&recording.body, &[]));
        prop_assert_eq!(describe(recording, &run(&recording.body, &sizes)), whole);
    }

    #[test]
    fn any_stream_keeps_the_promises(lines in prop::collection::vec(any_line(), 0..60), size in 1_usize..300) {
        let body = lines.concat();
        let pieces = run(&body, &[size]);
        let whole = run(&body, &[]);
        prop_assert_eq!(pieces.layers(), whole.layers());
        prop_assert_eq!(pieces.outcome(), whole.outcome());
    }

    #[test]
    fn garbage_is_survived(body in prop::collection::vec(any::<u8>(), 0..2000), size in 1_usize..300) {
        run(&body, &[size]);
    }
}
