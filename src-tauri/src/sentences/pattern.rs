//! One pattern, laid over a text: `The SSH host {1} could not be found: {2!}.`
//!
//! The same as the window's regular expressions: each place takes as little as it can and at least one character; `{1}`
//! does not go beyond the end of a sentence, `{1!}` goes anywhere.

/// A place in a pattern: `{1}`, or `{1!}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    number: u8,
    /// Whether it takes whole sentences, which are said in Dutch in turn.
    pub is_nested: bool,
}

/// What stands in the places of `pattern` if it is `text` from end to end.
pub fn values<'t>(pattern: &str, text: &'t str) -> Option<Vec<(Slot, &'t str)>> {
    // Most patterns are told apart by their last words, which costs next to nothing.
    let end = pattern.rfind('}').map_or(pattern, |at| &pattern[at + 1..]);
    let mut values = Vec::new();
    (text.ends_with(end) && match_from(pattern, text, &mut values)).then_some(values)
}

/// `pattern` with each place filled.
pub fn filled(pattern: &str, mut fill: impl FnMut(Slot) -> String) -> String {
    let (mut said, mut rest) = (String::new(), pattern);
    while let Some((own, slot, after)) = next_slot(rest) {
        said.push_str(own);
        said.push_str(&fill(slot));
        rest = after;
    }
    said + rest
}

/// The text with the first place where `pattern` is in it replaced. Its one slot takes a name, and as much of it as there is.
pub fn replaced(text: &str, pattern: &str, by: &str) -> Option<String> {
    let Some((own, _, after)) = next_slot(pattern) else {
        return text.contains(pattern).then(|| text.replacen(pattern, by, 1));
    };
    text.match_indices(own).find_map(|(at, _)| {
        let rest = &text[at + own.len()..];
        let longest = rest.find(|c: char| c.is_whitespace() || c == '`' || c == ',').unwrap_or(rest.len());
        let mut ends = rest[..longest].char_indices().rev().map(|(at, last)| at + last.len_utf8());
        let end = ends.find(|end| rest[*end..].starts_with(after))?;
        let said = filled(by, |_| rest[..end].to_owned());
        Some(format!("{}{said}{}", &text[..at], &rest[end + after.len()..]))
    })
}

/// The pattern's own words up to the next place, that place, and what comes after it.
fn next_slot(pattern: &str) -> Option<(&str, Slot, &str)> {
    pattern.match_indices('{').find_map(|(at, _)| {
        let (is_nested, length) = match pattern.as_bytes().get(at + 1..)? {
            [digit, b'}', ..] if digit.is_ascii_digit() => (false, 3),
            [digit, b'!', b'}', ..] if digit.is_ascii_digit() => (true, 4),
            _ => return None,
        };
        let number = pattern.as_bytes()[at + 1] - b'0';
        Some((&pattern[..at], Slot { number, is_nested }, &pattern[at + length..]))
    })
}

fn match_from<'t>(pattern: &str, text: &'t str, values: &mut Vec<(Slot, &'t str)>) -> bool {
    let Some((own, slot, after)) = next_slot(pattern) else { return pattern == text };
    let Some(text) = text.strip_prefix(own) else { return false };
    let Some(first) = text.chars().next() else { return false };
    // As far as the place can go.
    let limit = if slot.is_nested { text.len() } else { end_of_sentence(text) };
    let own_end = next_slot(after).map_or(after, |(own, ..)| own);
    let mut end = first.len_utf8();
    let before = values.len();
    while let Some(next) = find(text, own_end, end)
        && next <= limit
    {
        // Without words of its own after it, it takes all that is left.
        let next = if after.is_empty() { text.len() } else { next };
        values.push((slot, &text[..next]));
        if next <= limit && match_from(after, &text[next..], values) {
            return true;
        }
        values.truncate(before);
        match text[next..].chars().next() {
            Some(passed) => end = next + passed.len_utf8(),
            None => return false,
        }
    }
    false
}

/// Where `words` are in the text from there on. Nothing is prepared, as [`str::find`] does, since few texts are searched twice.
fn find(text: &str, words: &str, from: usize) -> Option<usize> {
    let Some(first) = words.chars().next() else { return Some(from) };
    let mut begins = text[from..].match_indices(first).map(|(at, _)| from + at);
    begins.find(|at| text[*at..].starts_with(words))
}

/// Where the first of the characters is that end a sentence before another.
fn end_of_sentence(text: &str) -> usize {
    let ends = text.match_indices(['.', '!', '?']).map(|(at, _)| at);
    let mut ends = ends.filter(|end| text[end + 1..].starts_with(' '));
    ends.next().unwrap_or(text.len())
}
