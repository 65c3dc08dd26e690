//! Where a list goes on: the `Link` header (RFC 8288), and the guard against lists without an end.

use crate::{RegistryError, client::Client};
use reqwest::{
    Url,
    header::{HeaderMap, LINK},
};
use std::collections::HashSet;

/// Ten times what 10,000 names take in pages of ten; a list that goes on after that does not end.
const MOST_PAGES: usize = 10_000;

impl Client {
    /// Whether a page, by its address, is still to be read; notes it as read. The last page of some registries leads back to
    /// itself or to an earlier one: all is there then.
    ///
    /// # Errors
    /// When the list does not end.
    pub(in crate::client) fn is_unread(
        &self,
        read: &mut HashSet<String>,
        page: &str,
        what: &str,
    ) -> Result<bool, RegistryError> {
        if read.contains(page) {
            return Ok(false);
        }
        if read.len() == MOST_PAGES {
            return Err(self.protocol(format!(
                "its list for {what} goes on after {MOST_PAGES} pages; it, or a proxy before it, leads in circles"
            )));
        }
        read.insert(page.to_owned());
        Ok(true)
    }

    /// The next page, at our address.
    pub(in crate::client) fn next_page(&self, from: &Url, headers: &HeaderMap) -> Option<Url> {
        self.located(from, &next(headers)?)
    }
}

/// The target of the link to the next page: `</v2/app/tags/list?last=x>; rel="next"`, in whatever form RFC 8288 allows.
pub(in crate::client) fn next(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
}

fn next_of(mut links: &str) -> Option<String> {
    while let Some((_, rest)) = links.split_once('<') {
        let (target, rest) = rest.split_once('>')?;
        let (is_next, after) = parameters(rest);
        if is_next {
            return Some(target.trim().to_owned());
        }
        links = after;
    }
    None
}

/// Whether the parameters of one link say that it leads to the next page, and what follows them.
fn parameters(text: &str) -> (bool, &str) {
    let mut rest = text;
    // Of several `rel`s the first counts.
    let mut is_next = None;
    loop {
        let start = rest.trim_start();
        let Some(start) = start.strip_prefix(';') else { return (is_next.unwrap_or(false), start) };
        let end = start.find(['=', ';', ',']).unwrap_or(start.len());
        let (name, after) = start.split_at(end);
        let (value, left) = match after.strip_prefix('=') {
            Some(value) => value_of(value.trim_start()),
            None => ("", after),
        };
        if name.trim().eq_ignore_ascii_case("rel") {
            let mut kinds = value.split_ascii_whitespace();
            is_next = is_next.or_else(|| Some(kinds.any(|kind| kind.eq_ignore_ascii_case("next"))));
        }
        rest = left;
    }
}

/// A parameter's value, in quotes or without, and what follows it. Nothing of interest here has quotes inside.
fn value_of(text: &str) -> (&str, &str) {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => text.split_at(text.find([';', ',']).unwrap_or(text.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_to_the_next_page_are_found_in_every_legal_form() {
        for link in [
            r#"</v2/a?n=1>; rel="next""#,
            "</v2/a?n=1>; rel=next",
            "</v2/a?n=1>;rel=next",
            r#"</v2/a?n=1>; REL="Next""#,
            r#"</v2/a?n=1> ; title="a, b; c" ; rel = next"#,
            r#"</v2/a?n=1>; rel="last next""#,
            r#"</v2/z>; rel="prev", </v2/a?n=1>; rel="next""#,
            r#"</v2/z>, </v2/a?n=1>; rel=next; type="x""#,
        ] {
            assert_eq!(next_of(link).as_deref(), Some("/v2/a?n=1"), "{link}");
        }
        for link in
            ["", "</v2/a>", r#"</v2/a>; rel="prev""#, r#"</v2/a>; title="rel=next""#, "</v2/a; rel=next"]
        {
            assert_eq!(next_of(link), None, "{link}");
        }
        let mut headers = HeaderMap::new();
        headers.append(LINK, "</v2/z>; rel=first".parse().unwrap());
        headers.append(LINK, "</v2/a>; rel=next".parse().unwrap());
        assert_eq!(next(&headers).as_deref(), Some("/v2/a"));
    }

    proptest! {
        #[test]
        fn any_header_is_read_to_its_end(text in r#"[a-z<>;,="\\ é]{0,80}"#) {
            next_of(&text);
        }
    }
}
