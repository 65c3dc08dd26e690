//! The examination in one sentence, and as a text to copy. Errors hold no secrets, so neither does this; the home
//! folder's path, which has the person's name in it, is shortened.

use dockline_model::{DoctorReport, Link, LinkState, LinkView, Remedy};
use std::{env, fmt::Write as _};

/// The outcome in one sentence.
pub(crate) fn summary(registry: &str, links: &[LinkView]) -> String {
    let failed: Vec<Link> = links
        .iter()
        .filter(|view| matches!(view.state, LinkState::Failed { .. }))
        .map(|view| view.link)
        .collect();
    let is_local =
        |link: &Link| matches!(link, Link::Name | Link::Engine | Link::EngineSettings | Link::EngineReach);
    match failed.as_slice() {
        [] => format!("The connection to {registry} works, every link of it."),
        links if links.iter().all(is_local) => format!(
            "The registry {registry} is reached and Dockline can push to it; docker push in a terminal cannot yet."
        ),
        // Dockline itself is stopped by the first that is not this machine's own affair.
        [first, ..] => {
            let broken = failed.iter().find(|link| !is_local(link)).unwrap_or(first);
            format!("The connection to {registry} breaks at this link: {}.", lower(broken.title()))
        }
    }
}

fn lower(title: &str) -> String {
    let mut chars = title.chars();
    let is_name = title.starts_with("Dockline") || title.starts_with("SSH");
    match chars.next() {
        Some(first) if !is_name => first.to_lowercase().chain(chars).collect(),
        Some(_) | None => title.to_owned(),
    }
}

/// The text to copy.
pub(crate) fn text(report: &DoctorReport) -> String {
    let mut text = format!(
        "Dockline {} on {} {}: the way to {}{}\n",
        env!("CARGO_PKG_VERSION"),
        env::consts::OS,
        env::consts::ARCH,
        report.registry,
        if report.is_candidate { " (not configured yet)" } else { "" },
    );
    for view in &report.links {
        // Writing to a text cannot fail.
        let _ = line(&mut text, view);
    }
    if let Some(summary) = &report.summary {
        text.push_str(summary);
        text.push('\n');
    }
    without_home(text)
}

fn line(text: &mut String, view: &LinkView) -> std::fmt::Result {
    let title = view.link.title();
    match &view.state {
        LinkState::Passed { words } => writeln!(text, "  ok    {title}: {words}"),
        LinkState::Skipped { why } => writeln!(text, "  -     {title}: {why}"),
        LinkState::Waiting | LinkState::Running => writeln!(text, "  ?     {title}"),
        LinkState::Failed { error, remedy } => {
            let code = serde_json::to_value(error.code).unwrap_or_default();
            writeln!(text, "  FAIL  {title} [{}]: {}", code.as_str().unwrap_or_default(), error.message)?;
            match remedy {
                Remedy::Run { label, .. } => writeln!(text, "        fixes it: {label}")?,
                Remedy::Person { words } => writeln!(text, "        {words}")?,
            }
            for words in error.details.as_deref().unwrap_or_default().trim().lines() {
                writeln!(text, "        | {words}")?;
            }
            Ok(())
        }
    }
}

fn without_home(text: String) -> String {
    match env::home_dir() {
        // A home at the root, as containers have it, would shorten every path there is.
        Some(home) if home.components().count() > 1 => text.replace(&*home.to_string_lossy(), "~"),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{Code, DoctorId, UiError, UnixMillis};

    fn with(states: &[(Link, LinkState)]) -> Vec<LinkView> {
        let mut links = super::super::links();
        for view in &mut links {
            view.state = states
                .iter()
                .find(|(link, _)| *link == view.link)
                .map_or_else(|| LinkState::Passed { words: "Fine.".to_owned() }, |(_, state)| state.clone());
        }
        links
    }

    fn failed(code: Code) -> LinkState {
        LinkState::Failed {
            error: UiError::new(code, "It is not.").details("line one\nline two"),
            remedy: Remedy::Person { words: "Ask.".to_owned() },
        }
    }

    #[test]
    fn a_summary_says_what_works_and_what_does_not() {
        assert!(summary("cr.x.org", &with(&[])).contains("every link"));
        let local = with(&[(Link::Name, failed(Code::NameNotSetUp))]);
        assert!(summary("cr.x.org", &local).contains("docker push in a terminal cannot yet"));
        let broken = with(&[(Link::Name, failed(Code::NameNotSetUp)), (Link::Login, failed(Code::SshAuth))]);
        assert!(summary("cr.x.org", &broken).ends_with("breaks at this link: the SSH login."));
    }

    #[test]
    fn the_text_names_codes_and_remedies_and_no_home() {
        let mut links = with(&[(Link::Login, failed(Code::SshAuth))]);
        let home = env::home_dir().unwrap();
        links[0].state = LinkState::Passed { words: format!("{}/.ssh/config", home.display()) };
        let report = DoctorReport {
            id: DoctorId(1),
            registry: "cr.x.org".parse().unwrap(),
            is_candidate: false,
            links,
            started: UnixMillis(0),
            finished: Some(UnixMillis(1)),
            summary: Some("All of it.".to_owned()),
            text: None,
        };
        let text = text(&report);
        assert!(
            text.contains("FAIL  The SSH login [ssh-auth]: It is not.\n        Ask.\n        | line one")
        );
        assert!(text.contains("~/.ssh/config") && text.ends_with("All of it.\n"), "{text}");
    }
}
