//! One line of the tray's menu.

use crate::choice::Choice;

/// Longest error that is put in the menu, in characters; the window shows all of it.
pub const LONGEST_NOTE: usize = 72;

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuEntry {
    /// Can be clicked.
    Action {
        /// What a click does.
        choice: Choice,
        /// What it says.
        text: String,
    },
    /// Can be clicked, and is on or off.
    Check {
        /// What a click does.
        choice: Choice,
        /// What it says.
        text: String,
        /// Which of the two.
        on: bool,
    },
    /// Says something; cannot be clicked.
    Note {
        /// What it says.
        text: String,
    },
    /// Has more lines beside it.
    Submenu {
        /// What it says.
        text: String,
        /// The lines.
        entries: Vec<MenuEntry>,
    },
    /// A line between groups.
    Separator,
}

impl MenuEntry {
    /// A click on it does that.
    #[must_use]
    pub fn action(choice: Choice, text: impl Into<String>) -> Self {
        Self::Action { choice, text: text.into() }
    }

    /// A note belongs to the entry above it, and is indented to show that.
    #[must_use]
    pub fn note(text: &str) -> Self {
        Self::Note { text: format!("    {}", shortened(text)) }
    }

    /// The entry's text; none for a separator.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Action { text, .. }
            | Self::Check { text, .. }
            | Self::Note { text }
            | Self::Submenu { text, .. } => Some(text),
            Self::Separator => None,
        }
    }

    /// What a click does, if anything.
    #[must_use]
    pub fn choice(&self) -> Option<&Choice> {
        match self {
            Self::Action { choice, .. } | Self::Check { choice, .. } => Some(choice),
            Self::Note { .. } | Self::Submenu { .. } | Self::Separator => None,
        }
    }

    /// The lines beside it.
    #[must_use]
    pub fn entries(&self) -> &[Self] {
        match self {
            Self::Submenu { entries, .. } => entries,
            Self::Action { .. } | Self::Check { .. } | Self::Note { .. } | Self::Separator => &[],
        }
    }

    /// Takes the lines beside it out of it.
    #[must_use]
    pub fn take_entries(&mut self) -> Vec<Self> {
        match self {
            Self::Submenu { entries, .. } => std::mem::take(entries),
            Self::Action { .. } | Self::Check { .. } | Self::Note { .. } | Self::Separator => Vec::new(),
        }
    }

    /// Whether `other` differs in nothing but what it says (and what is beside it), so that an open menu can be kept.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Action { choice: one, .. }, Self::Action { choice: two, .. }) => one == two,
            (Self::Check { .. }, Self::Check { .. })
            | (Self::Note { .. }, Self::Note { .. })
            | (Self::Submenu { .. }, Self::Submenu { .. })
            | (Self::Separator, Self::Separator) => true,
            (
                Self::Action { .. }
                | Self::Check { .. }
                | Self::Note { .. }
                | Self::Submenu { .. }
                | Self::Separator,
                _,
            ) => false,
        }
    }
}

/// On one line, of a length that a menu can have.
#[must_use]
pub fn shortened(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > LONGEST_NOTE {
        text = text.chars().take(LONGEST_NOTE - 1).collect::<String>();
        text.truncate(text.trim_end().len());
        text.push('…');
    }
    text
}
