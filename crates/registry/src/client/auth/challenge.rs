//! `WWW-Authenticate` (RFC 9110 §11.6.1), as far as registries use it.

/// A way in that a registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) enum Challenge {
    /// RFC 7617.
    Basic,
    /// Distribution's token specification.
    Bearer(Bearer),
}

/// Where tokens come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::client) struct Bearer {
    /// The token server's URL.
    pub(in crate::client) realm: String,
    /// What the registry is called there.
    pub(in crate::client) service: String,
    /// What the refused request needed, separated by blanks.
    pub(in crate::client) scope: String,
}

/// All challenges of one header that we know. Others, and what does not read, are passed over.
pub(in crate::client) fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let end = rest.find([' ', ',']).unwrap_or(rest.len());
        let (scheme, after) = rest.split_at(end);
        let (parameters, next) = parameters(after);
        let find = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        if scheme.eq_ignore_ascii_case("basic") {
            challenges.push(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer") && !find("realm").is_empty() {
            challenges.push(Challenge::Bearer(Bearer {
                realm: find("realm"),
                service: find("service"),
                scope: find("scope"),
            }));
        }
        rest = next.trim_start_matches([' ', ',']);
    }
    challenges
}

/// `name=value` pairs up to the next scheme or the end, and what is left.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let start = rest.trim_start_matches([' ', ',']);
        let name_end = start.find(['=', ' ', ',']).unwrap_or(start.len());
        let (name, after) = start.split_at(name_end);
        let Some(value) = after.strip_prefix('=').filter(|_| !name.is_empty()) else { return (found, start) };
        let (value, left) = match value.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted),
            None => {
                let end = value.find([',', ' ']).unwrap_or(value.len());
                (value[..end].to_owned(), &value[end..])
            }
        };
        found.push((name.to_owned(), value));
        rest = left;
    }
}

/// The text up to the closing quote, and what follows it.
fn quoted_string(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headers_of_real_registries_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/app:pull,push""#;
        let bearer = Bearer {
            realm: "https://auth.docker.io/token".to_owned(),
            service: "registry.docker.io".to_owned(),
            scope: "repository:library/app:pull,push".to_owned(),
        };
        assert_eq!(parse(hub), [Challenge::Bearer(bearer.clone())]);
        let refused = format!(r#"{hub},error="insufficient_scope""#);
        assert_eq!(parse(&refused), [Challenge::Bearer(bearer.clone())]);
        assert_eq!(parse(r#"Basic realm="Registry Realm""#), [Challenge::Basic]);
        assert_eq!(parse("basic"), [Challenge::Basic]);
        assert_eq!(
            parse(&format!(r#"Basic realm="a, b", {hub}"#)),
            [Challenge::Basic, Challenge::Bearer(bearer)]
        );
        for nothing in
            ["", "Negotiate", "Bearer", r#"Bearer realm="""#, ",,,", "=", r#"Digest realm="x", nonce="y""#]
        {
            assert_eq!(parse(nothing), [], "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_to_its_end(text in r#"[a-zA-Z=",\\ :éß]{0,80}"#) {
            parse(&text);
        }
    }
}
