//! Settings that are one of a few: the word of each value, in the configuration file and on the command line.

use crate::{Language, Theme, UpdateCheck};

/// A value that is one of a few, each with a word: the same as in JSON.
pub trait OneOf: Copy + PartialEq + 'static {
    /// Every value and its word, the usual one first.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of this value.
    #[must_use]
    fn word(self) -> &'static str;

    /// The value of this word.
    #[must_use]
    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }

    /// Every word.
    fn words() -> impl ExactSizeIterator<Item = &'static str> {
        Self::WORDS.iter().map(|(word, _)| *word)
    }
}

/// The match sees to it that no value is without a word.
macro_rules! one_of {
    ($name:ident { $($value:ident: $word:literal),+ $(,)? }) => {
        impl OneOf for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$value)),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word),+
                }
            }
        }
    };
}

one_of!(Theme { System: "system", Light: "light", Dark: "dark" });
one_of!(Language { System: "system", En: "en", Nl: "nl" });
one_of!(UpdateCheck { Off: "off", Daily: "daily", Weekly: "weekly" });

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use std::fmt::Debug;

    fn all_agree<T: OneOf + Default + Debug + Serialize>() {
        for (word, value) in T::WORDS {
            assert_eq!(value.word(), *word);
            assert_eq!(T::of(word), Some(*value));
            assert_eq!(serde_json::to_value(value).unwrap(), *word, "as in JSON");
        }
        assert_eq!(T::WORDS[0].1, T::default());
        assert_eq!(T::of("pink"), None);
        assert_eq!(T::of(""), None);
    }

    #[test]
    fn each_value_has_one_word_everywhere() {
        all_agree::<Theme>();
        all_agree::<Language>();
        all_agree::<UpdateCheck>();
    }
}
