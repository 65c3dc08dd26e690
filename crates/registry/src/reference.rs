//! Image references: `[host[:port]/]repository[:tag][@digest]`.
//!
//! The grammar is distribution's (`reference/reference.go`); what counts as a host is docker's rule
//! (`splitDockerDomain` in the same package): the part before the first slash, if it has a dot or a colon in it
//! or is `localhost`. Unlike docker, a reference without a host stays without one: which registry is meant is
//! for the caller to say.

use crate::{Digest, InvalidDigest};
use std::{fmt, str::FromStr};

/// Longest repository name distribution accepts (`RepositoryNameTotalLengthMax`).
const LONGEST_NAME: usize = 255;
/// Longest tag (`[\w][\w.-]{0,127}`).
const LONGEST_TAG: usize = 128;

/// A parsed image reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: Option<String>,
    port: Option<u16>,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not a reference. The message is a whole sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// Nothing was given.
    #[error("an image needs a name, such as app:v1")]
    Empty,
    /// Upper case in the repository.
    #[error("“{0}” has capital letters in its name; repositories are written in lower case")]
    UpperCase(String),
    /// The repository breaks the grammar.
    #[error(
        "“{0}” is not a repository name: use lower-case letters and digits, with . _ - or / between them, \
         as in team/app"
    )]
    Repository(String),
    /// The host or its port breaks the grammar.
    #[error("“{0}” is not a registry's address; write it as cr.boss.org or cr.boss.org:5000")]
    Host(String),
    /// The tag breaks the grammar.
    #[error("“{0}” is not a tag: use up to 128 letters, digits, dots, underscores and hyphens, as in v1.0")]
    Tag(String),
    /// The digest breaks the grammar.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// The name is too long.
    #[error("“{0}” is too long: a repository's name has 255 characters at most")]
    TooLong(String),
    /// 64 hexadecimal digits alone are an image's ID, not its name.
    #[error("“{0}” is an image's ID, not its name; give the image a name first, such as app:v1")]
    Identifier(String),
}

impl Reference {
    /// A reference without a host.
    ///
    /// # Errors
    /// When repository or tag break the grammar.
    pub fn new(repository: &str, tag: &str) -> Result<Self, InvalidReference> {
        check_repository(repository)?;
        check_tag(tag)?;
        Ok(Self {
            host: None,
            port: None,
            repository: repository.to_owned(),
            tag: Some(tag.to_owned()),
            digest: None,
        })
    }

    /// The registry's host name, in lower case; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The registry's port.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// `host[:port]`.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        let host = self.host.as_ref()?;
        Some(self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    }

    /// The repository, without host, tag and digest.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The tag, or `latest` as docker has it.
    #[must_use]
    pub fn tag_or_latest(&self) -> &str {
        self.tag().unwrap_or("latest")
    }

    /// The digest, if one was written.
    #[must_use]
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What stands in `/v2/<repository>/manifests/<here>`: the digest, which is exact, before the tag.
    #[must_use]
    pub fn tag_or_digest(&self) -> String {
        self.digest.as_ref().map_or_else(|| self.tag_or_latest().to_owned(), Digest::to_string)
    }

    /// The same image at another registry: `authority` is `host[:port]`.
    ///
    /// # Errors
    /// When `authority` is not one, or would be taken for a part of the repository (no dot, no colon).
    pub fn with_host(&self, authority: &str) -> Result<Self, InvalidReference> {
        let (host, port) = parse_authority(authority)?;
        if !names_a_host(authority) {
            return Err(InvalidReference::Host(authority.to_owned()));
        }
        Ok(Self { host: Some(host), port, ..self.clone() })
    }

    /// The same image without its registry: `team/app:v1`.
    #[must_use]
    pub fn without_host(&self) -> Self {
        Self { host: None, port: None, ..self.clone() }
    }

    /// The same repository with another tag and no digest.
    ///
    /// # Errors
    /// When `tag` is not one.
    pub fn with_tag(&self, tag: &str) -> Result<Self, InvalidReference> {
        check_tag(tag)?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// Says the tag that is meant: `app` becomes `app:latest`; a digest or a tag stays as it is.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut normalised = self.clone();
        if normalised.tag.is_none() && normalised.digest.is_none() {
            normalised.tag = Some("latest".to_owned());
        }
        normalised
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidReference::Empty);
        }
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidReference::Identifier(text.to_owned()));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>()?)),
            None => (text, None),
        };
        let (authority, rest) = match rest.split_once('/') {
            Some((first, rest)) if names_a_host(first) => (Some(first), rest),
            Some(_) | None => (None, rest),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        let (host, port) = match authority {
            Some(authority) => {
                let (host, port) = parse_authority(authority)?;
                (Some(host), port)
            }
            None => (None, None),
        };
        check_repository(repository)?;
        if let Some(tag) = tag {
            check_tag(tag)?;
        }
        Ok(Self { host, port, repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(authority) = self.authority() {
            write!(f, "{authority}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Docker's rule for what stands before the first slash.
fn names_a_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn parse_authority(text: &str) -> Result<(String, Option<u16>), InvalidReference> {
    let invalid = || InvalidReference::Host(text.to_owned());
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, after) = bracketed.split_once(']').ok_or_else(invalid)?;
        address.parse::<std::net::Ipv6Addr>().map_err(|_| invalid())?;
        let port = if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or_else(invalid)?) };
        (format!("[{}]", address.to_ascii_lowercase()), port)
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        let label_is_valid = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !host.split('.').all(label_is_valid) {
            return Err(invalid());
        }
        (host.to_ascii_lowercase(), port)
    };
    let port = match port {
        // `u16::from_str` takes a leading plus; a port has none.
        Some(port) if !port.bytes().all(|b| b.is_ascii_digit()) => return Err(invalid()),
        Some(port) => Some(port.parse::<u16>().ok().filter(|p| *p != 0).ok_or_else(invalid)?),
        None => None,
    };
    Ok((host, port))
}

/// Whether `name` follows distribution's grammar for repositories: components of lower-case letters and digits
/// joined by one dot, one or two underscores, or any number of hyphens.
pub(crate) fn check_repository(name: &str) -> Result<(), InvalidReference> {
    if name.is_empty() {
        return Err(InvalidReference::Empty);
    }
    if name.len() > LONGEST_NAME {
        return Err(InvalidReference::TooLong(name.to_owned()));
    }
    if name.split('/').all(component_is_valid) {
        return Ok(());
    }
    if name.to_ascii_lowercase().split('/').all(component_is_valid) {
        return Err(InvalidReference::UpperCase(name.to_owned()));
    }
    Err(InvalidReference::Repository(name.to_owned()))
}

fn component_is_valid(component: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().copied().is_some_and(is_word) || !bytes.last().copied().is_some_and(is_word) {
        return false;
    }
    component
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|separator| matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-'))
}

/// Whether `tag` is `[\w][\w.-]{0,127}`.
pub(crate) fn check_tag(tag: &str) -> Result<(), InvalidReference> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_valid = tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'));
    if is_valid { Ok(()) } else { Err(InvalidReference::Tag(tag.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn hosts_are_told_from_repositories_as_docker_does() {
        for (text, authority, repository, tag) in [
            ("app", None, "app", None),
            ("app:v1", None, "app", Some("v1")),
            ("team/app:v1", None, "team/app", Some("v1")),
            ("cr.boss.org/app:v1", Some("cr.boss.org"), "app", Some("v1")),
            ("cr.boss.org:5000/team/app", Some("cr.boss.org:5000"), "team/app", None),
            ("localhost/app", Some("localhost"), "app", None),
            ("registry:5000/app", Some("registry:5000"), "app", None),
            ("127.77.1.2:5000/app:1", Some("127.77.1.2:5000"), "app", Some("1")),
            ("[::1]:5000/app", Some("[::1]:5000"), "app", None),
            // No slash: a name and a tag, even if it looks like a host and a port.
            ("localhost:5000", None, "localhost", Some("5000")),
            ("cr.boss.org", None, "cr.boss.org", None),
            ("CR.Boss.org/app", Some("cr.boss.org"), "app", None),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.authority().as_deref(), authority, "{text}");
            assert_eq!(reference.repository(), repository, "{text}");
            assert_eq!(reference.tag(), tag, "{text}");
        }
        let text = format!("cr.boss.org:5000/team/app@{DIGEST}");
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), text);
        assert_eq!(reference.tag_or_digest(), DIGEST);
        assert_eq!(reference.normalised(), reference);
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for bad in [
            "",
            " ",
            "/app",
            "app/",
            "a//b",
            "App",
            "Team/app",
            "app:",
            "app:-x",
            "app:a b",
            "a..b/c",
            ".app",
            "app.",
            "a___b",
            "cr.boss.org:0/app",
            "cr.boss.org:x/app",
            "cr.boss.org:+1/app",
            "-a.b/app",
            "a.b:99999/app",
            "app@sha256:abc",
            "app@",
            "a/../b",
            "a.b/..",
            "[::1/app",
            "[x]:1/app",
            "a:b:c",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad:?} was accepted");
        }
        assert!(matches!("App".parse::<Reference>(), Err(InvalidReference::UpperCase(_))));
        assert!(format!("app:{}", "x".repeat(129)).parse::<Reference>().is_err());
        assert!("x".repeat(256).parse::<Reference>().is_err());
    }

    #[test]
    fn a_registry_can_be_put_in_front() {
        let app: Reference = "app".parse().unwrap();
        let there = app.with_host("cr.boss.org:5000").unwrap();
        assert_eq!(there.to_string(), "cr.boss.org:5000/app");
        assert_eq!(there.normalised().to_string(), "cr.boss.org:5000/app:latest");
        assert_eq!(there.without_host(), app);
        assert!(app.with_host("registry").is_err());
        assert!(app.with_host("a b").is_err());
    }

    proptest! {
        #[test]
        fn references_read_back_as_written(
            authority in proptest::option::of("([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\\.){1,3}[a-z]{2,5}(:[1-9][0-9]{0,3})?"),
            repository in "[a-z0-9]+((\\.|_|__|-{1,3})[a-z0-9]+){0,2}(/[a-z0-9]+((\\.|_|__|-{1,3})[a-z0-9]+){0,2}){0,2}",
            tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
            digested in any::<bool>(),
        ) {
            let host_part = authority.as_ref().map(|a| format!("{a}/")).unwrap_or_default();
            // Without a host of its own, a repository such as `a.b/c` starts with one.
            let own = repository.split_once('/').is_some_and(|(first, _)| names_a_host(first));
            prop_assume!(authority.is_some() || !own);
            let tag_part = tag.as_ref().map(|t| format!(":{t}")).unwrap_or_default();
            let digest_part = if digested { format!("@{DIGEST}") } else { String::new() };
            let text = format!("{host_part}{repository}{tag_part}{digest_part}");
            prop_assume!(text.len() != 64);
            let reference: Reference = text.parse().unwrap();
            prop_assert_eq!(reference.to_string(), text);
            prop_assert_eq!(reference.repository(), repository);
            prop_assert_eq!(reference.authority(), authority);
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,40}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
            }
        }
    }
}
