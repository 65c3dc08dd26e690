//! Text as a terminal may have it. Names, histories and messages come from registries and hosts, where others write them:
//! whatever in them a terminal would obey is shown instead. Only colours of our own pass.

use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

/// Stands in each colour of ours and tells it from others': nobody who sends us text knows it. It has the form of further
/// parameters, so that whoever measures or breaks lines takes the whole for a colour.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let random = RandomState::new().hash_one(std::process::id()).to_be_bytes();
    // ECMA-48 sets no limit, but libraries read up to four digits.
    let groups: Vec<String> = random
        .chunks_exact(2)
        .map(|pair| format!("{:04}", u16::from_be_bytes([pair[0], pair[1]]) % 10_000))
        .collect();
    groups.join(";")
});

/// `text` in a colour, where the place it goes to has colours.
#[derive(Debug)]
pub struct Styled {
    text: String,
    /// SGR parameters, each with its semicolon before it.
    codes: String,
    is_for_stderr: bool,
}

/// Like [`console::style`], for standard output.
pub fn style(text: impl fmt::Display) -> Styled {
    Styled { text: text.to_string(), codes: String::new(), is_for_stderr: false }
}

impl Styled {
    fn coloured(&self) -> String {
        let (Self { text, codes, .. }, mark) = (self, MARK.as_str());
        format!("\x1b[{mark}{codes}m{text}\x1b[{mark};0m")
    }

    fn with(self, code: u8) -> Self {
        Self { codes: format!("{};{code}", self.codes), ..self }
    }

    pub fn bold(self) -> Self {
        self.with(1)
    }

    pub fn dim(self) -> Self {
        self.with(2)
    }

    pub fn red(self) -> Self {
        self.with(31)
    }

    pub fn green(self) -> Self {
        self.with(32)
    }

    pub fn yellow(self) -> Self {
        self.with(33)
    }

    pub fn cyan(self) -> Self {
        self.with(36)
    }

    /// It goes to standard error.
    pub fn for_stderr(self) -> Self {
        Self { is_for_stderr: true, ..self }
    }
}

impl fmt::Display for Styled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_colours =
            if self.is_for_stderr { console::colors_enabled_stderr() } else { console::colors_enabled() };
        f.write_str(&if has_colours { self.coloured() } else { self.text.clone() })
    }
}

/// Whether a terminal would obey it: begin a sequence, move, ring, or turn the order of what follows. Line ends and tabs
/// are no orders.
pub fn is_order(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(
            character,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A sign that can be seen, for one that would be obeyed (Unicode, “Control Pictures”).
fn picture(order: char) -> char {
    match u32::from(order) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// `text` without orders but our own colours, which [`for_terminal`] makes real.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_order) {
        return Cow::Borrowed(text);
    }
    // Servers end their lines as the network does.
    let text = text.replace("\r\n", "\n");
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        let length = own_colour(rest).map_or(character.len_utf8(), |codes| COLOUR + codes.len() + 1);
        match is_order(character) && length == character.len_utf8() {
            true => shown.push(picture(character)),
            false => shown.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    Cow::Owned(shown)
}

/// The same in a single line, as a cell of a table.
pub fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\u{240a}").replace('\t', " ")
}

/// `text` as it is written to a terminal, a file or a pipe for people.
pub fn for_terminal(text: &str) -> String {
    printable(text).replace(&format!("\x1b[{};", *MARK), "\x1b[")
}

/// Bytes of a colour before its codes: the introducer, the mark and a semicolon.
const COLOUR: usize = "\x1b[".len() + "0000;0000;0000;0000".len() + ";".len();

/// The codes of the colour of ours that `text` begins with.
fn own_colour(text: &str) -> Option<&str> {
    let codes = text.strip_prefix("\x1b[")?.strip_prefix(MARK.as_str())?.strip_prefix(';')?;
    let (codes, _) = codes.split_once('m')?;
    codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';').then_some(codes)
}

/// JSON whose texts hold no orders either: serde escapes only what JSON itself forbids, and the rest of them can stand
/// nowhere but in a text.
pub fn escaped(json: String) -> String {
    if !json.contains(is_order) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len()), |mut safe, character| {
        match is_order(character) {
            true => safe += &format!("\\u{:04x}", u32::from(character)),
            false => safe.push(character),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, shown) in [
            ("RUN echo \x1b]0;owned\x07", "RUN echo ␛]0;owned␇"),
            ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
            ("back\x08 del\x7f csi\u{9b}2J", "back␈ del␡ csi\u{fffd}2J"),
            ("over\rwritten", "over␍written"),
            (
                // The last two are letters of Hebrew's and Arabic's own, and turn nothing round.
                "txt.\u{202e}exe \u{2066}x\u{2069} \u{200f}\u{61c}",
                "txt.\u{fffd}exe \u{fffd}x\u{fffd} \u{200f}\u{61c}",
            ),
            ("a\r\n\tb é 漢字 👩‍🚀", "a\n\tb é 漢字 👩‍🚀"),
        ] {
            assert_eq!(for_terminal(text), shown);
            assert_eq!(printable(&printable(text)), printable(text));
        }
        assert_eq!(one_line("a\n\tb"), "a␊ b");
    }

    #[test]
    fn only_colours_of_our_own_pass() {
        let name = "app\x1b[32mv1";
        let styled = style(name).red().bold().coloured();
        assert_eq!(for_terminal(&styled), "\x1b[31;1mapp␛[32mv1\x1b[0m");
        assert_eq!(for_terminal(&printable(&styled)), for_terminal(&styled));
        assert_eq!(console::measure_text_width(&printable(&styled)), "app␛[32mv1".chars().count());
        // The form alone does not make one of ours.
        assert_eq!(for_terminal("\x1b[1234;1234;1234;1234;31m"), "␛[1234;1234;1234;1234;31m");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ "tag": "a\u{9b}2J\u{202e}\u{7f}\x1bé" });
        let text = escaped(value.to_string());
        assert!(!text.contains(is_order), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
