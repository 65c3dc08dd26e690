//! A transfer as lines of text that fit a terminal. Pure.

use crate::{
    format,
    printable::{one_line, style},
};
use dockline_model::{LayerState, LayerView, Road, TransferKind, TransferState, TransferView};

/// Columns of a layer's id.
const ID: usize = 12;
/// Narrower than this, there is no room for a bar.
const NARROW: usize = 44;

/// The transfer in at most `height` lines of at most `width` columns: what is going on, its layers, the whole.
/// Where the layers do not all fit, those that are finished or waiting are counted instead.
pub fn lines(view: &TransferView, width: usize, height: usize) -> Vec<String> {
    let mut lines = vec![clip(&heading(view), width)];
    let room = height.saturating_sub(3).max(1);
    let is_moving = |layer: &&LayerView| match layer.state {
        LayerState::Transferring | LayerState::Extracting | LayerState::Retrying { .. } => true,
        LayerState::Waiting | LayerState::Done | LayerState::Exists | LayerState::Mounted { .. } => false,
    };
    if view.layers.len() <= room {
        lines.extend(view.layers.iter().map(|layer| layer_line(layer, width)));
    } else {
        let shown: Vec<&LayerView> =
            view.layers.iter().filter(is_moving).take(room.saturating_sub(1)).collect();
        lines.extend(shown.iter().map(|layer| layer_line(layer, width)));
        let finished = view.layers.iter().filter(|layer| is_finished(layer)).count();
        let text = format!("{finished} of {} layers done", view.layers.len());
        lines.push(clip(&style(text).dim().for_stderr().to_string(), width));
    }
    // Of an image that is there already, and before anything is known, there is no whole to tell of.
    if view.total > 0 {
        lines.push(clip(&overall(view, width), width));
    }
    lines
}

/// Whether a layer waits for its next try as before, only shorter. Without a terminal each second would be a line.
pub fn is_countdown(before: Option<&LayerState>, now: &LayerState) -> bool {
    match (before, now) {
        (Some(LayerState::Retrying { seconds: before }), LayerState::Retrying { seconds: now }) => {
            now <= before
        }
        _ => false,
    }
}

fn is_finished(layer: &LayerView) -> bool {
    match layer.state {
        LayerState::Done | LayerState::Exists | LayerState::Mounted { .. } => true,
        LayerState::Waiting
        | LayerState::Transferring
        | LayerState::Extracting
        | LayerState::Retrying { .. } => false,
    }
}

fn heading(view: &TransferView) -> String {
    let verb = match (&view.state, view.kind) {
        // For the tunnel, which says so itself, for others, or for the host.
        (TransferState::Waiting, _) => "Waiting:",
        (TransferState::Paused, _) => "Halted:",
        (TransferState::Verifying, _) => "Verifying",
        (_, TransferKind::Push) => "Pushing",
        (_, TransferKind::Pull) => "Pulling",
        (_, TransferKind::Ship) => "Shipping",
        (_, TransferKind::Copy) => "Copying",
    };
    format!("{} {}", style(verb).bold().for_stderr(), route(view))
}

fn route(view: &TransferView) -> String {
    let host = view.host.as_ref().map(|host| host.host.as_str()).unwrap_or_default();
    match view.kind {
        TransferKind::Push | TransferKind::Copy if !host.is_empty() => {
            format!("{} to {} at {host}", view.source, view.reference)
        }
        TransferKind::Push | TransferKind::Copy => format!("{} to {}", view.source, view.reference),
        TransferKind::Pull => view.reference.clone(),
        TransferKind::Ship if view.source == view.reference => format!("{} to {host}", view.source),
        TransferKind::Ship => format!("{} to {host} as {}", view.source, view.reference),
    }
}

fn layer_line(layer: &LayerView, width: usize) -> String {
    let id: String = layer.id.chars().take(ID).collect();
    let words = layer_words(layer);
    let text = match (&layer.state, layer.total) {
        (LayerState::Transferring | LayerState::Extracting, Some(total)) if width >= NARROW => {
            // Two blanks on each side, and room for “999.99 MB of 999.99 MB”.
            let room = width.saturating_sub(ID + 4 + 24).clamp(8, 40);
            format!("{id:<ID$}  {}  {words}", bar(layer.current, total, room))
        }
        _ => format!("{id:<ID$}  {words}"),
    };
    clip(&text, width)
}

/// What a layer is doing, in words.
pub fn layer_words(layer: &LayerView) -> String {
    let so_far = match layer.total {
        Some(total) => format!("{} of {}", format::bytes(layer.current), format::bytes(total)),
        None => format::bytes(layer.current),
    };
    match &layer.state {
        LayerState::Waiting => style("waiting").dim().for_stderr().to_string(),
        LayerState::Transferring => so_far,
        LayerState::Extracting => format!("unpacking {so_far}"),
        LayerState::Retrying { seconds } => {
            style(format!("failed; again in {seconds} s")).yellow().for_stderr().to_string()
        }
        LayerState::Done => {
            let size = layer.total.unwrap_or(layer.current);
            style(format!("done, {}", format::bytes(size))).green().for_stderr().to_string()
        }
        LayerState::Exists => style("already there").green().for_stderr().to_string(),
        LayerState::Mounted { from } => style(format!("taken from {from}")).green().for_stderr().to_string(),
    }
}

/// Whole percents of the whole; 0 while nothing is known.
pub fn percent(view: &TransferView) -> u64 {
    (view.current.min(view.total) * 100).checked_div(view.total).unwrap_or(0)
}

/// The whole: percent, bar, bytes, rate and time left; the bar goes first where it is narrow, then the bytes.
pub fn overall(view: &TransferView, width: usize) -> String {
    let mut words = vec![format!("{:>3} %", percent(view))];
    let bytes = format!("{} of {}", format::bytes(view.current), format::bytes(view.total));
    let rate = view.rate.map(|rate| format!("{}/s", format::bytes(rate)));
    let left = view.seconds_left.map(|seconds| format!("{} left", format::seconds(seconds)));
    // The first that fits: how long it takes is what one wants to know of a narrow terminal.
    let all = [Some(&bytes), rate.as_ref(), left.as_ref()];
    let choices = [all, [None, all[1], all[2]], [None, None, all[2]]];
    let length = |parts: &[Option<&String>]| {
        words[0].len() + parts.iter().flatten().map(|part| part.len() + 2).sum::<usize>()
    };
    let whole = 1 + all.iter().flatten().count();
    let chosen = choices.iter().find(|parts| length(parts.as_slice()) <= width).unwrap_or(&choices[2]);
    words.extend(chosen.iter().flatten().map(|part| (*part).clone()));
    let text = words.join("  ");
    // Two blanks and two brackets.
    let room = width.saturating_sub(text.len() + 4);
    if words.len() == whole && (8..1000).contains(&room) {
        let (percent, rest) = text.split_at(words[0].len());
        format!("{percent}  {}{rest}", bar(view.current, view.total, room.min(40)))
    } else {
        text
    }
}

/// ASCII, so that it looks the same on every terminal.
fn bar(current: u64, total: u64, width: usize) -> String {
    let filled = if total == 0 {
        0
    } else {
        usize::try_from(u128::from(current.min(total)) * (width as u128) / u128::from(total)).unwrap_or(width)
    };
    let done = style("#".repeat(filled)).cyan().for_stderr();
    format!("[{done}{}]", ".".repeat(width - filled))
}

fn clip(text: &str, width: usize) -> String {
    console::truncate_str(&one_line(text), width, "…").into_owned()
}

/// What a finished transfer comes down to: the reference, what was moved, and how far it is verified.
pub fn summary(view: &TransferView) -> String {
    let verb = match view.kind {
        TransferKind::Push => "Pushed",
        TransferKind::Pull => "Pulled",
        TransferKind::Ship => "Shipped",
        TransferKind::Copy => "Copied",
    };
    let mut text = format!("{verb} {}\n", route(view));
    if let TransferState::Done { verified } = &view.state {
        let is_shipped = view.kind == TransferKind::Ship;
        let proof = match (verified.at_registry, view.road) {
            (true, _) if is_shipped => "The host has the same image",
            (true, _) => "Verified at the registry",
            (false, Road::Engine) => "On the engine's word",
            (false, Road::Direct) => "Not verified",
        };
        text += &format!("  {}\n  {proof}; ", verified.digest);
    }
    text + &what_moved(view)
}

/// Layers, bytes as the image has them, and what of it crossed the line and how fast.
fn what_moved(view: &TransferView) -> String {
    let count = |matches: fn(&LayerState) -> bool| view.layers.iter().filter(|l| matches(&l.state)).count();
    let there = count(|state| matches!(state, LayerState::Exists | LayerState::Mounted { .. }));
    let moved: u64 = view
        .layers
        .iter()
        .filter(|layer| layer.state == LayerState::Done)
        .map(|layer| layer.total.unwrap_or(layer.current))
        .sum();
    let milliseconds = view.finished.map_or(0, |end| end.0.saturating_sub(view.started.0)).max(1);
    let rate = |bytes: u64| {
        let rate = u128::from(bytes) * 1000 / u128::from(milliseconds);
        format!("{}/s", format::bytes(u64::try_from(rate).unwrap_or(u64::MAX)))
    };
    let mut text = match view.layers.len() {
        0 => "everything was there already".to_owned(),
        1 => "1 layer".to_owned(),
        more => format!("{more} layers"),
    };
    if there > 0 {
        text += &format!(", {there} already there");
    }
    let took = took(milliseconds);
    match (moved, view.sent) {
        (0, _) => text + &format!("; {took}"),
        // Nobody has counted.
        (moved, 0) => text + &format!("; {} in {took} ({})", format::bytes(moved), rate(moved)),
        (moved, sent) => {
            let (moved, on_the_line) = (format::bytes(moved), format::bytes(sent));
            text + &format!("; {moved} in {took} ({on_the_line} on the line, {})", rate(sent))
        }
    }
}

/// To a tenth of a second; what took less is told in thousandths, since nothing takes no time.
fn took(milliseconds: u64) -> String {
    match milliseconds {
        0..100 => format!("{milliseconds} ms"),
        more => format!("{:.1} s", more as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
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
        let mut layers: Vec<LayerView> =
            (0..60).map(|n| layer(&n.to_string(), LayerState::Done, 1)).collect();
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
        let unknown = TransferView { total: 0, current: 0, rate: None, seconds_left: None, ..view(vec![]) };
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
        let nothing = TransferView { layers: Vec::new(), ..done.clone() };
        assert!(
            summary(&nothing).ends_with("Verified at the registry; everything was there already; 10.0 s")
        );
        let quick = TransferView { finished: Some(UnixMillis(done.started.0 + 31)), ..done };
        assert!(summary(&quick).contains("100 MB in 31 ms ("), "{}", summary(&quick));
    }
}
