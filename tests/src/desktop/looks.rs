//! How the window may look, and what has to hold in every look: nothing that cannot be read, and nothing outside.

use super::{Browser, screen::workspace};
use serde_json::json;

/// A way in which somebody has the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What the pictures are called after it.
    pub name: &'static str,
    /// A value of the theme's setting.
    pub theme: &'static str,
    /// A value of the language's setting.
    pub language: &'static str,
    /// The size of text, in hundredths of the usual one (WCAG 2.2, 1.4.4: up to 200).
    pub text: u32,
    /// The window's size in pixels.
    pub size: (u32, u32),
}

impl Look {
    /// As most people have it.
    pub const LIGHT: Self =
        Self { name: "light", theme: "light", language: "en", text: 100, size: (980, 680) };
    /// In the dark.
    pub const DARK: Self = Self { name: "dark", theme: "dark", ..Self::LIGHT };
    /// With text twice as large.
    pub const LARGE: Self = Self { name: "large", text: 200, size: (980, 820), ..Self::LIGHT };
    /// The longer language, in the dark, as narrow as the window gets.
    pub const DUTCH_NARROW: Self =
        Self { name: "dutch-narrow", language: "nl", size: (420, 760), ..Self::DARK };

    /// Every property of a look at least once. Further looks are seen in a browser (`npm run shots`).
    pub const ALL: [Self; 4] = [Self::LIGHT, Self::DARK, Self::LARGE, Self::DUTCH_NARROW];
}

/// A function that answers with a sentence for everything that a person could not read or reach; the pictures of the
/// page in a browser (`npm run shots`) ask the same.
const FLAWS: &str = include_str!("../../../ui/scripts/flaws.js");

/// A function that answers with a line for each rule of axe-core's that is broken; asked in both places, too.
const VIOLATIONS: &str = include_str!("../../../ui/scripts/violations.js");

impl Browser {
    /// Gives the window a look: theme, language and the size of text by the settings, as a person does.
    ///
    /// # Panics
    /// When the window does not follow.
    pub async fn wear(&self, look: &Look) {
        let Look { theme, language, text, size: (width, height), .. } = look;
        let change = json!({ "theme": theme, "language": language, "textPercent": text });
        self.dispatch(&json!({ "kind": "change-settings", "change": change })).await;
        self.see(&format!("html[data-theme={theme}][lang={language}]")).await;
        self.until(&format!(
            "return getComputedStyle(document.documentElement).fontSize === '{}px'",
            16 * text / 100
        ))
        .await;
        self.resize(*width, *height).await;
        // The window manager may take a few pixels for its frame.
        self.until(&format!("return Math.abs(innerWidth - {width}) < 24 && innerHeight <= {height}")).await;
    }

    /// What a person could not read or reach on the page as it is: a sentence each.
    ///
    /// # Panics
    /// When the page does not answer.
    pub async fn flaws(&self) -> Vec<String> {
        self.settled().await;
        serde_json::from_value(self.run(&format!("{FLAWS}\nreturn flaws();")).await)
            .expect("a list of sentences")
    }

    /// What axe-core finds wrong with what is seen now, colours included: one line for each rule that is broken, and for
    /// each text whose contrast it cannot tell.
    ///
    /// # Panics
    /// When axe-core is not installed (`npm ci` in ui/) or does not answer.
    pub async fn violations(&self) -> Vec<String> {
        self.settled().await;
        // Half a megabyte crosses the driver once for each page, not once for each question.
        if self.run("return window.axe === undefined").await == json!(true) {
            let path = workspace().join("ui/node_modules/axe-core/axe.min.js");
            let source =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            self.run(&source).await;
        }
        let asked = format!(
            "{VIOLATIONS}\nconst done = arguments[0]; violations().then(done, error => done([String(error)]));"
        );
        serde_json::from_value(self.run_async(&asked).await).expect("a list of sentences")
    }
}
