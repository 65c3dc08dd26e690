//! Which of a multi-platform image's images is wanted: this machine's, or one that a person names.

use oci_spec::image::{Descriptor, Platform};
use std::{fmt, str::FromStr};

/// A platform, in Go's words, which are the image-spec's (`GOOS`, `GOARCH`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a platform; write it as linux/arm64")]
pub struct InvalidPlatform(pub String);

impl Wanted {
    /// This machine's. Containers are Linux's on every desktop, whatever the desktop itself is.
    #[must_use]
    pub fn host() -> Self {
        let architecture = architecture(std::env::consts::ARCH).to_owned();
        Self { os: "linux".to_owned(), architecture, variant: None }
    }

    /// Go's name of the architecture.
    pub(crate) fn architecture(&self) -> &str {
        &self.architecture
    }

    pub(crate) fn fits(&self, platform: &Platform) -> bool {
        platform.os().to_string() == self.os
            && platform.architecture().to_string() == self.architecture
            && self.variant.as_ref().is_none_or(|variant| platform.variant().as_ref() == Some(variant))
    }
}

impl FromStr for Wanted {
    type Err = InvalidPlatform;

    /// Reads `linux/arm64`, `linux/arm/v7` or `arm64`.
    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let is_word = |word: &&str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(is_word) {
            return Err(InvalidPlatform(text.to_owned()));
        }
        let (os, architecture, variant) = match parts.as_slice() {
            [architecture] => ("linux", *architecture, None),
            [os, architecture] => (*os, *architecture, None),
            [os, architecture, variant] => (*os, *architecture, Some((*variant).to_owned())),
            _ => return Err(InvalidPlatform(text.to_owned())),
        };
        Ok(Self { os: os.to_owned(), architecture: self::architecture(architecture).to_owned(), variant })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// Rust's and uname's names of an architecture, in Go's words.
fn architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// The platforms of `descriptors` for a message.
pub(crate) fn list(descriptors: &[Descriptor]) -> String {
    let names: Vec<String> = descriptors
        .iter()
        .filter_map(|descriptor| descriptor.platform().as_ref())
        .map(|platform| match platform.variant() {
            Some(variant) => format!("{}/{}/{variant}", platform.os(), platform.architecture()),
            None => format!("{}/{}", platform.os(), platform.architecture()),
        })
        .collect();
    if names.is_empty() { "none that says which it is for".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::image::{Arch, Os, PlatformBuilder};

    #[test]
    fn a_platform_is_the_hosts_or_as_it_is_named() {
        let wanted: Wanted = "arm64".parse().unwrap();
        let platform = |os, arch| PlatformBuilder::default().os(os).architecture(arch).build().unwrap();
        assert!(wanted.fits(&platform(Os::Linux, Arch::ARM64)));
        assert!(!wanted.fits(&platform(Os::Linux, Arch::Amd64)));
        assert!(!wanted.fits(&platform(Os::Windows, Arch::ARM64)));
        let seventh: Wanted = "linux/arm/v7".parse().unwrap();
        assert_eq!(seventh.to_string(), "linux/arm/v7");
        assert!(!seventh.fits(&platform(Os::Linux, Arch::ARM)));
        assert_eq!("linux/x86_64".parse::<Wanted>().unwrap().to_string(), "linux/amd64");
        for bad in ["", "linux/", "a/b/c/d", "linux/am d64", "/arm64"] {
            assert!(bad.parse::<Wanted>().is_err(), "{bad:?} was accepted");
        }
    }
}
