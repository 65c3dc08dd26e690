//! States, sizes and times as people read them. Pure.

use crate::{output::wrapped, printable::one_line};
use dockline_model::{
    Code, Interruption, LeaseHolder, LeaseView, OfferSpec, OfferState, OfferView, RegistrySpec, RegistryView,
    SshTarget, TransferKind, TunnelState, TunnelView, UnixMillis,
};
use humansize::{DECIMAL, format_size};
use jiff::{Timestamp, tz::TimeZone};
use std::time::{SystemTime, UNIX_EPOCH};

/// The time now.
pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// `12.3 MB`.
pub fn bytes(count: u64) -> String {
    format_size(count, DECIMAL)
}

/// `45 s`, `4 min`, `2 h 10 min`, `3 d 4 h`.
pub fn seconds(count: u64) -> String {
    let (days, hours, minutes) = (count / 86_400, count / 3_600 % 24, count / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{count} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Whole seconds from `from` to `to`; 0 if it is the other way round.
pub fn seconds_between(from: UnixMillis, to: UnixMillis) -> u64 {
    to.0.saturating_sub(from.0) / 1000
}

fn clock(at: UnixMillis) -> String {
    let Ok(milliseconds) = i64::try_from(at.0) else { return String::new() };
    Timestamp::from_millisecond(milliseconds)
        .map(|time| time.to_zoned(TimeZone::system()).strftime("%H:%M").to_string())
        .unwrap_or_default()
}

/// The state in a word, for lists.
pub fn state_word(tunnel: &TunnelView) -> &'static str {
    match &tunnel.state {
        _ if tunnel.listener_error.is_some() => "no listener",
        TunnelState::Idle => "idle",
        TunnelState::Connecting { .. } => "connecting",
        TunnelState::Up { .. } => "up",
        TunnelState::Reconnecting { .. } => "reconnecting",
        TunnelState::Lingering { .. } => "lingering",
        TunnelState::Closing => "closing",
        TunnelState::Failed { .. } => "failed",
    }
}

/// The state in a sentence's length.
pub fn state(tunnel: &TunnelView, now: UnixMillis) -> String {
    match &tunnel.state {
        TunnelState::Idle => "idle; opens by itself when it is used".to_owned(),
        TunnelState::Connecting { since } => {
            format!("connecting for {}", seconds(seconds_between(*since, now)))
        }
        TunnelState::Up { since } => {
            format!("up since {} ({})", clock(*since), seconds(seconds_between(*since, now)))
        }
        TunnelState::Reconnecting { failures, retry_at, error } => {
            let next = match seconds_between(now, *retry_at) {
                0 => "trying now".to_owned(),
                wait => format!("next try in {}", seconds(wait)),
            };
            format!("reconnecting ({failures} failed, {next}): {}", error.message)
        }
        TunnelState::Lingering { until } => {
            format!("up, unused; closes in {}", seconds(seconds_between(now, *until)))
        }
        TunnelState::Closing => "closing".to_owned(),
        TunnelState::Failed { error } => format!("failed: {}", error.message),
    }
}

/// Who holds the tunnel: `you`, `transfer 3`, `dockerd (127.0.0.1:40112)`.
pub fn holder(lease: &LeaseView) -> String {
    match &lease.holder {
        LeaseHolder::Manual => "you (connect)".to_owned(),
        LeaseHolder::Face { connection } => format!("dockline connect --hold (no. {connection})"),
        LeaseHolder::Visit => "a look at what is in it".to_owned(),
        LeaseHolder::Transfer { id } => format!("transfer {}", id.0),
        LeaseHolder::Connection { peer } => match &lease.program {
            Some(program) => format!("{program} ({peer})"),
            None => format!("a connection from {peer}"),
        },
    }
}

/// All of them in a line.
pub fn holders(leases: &[LeaseView]) -> String {
    match leases {
        [] => "nothing".to_owned(),
        leases => leases.iter().map(holder).collect::<Vec<_>>().join(", "),
    }
}

/// What closing a tunnel would cut off, in a line.
pub fn interruptions(interrupts: &[Interruption]) -> String {
    let one = |interruption: &Interruption| match interruption {
        Interruption::Transfer { id, direction, reference } => {
            let direction = match direction {
                TransferKind::Push => "the push",
                TransferKind::Pull => "the pull",
                TransferKind::Copy => "the copy",
                TransferKind::Ship => "the shipping",
            };
            format!("{direction} of {reference} (transfer {})", id.0)
        }
        Interruption::Program { program, connections } => {
            let program = program.as_deref().unwrap_or("a program");
            match connections {
                1 => program.to_owned(),
                count => format!("{program} ({count} connections)"),
            }
        }
        Interruption::Faces { count: 1 } => "a dockline connect --hold".to_owned(),
        Interruption::Faces { count } => format!("{count} of dockline connect --hold"),
    };
    interrupts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Where a registry is listened for besides its own address.
pub fn also_at(spec: &RegistrySpec) -> Vec<String> {
    let localhost = spec.localhost_port.map(|port| format!("127.0.0.1:{port}"));
    let gateway = spec.gateway.map(|gateway| format!("{gateway}:{}", spec.port));
    localhost.into_iter().chain(gateway).collect()
}

/// One registry in full, as `dockline status` shows it, in lines of at most `width` columns.
pub fn registry(view: &RegistryView, now: UnixMillis, width: usize) -> String {
    let RegistryView { spec, tunnel, alias_ready } = view;
    if let Some(url) = &spec.url {
        return format!("  address   {url}, without a tunnel\n");
    }
    let alias = match alias_ready {
        true => format!("{} resolves to it", spec.name),
        false => format!("{} does not resolve to it; see dockline hosts", spec.name),
    };
    let way = |ssh: &SshTarget| match &ssh.jump {
        Some(jump) => format!("ssh {ssh} by {jump}"),
        None => format!("ssh {ssh}"),
    };
    let ways: Vec<String> = spec.hosts().map(way).collect();
    let mut rows = vec![
        ("state", state(tunnel, now)),
        ("held by", holders(&tunnel.leases)),
        ("bytes", format!("{} up, {} down", bytes(tunnel.bytes_up), bytes(tunnel.bytes_down))),
        ("address", format!("{} ({alias})", spec.listen())),
        ("also at", also_at(spec).join(", ")),
        ("way", format!("{}, then {}", ways.join(", or "), spec.remote)),
    ];
    rows.retain(|(_, text)| !text.is_empty());
    for error in [&tunnel.localhost_error, &tunnel.gateway_error].into_iter().flatten() {
        rows.push(("missing", error.message.clone()));
    }
    if let Some(route) = &tunnel.route {
        rows.push(("now", route.detour().unwrap_or_else(|| format!("via {}", route.ssh.host))));
        let suspicious = route
            .passed_over
            .iter()
            .filter(|passed| matches!(passed.error.code, Code::HostKeyChanged | Code::HostKeyRevoked));
        rows.extend(suspicious.map(|passed| ("warning", passed.error.message.clone())));
    }
    if let Some(error) = &tunnel.listener_error {
        rows.insert(1, ("listener", error.message.clone()));
    }
    let hint = match &tunnel.state {
        TunnelState::Failed { error } | TunnelState::Reconnecting { error, .. } => error.hint.as_ref(),
        TunnelState::Idle
        | TunnelState::Connecting { .. }
        | TunnelState::Up { .. }
        | TunnelState::Lingering { .. }
        | TunnelState::Closing => tunnel.listener_error.as_ref().and_then(|error| error.hint.as_ref()),
    };
    rows.extend(hint.map(|hint| ("hint", hint.clone())));
    let indent = " ".repeat(12);
    rows.iter().map(|(label, text)| wrapped(&format!("  {label:<9} {text}"), width, &indent) + "\n").collect()
}

/// One offer in a line.
pub fn offer(view: &OfferView, now: UnixMillis) -> String {
    let OfferSpec { ssh, port, to } = &view.spec;
    let state = match (&view.state, &view.error) {
        (OfferState::Connecting, _) => "connecting".to_owned(),
        (OfferState::Offering { .. }, Some(error)) => error.message.clone(),
        (OfferState::Offering { since }, None) => format!(
            "since {} ({}), {} up, {} down",
            clock(*since),
            seconds(seconds_between(*since, now)),
            bytes(view.bytes_up),
            bytes(view.bytes_down)
        ),
        (OfferState::Reconnecting { error, .. }, _) => format!("reconnecting: {}", error.message),
        (OfferState::Failed { error }, _) => format!("failed: {}", error.message),
    };
    let kept = if view.kept { ", kept" } else { "" };
    format!("  {to} at localhost:{port} of {ssh}{kept}  {state}\n")
}

/// Columns as wide as their widest cell, two blanks apart. Columns are dropped from the right until the rest fits
/// in `width`; the first always stays.
pub fn table(heads: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let measure = |column: usize| {
        let cells =
            rows.iter().filter_map(|row| row.get(column)).map(|cell| console::measure_text_width(cell));
        cells.chain([heads[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len()).map(measure).collect();
    let fitting = |count: usize| widths[..count].iter().sum::<usize>() + 2 * count.saturating_sub(1) <= width;
    let columns = (1..=heads.len()).rev().find(|count| fitting(*count)).unwrap_or(1);
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .take(columns)
            .zip(&widths)
            .map(|(cell, width)| console::pad_str(cell, *width, console::Alignment::Left, None).into_owned())
            .collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let head = line(&mut heads.iter().copied());
    rows.iter().map(|row| line(&mut row.iter().map(String::as_str))).fold(head, |text, row| text + &row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{TransferId, UiError};

    #[test]
    fn durations_are_read_at_a_glance() {
        for (count, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_600, "1 h"),
            (7_800, "2 h 10 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(seconds(count), text);
        }
        assert_eq!(seconds_between(UnixMillis(5_000), UnixMillis(1_000)), 0);
    }

    #[test]
    fn holders_are_named() {
        let lease = |holder, program: Option<&str>| LeaseView {
            holder,
            since: UnixMillis(0),
            program: program.map(str::to_owned),
            is_own: false,
        };
        let peer = "127.0.0.1:4000".parse().unwrap();
        let leases = [
            lease(LeaseHolder::Manual, None),
            lease(LeaseHolder::Transfer { id: TransferId(3) }, None),
            lease(LeaseHolder::Connection { peer }, Some("dockerd")),
        ];
        assert_eq!(holders(&leases), "you (connect), transfer 3, dockerd (127.0.0.1:4000)");
        assert_eq!(holders(&[]), "nothing");
    }

    #[test]
    fn interruptions_are_named() {
        let transfer = Interruption::Transfer {
            id: TransferId(3),
            direction: TransferKind::Push,
            reference: "cr.boss.org:5000/app:v1".to_owned(),
        };
        let program = Interruption::Program { program: Some("dockerd".to_owned()), connections: 2 };
        let unnamed = Interruption::Program { program: None, connections: 1 };
        let faces = Interruption::Faces { count: 1 };
        assert_eq!(
            interruptions(&[transfer, program, unnamed, faces]),
            "the push of cr.boss.org:5000/app:v1 (transfer 3), dockerd (2 connections), a program, \
             a dockline connect --hold"
        );
    }

    #[test]
    fn a_table_drops_columns_rather_than_breaking_lines() {
        let rows = vec![vec!["cr.boss.org".to_owned(), "127.77.1.2:5000".to_owned(), "up".to_owned()]];
        let wide = table(&["NAME", "ADDRESS", "STATE"], &rows, 80);
        assert_eq!(wide, "NAME         ADDRESS          STATE\ncr.boss.org  127.77.1.2:5000  up\n");
        assert_eq!(
            table(&["NAME", "ADDRESS", "STATE"], &rows, 30),
            "NAME         ADDRESS\ncr.boss.org  127.77.1.2:5000\n"
        );
        assert_eq!(table(&["NAME", "ADDRESS", "STATE"], &rows, 3), "NAME\ncr.boss.org\n");
    }

    #[test]
    fn a_registry_without_a_tunnel_has_an_address_and_no_state() {
        let url: dockline_model::RegistryUrl = "https://nexus.boss.org:8443".parse().unwrap();
        let spec = RegistrySpec {
            url: Some(Box::new(url)),
            ..RegistrySpec::new(
                "nexus.boss.org".parse().unwrap(),
                "h".parse().unwrap(),
                [127, 77, 1, 3].into(),
            )
        };
        let view = RegistryView { spec, alias_ready: false, tunnel: TunnelView::idle() };
        let text = registry(&view, UnixMillis(0), 80);
        assert_eq!(text, "  address   https://nexus.boss.org:8443, without a tunnel\n");
    }

    #[test]
    fn a_failed_registry_says_why_and_what_to_do() {
        let error = UiError::new(Code::SshAuth, "No key was accepted.").hint("Use --identity.");
        let view = RegistryView {
            spec: RegistrySpec::new(
                "cr.boss.org".parse().unwrap(),
                "a@h".parse().unwrap(),
                [127, 77, 1, 2].into(),
            ),
            alias_ready: false,
            tunnel: TunnelView { state: TunnelState::Failed { error }, ..TunnelView::idle() },
        };
        let text = registry(&view, UnixMillis(0), usize::MAX);
        for part in
            ["failed: No key was accepted.", "hint      Use --identity.", "dockline hosts", "127.77.1.2:5000"]
        {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
}
