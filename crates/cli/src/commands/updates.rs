//! `dockline updates`.

use crate::{
    face::{Face, unexpected},
    format,
    output::Output,
    prompts::Answers,
};
use dockline_model::{Asked, Command, Reply, Settings, UiError, UnixMillis, UpdatesView};

/// Asks whether there is a newer version, or shows what the last answer was.
pub async fn updates(last: bool, output: Output) -> Result<(), UiError> {
    if last {
        let (face, snapshot) = Face::look(output).await?;
        face.close().await;
        let updates = &snapshot.updates;
        return output.result(updates, || kept(updates, &snapshot.settings, format::now()));
    }
    let (face, _) = Face::open_configured(Answers::Nobody, output).await?;
    let told = face.request(Command::CheckUpdates).await.and_then(|reply| {
        let Reply::Updates { updates } = reply else { return Err(unexpected(&reply)) };
        output.result(&updates, || {
            updates.last.as_ref().map_or_else(String::new, |last| text(last, &updates.running))
        })
    });
    face.close_when_unneeded().await;
    told
}

/// What an answer comes down to.
fn text(asked: &Asked, running: &str) -> String {
    match &asked.release {
        Some(release) => {
            let notes = release.notes.as_deref().map(|notes| format!("\n{notes}\n")).unwrap_or_default();
            format!("Dockline {} is available; this is {running}.\n{}\n{notes}", release.version, release.url)
        }
        None if asked.newest == running => format!("This is the newest version, {running}."),
        None => format!("This is {running}, and no newer version is known (the newest is {}).", asked.newest),
    }
}

/// What was known before anybody was asked.
fn kept(updates: &UpdatesView, settings: &Settings, now: UnixMillis) -> String {
    let ago = |at| format::seconds(format::seconds_between(at, now));
    let last = match (&updates.last, &settings.update_url) {
        (Some(last), _) => {
            format!("{}\nAsked {} ago.", text(last, &updates.running).trim_end(), ago(last.at))
        }
        (None, Some(url)) => format!("This is {}. There has been no answer of {url} yet.", updates.running),
        (None, None) => format!(
            "This is {}. No address is set to ask for newer versions: dockline settings set update-url https://…",
            updates.running
        ),
    };
    match &updates.failure {
        Some(failure) => {
            format!("{last}\nThe last time, {} ago, it failed: {}", ago(failure.at), failure.error.message)
        }
        None => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{Code, Release, UpdateFailure};

    #[test]
    fn what_is_new_is_said_with_its_page_and_without_it_that_there_is_nothing() {
        let release = Release {
            version: "1.2.0".to_owned(),
            url: "https://example.org/1.2.0".to_owned(),
            notes: Some("Faster.".to_owned()),
        };
        let asked =
            Asked { at: UnixMillis(0), newest: "1.2.0".to_owned(), release: Some(release), is_news: true };
        let said = "Dockline 1.2.0 is available; this is 1.0.0.\nhttps://example.org/1.2.0\n\nFaster.\n";
        assert_eq!(text(&asked, "1.0.0"), said);
        let same = Asked { release: None, ..asked.clone() };
        assert_eq!(text(&same, "1.2.0"), "This is the newest version, 1.2.0.");
        assert!(text(&same, "1.3.0").contains("no newer version is known (the newest is 1.2.0)"));
        let error = UiError::new(Code::TimedOut, "example.org did not say.");
        let failure = Some(UpdateFailure { at: UnixMillis(60_000), error });
        let view = UpdatesView { running: "1.0.0".to_owned(), asking: false, last: Some(asked), failure };
        let said = kept(&view, &Settings::default(), UnixMillis(180_000));
        assert!(said.contains("Asked 3 min ago.\n"), "{said}");
        assert!(said.ends_with("it failed: example.org did not say."), "{said}");
        let nothing = UpdatesView { last: None, failure: None, ..view };
        assert!(kept(&nothing, &Settings::default(), UnixMillis(0)).contains("No address is set"));
    }
}
