//! Names of images, as the engine's API wants them.

use crate::EngineError;

/// A reference as the engine's API wants it: in two parts.
pub(crate) struct Name<'a> {
    pub(crate) whole: &'a str,
    pub(crate) repository: &'a str,
    /// Tag or digest.
    pub(crate) tag: &'a str,
}

impl<'a> Name<'a> {
    /// Takes `reference` apart. Its grammar is the engine's to check; here only what could leave its place in the
    /// request's path is refused.
    pub(crate) fn parse(reference: &'a str) -> Result<Self, EngineError> {
        let stays_in_place = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/@+".contains(&byte);
        let is_step = |part: &str| part.is_empty() || part.bytes().all(|byte| byte == b'.');
        if !reference.bytes().all(stays_in_place) || reference.split('/').any(is_step) {
            return Err(EngineError::Reference(reference.to_owned()));
        }
        let (repository, tag) = match reference.split_once('@') {
            Some(parts) => parts,
            // A colon before the last slash belongs to the registry's port.
            None => match reference.rsplit_once(':') {
                Some((repository, tag)) if !tag.contains('/') => (repository, tag),
                Some(_) | None => (reference, "latest"),
            },
        };
        if repository.is_empty() || tag.is_empty() {
            return Err(EngineError::Reference(reference.to_owned()));
        }
        Ok(Self { whole: reference, repository, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_taken_apart_and_cannot_leave_its_place() {
        let is = |text: &str, repository: &str, tag: &str| {
            let name = Name::parse(text).unwrap();
            assert_eq!((name.repository, name.tag), (repository, tag));
        };
        is("app", "app", "latest");
        is("cr.boss.org:5000/team/app:v1", "cr.boss.org:5000/team/app", "v1");
        is("cr.boss.org:5000/app", "cr.boss.org:5000/app", "latest");
        is("cr.boss.org/app@sha256:00", "cr.boss.org/app", "sha256:00");
        for bad in
            ["", "../containers", "a/../../b", "a//b", "a?b", "a#b", "a b", "a%2fb", "app:", ":v1", "ä"]
        {
            assert!(matches!(Name::parse(bad), Err(EngineError::Reference(_))), "{bad:?} was accepted");
        }
    }
}
