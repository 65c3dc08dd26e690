//! The bar's brightness on Linux. No desktop tells; the colours it asks programs to use are the best there is, and a wrong
//! guess is readable too, since the glyphs have a halo.

use super::super::tone::Tone;
use futures::StreamExt as _;
use std::{env, fs, path::Path};
use tokio::sync::mpsc;
use zbus::{
    Connection, Proxy,
    zvariant::{OwnedValue, Value},
};

/// Where desktops say which colours they want (XDG Desktop Portal, "Settings").
const PORTAL: &str = "org.freedesktop.portal.Desktop";
const PORTAL_PATH: &str = "/org/freedesktop/portal/desktop";
const SETTINGS: &str = "org.freedesktop.portal.Settings";
const NAMESPACE: &str = "org.freedesktop.appearance";
const KEY: &str = "color-scheme";

/// The guess by the desktop's name and its theme.
#[must_use]
pub fn at_start() -> Tone {
    let theme = env::var("GTK_THEME").unwrap_or_default();
    let settings = gtk_settings().unwrap_or_default();
    if has_dark_bar(&desktop()) || theme_is_dark(&theme, &settings) { Tone::DarkBar } else { Tone::LightBar }
}

/// What the desktop says from now on, beginning with what it says now; nothing where it says nothing.
#[must_use]
pub fn follow(bus: &Connection) -> mpsc::UnboundedReceiver<Tone> {
    let (tones, following) = mpsc::unbounded_channel();
    if !has_dark_bar(&desktop()) {
        let bus = bus.clone();
        tokio::spawn(async move {
            if let Err(error) = ask(&bus, &tones).await {
                tracing::debug!(%error, "the desktop does not say which colours it wants");
            }
        });
    }
    following
}

async fn ask(bus: &Connection, tones: &mpsc::UnboundedSender<Tone>) -> zbus::Result<()> {
    let portal = Proxy::new(bus, PORTAL, PORTAL_PATH, SETTINGS).await?;
    // Listening comes first, so that no change falls between.
    let mut changes = portal.receive_signal_with_args("SettingChanged", &[(0, NAMESPACE), (1, KEY)]).await?;
    let now: OwnedValue = match portal.call("ReadOne", &(NAMESPACE, KEY)).await {
        Ok(value) => value,
        // Version 1 of the interface.
        Err(_) => portal.call("Read", &(NAMESPACE, KEY)).await?,
    };
    let mut said = Some(now);
    loop {
        if let Some(tone) = said.as_deref().and_then(wanted)
            && tones.send(tone).is_err()
        {
            return Ok(());
        }
        let Some(change) = changes.next().await else { return Ok(()) };
        let (_, _, value): (String, String, OwnedValue) = change.body().deserialize()?;
        said = Some(value);
    }
}

/// 1 is dark, 2 is light, anything else no preference (XDG Desktop Portal, "color-scheme").
fn wanted(value: &Value<'_>) -> Option<Tone> {
    if let Value::Value(inner) = value {
        return wanted(inner);
    }
    let scheme = u32::try_from(value).ok()?;
    Some(match scheme {
        1 => Tone::DarkBar,
        2 => Tone::LightBar,
        _ => at_start(),
    })
}

fn desktop() -> String {
    env::var("XDG_CURRENT_DESKTOP").unwrap_or_default()
}

/// GNOME's top bar is dark whatever the theme; elsewhere the bar follows the theme.
fn has_dark_bar(desktop: &str) -> bool {
    desktop.split(':').any(|name| ["GNOME", "Unity"].iter().any(|dark| name.eq_ignore_ascii_case(dark)))
}

/// `theme` is GTK_THEME, `settings` GTK's settings.ini.
fn theme_is_dark(theme: &str, settings: &str) -> bool {
    let setting = |key: &str| {
        let lines = settings.lines().filter_map(|line| line.split_once('='));
        lines
            .filter(|(name, _)| name.trim() == key)
            .map(|(_, value)| value.trim().to_ascii_lowercase())
            .next()
    };
    let is_dark = |name: &str| name.to_ascii_lowercase().contains("dark");
    if !theme.is_empty() {
        return is_dark(theme);
    }
    setting("gtk-theme-name").is_some_and(|name| is_dark(&name))
        || setting("gtk-application-prefer-dark-theme").is_some_and(|on| on == "1" || on == "true")
}

fn gtk_settings() -> Option<String> {
    let folder = match env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => folder.into(),
        None => Path::new(&env::var_os("HOME")?).join(".config"),
    };
    fs::read_to_string(folder.join("gtk-3.0/settings.ini")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gnomes_bar_is_dark_and_others_follow_the_theme() {
        assert!(has_dark_bar("ubuntu:GNOME") && !has_dark_bar("XFCE") && !has_dark_bar(""));
        assert!(theme_is_dark("Adwaita:dark", "") && !theme_is_dark("Adwaita", ""));
        assert!(theme_is_dark("", "[Settings]\ngtk-theme-name = Adwaita-dark\n"));
        assert!(theme_is_dark("", "gtk-application-prefer-dark-theme=1\n"));
        assert!(!theme_is_dark("", "gtk-application-prefer-dark-theme=0\n"));
        assert!(!theme_is_dark("Adwaita", "gtk-theme-name=Adwaita-dark\n"), "the variable wins");
    }

    #[test]
    fn the_desktops_own_word_is_read_in_both_versions() {
        assert_eq!(wanted(&Value::U32(1)), Some(Tone::DarkBar));
        assert_eq!(wanted(&Value::Value(Box::new(Value::U32(2)))), Some(Tone::LightBar));
        assert_eq!(wanted(&Value::Str("dark".into())), None);
    }
}
