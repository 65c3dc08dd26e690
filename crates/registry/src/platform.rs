//! Which of a multi-platform image's images this machine runs.

use oci_spec::image::{Descriptor, Platform};
use std::fmt;

/// The platform looked for. Containers are Linux's on every desktop, whatever the desktop itself is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    architecture: &'static str,
}

impl Wanted {
    /// This machine's.
    pub(crate) fn host() -> Self {
        Self { architecture: architecture(std::env::consts::ARCH) }
    }

    /// Go's name of the architecture.
    pub(crate) const fn architecture(self) -> &'static str {
        self.architecture
    }

    pub(crate) fn fits(self, platform: &Platform) -> bool {
        platform.os().to_string() == "linux" && platform.architecture().to_string() == self.architecture
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.architecture)
    }
}

/// Rust's name of an architecture, in Go's words, which are the image-spec's (`GOARCH`).
fn architecture(name: &'static str) -> &'static str {
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
    fn the_host_gets_linux_of_its_own_architecture() {
        let wanted = Wanted { architecture: "arm64" };
        let platform = |os, arch| PlatformBuilder::default().os(os).architecture(arch).build().unwrap();
        assert!(wanted.fits(&platform(Os::Linux, Arch::ARM64)));
        assert!(!wanted.fits(&platform(Os::Linux, Arch::Amd64)));
        assert!(!wanted.fits(&platform(Os::Windows, Arch::ARM64)));
        assert_eq!(Wanted { architecture: architecture("x86_64") }.to_string(), "linux/amd64");
    }
}
