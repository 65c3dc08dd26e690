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
    } else if let Some(crossed) = crossed(view) {
        lines.push(clip(&crossed, width));
    }
    lines
}

/// What went over the line and how fast, where nobody tells what it is a part of: Podman names no bytes at all.
pub fn crossed(view: &TransferView) -> Option<String> {
    if view.total > 0 || view.sent == 0 {
        return None;
    }
    let rate = view.rate.map(|rate| format!(", {}/s", format::bytes(rate))).unwrap_or_default();
    Some(format!("{} {}{rate}", format::bytes(view.sent), gone(view.kind)))
}

/// What bytes have done that went the way of such a transfer.
const fn gone(kind: TransferKind) -> &'static str {
    match kind {
        TransferKind::Push | TransferKind::Ship => "sent",
        TransferKind::Pull => "received",
        TransferKind::Copy => "moved",
    }
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
        LayerState::Extracting if is_untold(layer) => "unpacking".to_owned(),
        LayerState::Extracting => format!("unpacking {so_far}"),
        LayerState::Retrying { seconds } => {
            style(format!("failed; again in {seconds} s")).yellow().for_stderr().to_string()
        }
        LayerState::Done if is_untold(layer) => style("done").green().for_stderr().to_string(),
        LayerState::Done => {
            let size = layer.total.unwrap_or(layer.current);
            style(format!("done, {}", format::bytes(size))).green().for_stderr().to_string()
        }
        LayerState::Exists => style("already there").green().for_stderr().to_string(),
        LayerState::Mounted { from } => style(format!("taken from {from}")).green().for_stderr().to_string(),
    }
}

/// Whether nobody has said how large a layer is that has moved.
const fn is_untold(layer: &LayerView) -> bool {
    layer.total.is_none() && layer.current == 0
}

/// Whole percents of the whole, rounded down; 0 while nothing is known. Never falls.
pub fn percent(view: &TransferView) -> u64 {
    u64::from(view.share.unwrap_or_default()) / 10
}

/// The whole: percent, bar, bytes, rate and time left; the bar goes first where it is narrow, then the bytes.
pub fn overall(view: &TransferView, width: usize) -> String {
    let mut words = vec![format!("{:>3} %", percent(view))];
    // What is known of it so far is not what it is a part of.
    let bytes = match view.layers.iter().any(LayerView::is_unsized) {
        true => format::bytes(view.current),
        false => format!("{} of {}", format::bytes(view.current), format::bytes(view.total)),
    };
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
        let share = u64::from(view.share.unwrap_or_default());
        format!("{percent}  {}{rest}", bar(share, u64::from(TransferView::WHOLE), room.min(40)))
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
        // Podman does not say what it pushed. Of a pull without layers there was nothing to fetch.
        0 if view.kind == TransferKind::Push => String::new(),
        0 => "everything was there already; ".to_owned(),
        1 => "1 layer".to_owned(),
        more => format!("{more} layers"),
    };
    if there > 0 {
        text += &format!(", {there} already there");
    }
    if !view.layers.is_empty() {
        text += "; ";
    }
    let took = took(milliseconds);
    let is_untold = text.is_empty()
        || view.layers.iter().any(|layer| layer.state == LayerState::Done && is_untold(layer));
    match (moved, view.sent) {
        (0, sent @ 1..) if is_untold => {
            let (sent, gone, rate) = (format::bytes(sent), gone(view.kind), rate(sent));
            text + &format!("{sent} {gone} in {took} ({rate})")
        }
        (0, _) => text + &took,
        // Nobody has counted.
        (moved, 0) => text + &format!("{} in {took} ({})", format::bytes(moved), rate(moved)),
        (moved, sent) => {
            let (moved, on_the_line) = (format::bytes(moved), format::bytes(sent));
            text + &format!("{moved} in {took} ({on_the_line} on the line, {})", rate(sent))
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
mod tests;
