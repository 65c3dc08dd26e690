//! `dockline settings` and `dockline contexts`.

use crate::{
    arguments::{Change, SettingName, SettingsAction},
    face::{Face, unexpected},
    format,
    output::{Output, columns},
    prompts::Answers,
};
use console::Term;
use dockline_model::{
    Code, Command, ContextChoice, Notices, OneOf, Places, Reply, Settings, SettingsChange, UiError,
};
use serde::Serialize;

/// What is typed, and shown, where nobody is asked for newer versions.
const NO_ADDRESS: &str = "none";

/// What `--json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    settings: &'a Settings,
    places: &'a Places,
}

/// Shows all settings, or changes one.
pub async fn settings(change: Option<SettingsAction>, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Nobody, output).await?;
    let told = match change {
        None => {
            let shown = Shown { settings: &snapshot.settings, places: &snapshot.places };
            output.result(&shown, || text(&snapshot.settings, &snapshot.places))
        }
        Some(SettingsAction::Set(Change { setting, value })) => {
            match wanted(setting, &value, snapshot.settings.notices) {
                Ok(change) => changed(&face, change, output).await,
                Err(error) => Err(error),
            }
        }
    };
    face.close_when_unneeded().await;
    told
}

async fn changed(face: &Face, change: SettingsChange, output: Output) -> Result<(), UiError> {
    let reply = face.request(Command::ChangeSettings { change }).await?;
    let Reply::Settings { settings } = reply else { return Err(unexpected(&reply)) };
    output.result(&settings, || {
        let rows: Vec<String> = rows(&settings).into_iter().map(|row| row.join(" = ")).collect();
        rows.join("\n")
    })
}

/// The change that was typed.
fn wanted(setting: SettingName, value: &str, notices: Notices) -> Result<SettingsChange, UiError> {
    let none = SettingsChange::default();
    let truth = || match value {
        "on" | "true" | "yes" => Ok(true),
        "off" | "false" | "no" => Ok(false),
        _ => Err(refused(value, "on or off")),
    };
    let number = || value.parse::<u32>().map_err(|_| refused(value, "a whole number"));
    let with = |notices: Notices| Ok(SettingsChange { notices: Some(notices), ..SettingsChange::default() });
    match setting {
        SettingName::StartAtLogin => Ok(SettingsChange { start_at_login: Some(truth()?), ..none }),
        SettingName::TransfersPerRegistry => {
            Ok(SettingsChange { transfers_per_registry: Some(number()?), ..none })
        }
        SettingName::LingerSeconds => Ok(SettingsChange { linger_seconds: Some(number()?), ..none }),
        SettingName::KeepaliveSeconds => Ok(SettingsChange { keepalive_seconds: Some(number()?), ..none }),
        SettingName::Keyring => Ok(SettingsChange { keyring: Some(truth()?), ..none }),
        SettingName::TextPercent => Ok(SettingsChange { text_percent: Some(number()?), ..none }),
        SettingName::NotifyDone => with(Notices { done: truth()?, ..notices }),
        SettingName::NotifyFailed => with(Notices { failed: truth()?, ..notices }),
        SettingName::NotifyHostKey => with(Notices { host_key: truth()?, ..notices }),
        SettingName::NotifyTunnelLost => with(Notices { tunnel_lost: truth()?, ..notices }),
        SettingName::Theme => Ok(SettingsChange { theme: Some(chosen(value)?), ..none }),
        SettingName::Language => Ok(SettingsChange { language: Some(chosen(value)?), ..none }),
        SettingName::NotifyUpdate => with(Notices { update: truth()?, ..notices }),
        SettingName::UpdateCheck => Ok(SettingsChange { update_check: Some(chosen(value)?), ..none }),
        SettingName::UpdateUrl => {
            let url = if value == NO_ADDRESS { "" } else { value };
            Ok(SettingsChange { update_url: Some(url.to_owned()), ..none })
        }
        SettingName::DockerContext => {
            let context = match value {
                "as-docker" => ContextChoice::AsDocker,
                name => ContextChoice::Named { name: name.to_owned() },
            };
            Ok(SettingsChange { context: Some(context), ..none })
        }
    }
}

fn chosen<T: OneOf>(value: &str) -> Result<T, UiError> {
    T::of(value).ok_or_else(|| {
        let words: Vec<&str> = T::words().collect();
        let (last, others) = words.split_last().unwrap_or((&"", &[]));
        refused(value, &format!("{} or {last}", others.join(", ")))
    })
}

fn refused(value: &str, wanted: &str) -> UiError {
    UiError::new(Code::InvalidArgument, format!("“{value}” is not {wanted}."))
}

fn rows(settings: &Settings) -> Vec<Vec<String>> {
    let word = |on: bool| if on { "on" } else { "off" }.to_owned();
    let rows = [
        (
            "start-at-login",
            settings.start_at_login.map_or_else(|| "the desktop app is not here".to_owned(), word),
        ),
        ("transfers-per-registry", settings.transfers_per_registry.to_string()),
        ("linger-seconds", settings.linger_seconds.to_string()),
        ("keepalive-seconds", settings.keepalive_seconds.to_string()),
        ("keyring", word(settings.keyring)),
        ("notify-done", word(settings.notices.done)),
        ("notify-failed", word(settings.notices.failed)),
        ("notify-host-key", word(settings.notices.host_key)),
        ("notify-tunnel-lost", word(settings.notices.tunnel_lost)),
        ("notify-update", word(settings.notices.update)),
        ("theme", settings.theme.word().to_owned()),
        ("language", settings.language.word().to_owned()),
        ("text-percent", settings.text_percent.to_string()),
        ("docker-context", settings.context.clone().unwrap_or_else(|| "as-docker".to_owned())),
        ("update-check", settings.update_check.word().to_owned()),
        ("update-url", settings.update_url.clone().unwrap_or_else(|| NO_ADDRESS.to_owned())),
    ];
    rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
}

fn text(settings: &Settings, places: &Places) -> String {
    let width = columns(&Term::stdout());
    let files = [
        ("configuration", &places.config),
        ("state", &places.state),
        ("control socket", &places.control),
        ("hosts file", &places.hosts),
        ("OpenSSH", &places.ssh),
    ];
    let files: Vec<Vec<String>> =
        files.into_iter().map(|(what, path)| vec![what.to_owned(), path.clone()]).collect();
    format!(
        "{}\n{}",
        format::table(&["SETTING", "VALUE"], &rows(settings), width),
        format::table(&["FILE", "WHERE"], &files, width)
    )
}

/// The Docker contexts, and which one is used.
pub async fn contexts(output: Output) -> Result<(), UiError> {
    let (face, _) = Face::open_configured(Answers::Nobody, output).await?;
    let listed = face.request(Command::ListContexts).await;
    let told = listed.and_then(|reply| {
        let Reply::Contexts { contexts } = reply else { return Err(unexpected(&reply)) };
        output.result(&contexts, || {
            let row = |context: &dockline_model::ContextView| {
                let mark = if context.in_use { "*" } else { "" };
                let remark = context.unusable.clone().unwrap_or_default();
                vec![format!("{}{mark}", context.name), context.address.clone(), remark]
            };
            let rows: Vec<Vec<String>> = contexts.iter().map(row).collect();
            format::table(&["CONTEXT", "ADDRESS", "REMARK"], &rows, columns(&Term::stdout()))
        })
    });
    face.close_when_unneeded().await;
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::Theme;

    #[test]
    fn what_is_typed_becomes_one_change() {
        let notices = Notices { done: false, ..Notices::default() };
        let change = wanted(SettingName::NotifyFailed, "off", notices).unwrap();
        assert_eq!(change.notices, Some(Notices { done: false, failed: false, ..Notices::default() }));
        assert_eq!(wanted(SettingName::Theme, "dark", notices).unwrap().theme, Some(Theme::Dark));
        let context = wanted(SettingName::DockerContext, "as-docker", notices).unwrap().context;
        assert_eq!(context, Some(ContextChoice::AsDocker));
        for (setting, value) in [
            (SettingName::Theme, "pink"),
            (SettingName::Keyring, "maybe"),
            (SettingName::LingerSeconds, "-1"),
        ] {
            let error = wanted(setting, value, notices).unwrap_err();
            assert_eq!(error.code, Code::InvalidArgument);
            assert!(error.message.contains(value), "{error:?}");
        }
        let error = wanted(SettingName::Theme, "pink", notices).unwrap_err();
        assert_eq!(error.message, "“pink” is not system, light or dark.");
    }
}
