//! All that the tray's program says by itself, in both languages, side by side: the menu, the icon's tooltip, the
//! notifications. What the owner says (why something failed) is in [`crate::sentences`].

mod menu;
mod notices;

use dockline_model::Language;

/// A language that the program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    English,
    /// Dutch.
    Dutch,
}

use Tongue::{Dutch, English};

impl Tongue {
    /// The one that the person chose, or their system's.
    #[must_use]
    pub fn of(chosen: Language) -> Self {
        match chosen {
            Language::En => English,
            Language::Nl => Dutch,
            Language::System => Self::of_system(),
        }
    }

    /// The system's.
    #[must_use]
    pub fn of_system() -> Self {
        Self::named(&crate::locale::preferred())
    }

    /// `nl_NL.UTF-8`, `nl-NL`, or a list of such.
    fn named(list: &str) -> Self {
        let known = list.split(':').find_map(|name| match name.get(..2)? {
            "nl" => Some(Dutch),
            "en" => Some(English),
            _ => None,
        });
        known.unwrap_or(English)
    }

    const fn either(self, english: &'static str, dutch: &'static str) -> &'static str {
        match self {
            English => english,
            Dutch => dutch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_known_is_spoken() {
        assert_eq!(Tongue::named("nl_NL.UTF-8"), Dutch);
        assert_eq!(Tongue::named("fy:nl:en"), Dutch);
        assert_eq!(Tongue::named("en_GB:nl"), English);
        for other in ["", "C", "POSIX", "fr_FR.UTF-8", "ñ"] {
            assert_eq!(Tongue::named(other), English, "{other}");
        }
        assert_eq!(Tongue::of(Language::Nl), Dutch);
    }
}
