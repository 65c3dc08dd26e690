//! Whether the bar that the tray sits in is dark or light. No platform but macOS (which recolours template
//! images itself) tells; a wrong guess is readable too, since the glyphs have a halo.

/// The bar's brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Wants a light glyph.
    DarkBar,
    /// Wants a dark glyph.
    LightBar,
}

/// Guesses; on Linux it must be called on the main thread.
#[must_use]
pub fn of_bar() -> Tone {
    platform_tone()
}

#[cfg(target_os = "linux")]
fn platform_tone() -> Tone {
    use gtk::prelude::GtkSettingsExt as _;
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let (prefers_dark, theme) = gtk::Settings::default().map_or((false, None), |settings| {
        (settings.is_gtk_application_prefer_dark_theme(), settings.gtk_theme_name())
    });
    from_desktop(&desktop, prefers_dark, theme.as_deref().unwrap_or_default())
}

#[cfg(target_os = "macos")]
const fn platform_tone() -> Tone {
    Tone::LightBar
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
const fn platform_tone() -> Tone {
    Tone::DarkBar
}

/// GNOME's top bar is dark whatever the theme; elsewhere the bar follows the theme.
#[cfg(any(target_os = "linux", test))]
fn from_desktop(desktop: &str, prefers_dark: bool, theme: &str) -> Tone {
    let always_dark =
        desktop.split(':').any(|name| ["GNOME", "Unity"].iter().any(|dark| name.eq_ignore_ascii_case(dark)));
    let theme_is_dark = prefers_dark || theme.to_ascii_lowercase().contains("dark");
    if always_dark || theme_is_dark { Tone::DarkBar } else { Tone::LightBar }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gnomes_bar_is_dark_and_others_follow_the_theme() {
        assert_eq!(from_desktop("ubuntu:GNOME", false, "Yaru"), Tone::DarkBar);
        assert_eq!(from_desktop("XFCE", false, "Adwaita"), Tone::LightBar);
        assert_eq!(from_desktop("XFCE", false, "Adwaita-dark"), Tone::DarkBar);
        assert_eq!(from_desktop("KDE", true, "Breeze"), Tone::DarkBar);
        assert_eq!(from_desktop("", false, ""), Tone::LightBar);
    }
}
