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

/// One image of several, which nobody has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOfSeveral {
    /// The platform of the one that is taken: `linux/amd64`.
    pub platform: String,
    /// How many others are left. Where there are none, what is left are attestations alone.
    pub left: usize,
}

impl OneOfSeveral {
    /// `None` where there are no others, or the one does not say what it is for.
    pub(crate) fn new(chosen: &Descriptor, images: &[Descriptor]) -> Option<Self> {
        let platform = shown(chosen.platform().as_ref()?);
        let left = images.len().checked_sub(1).filter(|left| *left > 0)?;
        Some(Self { platform, left })
    }

    /// The only image of an index that has attestations beside it.
    pub(crate) fn attested(only: &Descriptor) -> Self {
        Self { platform: only.platform().as_ref().map(shown).unwrap_or_default(), left: 0 }
    }
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

    /// How far a platform is from the wanted one; `None` if it is another. A processor runs what was built for an older
    /// variant of its architecture, as containerd has it (`platforms/compare.go`).
    pub(crate) fn distance(&self, os: &str, architecture: &str, variant: Option<&str>) -> Option<u32> {
        if os != self.os || architecture != self.architecture {
            return None;
        }
        let usual = usual_variant(architecture);
        let has = variant.filter(|variant| !variant.is_empty()).unwrap_or(usual);
        let wanted = self.variant.as_deref().unwrap_or(usual);
        if has == wanted {
            return Some(0);
        }
        let number = |variant: &str| variant.strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
        match (number(wanted), number(has)) {
            (Some(wanted), Some(has)) if has < wanted && architecture != "arm64" => Some(wanted - has),
            // Whoever names no variant takes any.
            _ if self.variant.is_none() => Some(u32::MAX),
            _ => None,
        }
    }

    pub(crate) fn fits(&self, platform: &Platform) -> bool {
        self.distance_to(platform).is_some()
    }

    /// Of several images, the one that is nearest.
    pub(crate) fn nearest<'a>(&self, images: &'a [Descriptor]) -> Option<&'a Descriptor> {
        let near = |image: &'a Descriptor| Some((self.distance_to(image.platform().as_ref()?)?, image));
        images.iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, image)| image)
    }

    fn distance_to(&self, platform: &Platform) -> Option<u32> {
        let (os, architecture) = (platform.os().to_string(), platform.architecture().to_string());
        self.distance(&os, &architecture, platform.variant().as_deref())
    }
}

/// The variant that is meant where none is named (containerd, `platforms/database.go`).
fn usual_variant(architecture: &str) -> &'static str {
    match architecture {
        "arm64" => "v8",
        "arm" => "v7",
        "amd64" => "v1",
        _ => "",
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

fn shown(platform: &Platform) -> String {
    match platform.variant() {
        Some(variant) => format!("{}/{}/{variant}", platform.os(), platform.architecture()),
        None => format!("{}/{}", platform.os(), platform.architecture()),
    }
}

/// The platforms of `descriptors` for a message.
pub(crate) fn list(descriptors: &[Descriptor]) -> String {
    let names: Vec<String> =
        descriptors.iter().filter_map(|descriptor| descriptor.platform().as_ref()).map(shown).collect();
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
        // Without a variant the seventh is meant.
        assert!(seventh.fits(&platform(Os::Linux, Arch::ARM)));
        assert_eq!("linux/x86_64".parse::<Wanted>().unwrap().to_string(), "linux/amd64");
        for bad in ["", "linux/", "a/b/c/d", "linux/am d64", "/arm64"] {
            assert!(bad.parse::<Wanted>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn an_older_variant_runs_and_the_nearest_is_taken() {
        let distance = |wanted: &str, os, architecture, variant| {
            wanted.parse::<Wanted>().unwrap().distance(os, architecture, variant)
        };
        assert_eq!(distance("linux/arm/v7", "linux", "arm", Some("v6")), Some(1));
        assert_eq!(distance("linux/arm/v6", "linux", "arm", Some("v7")), None);
        assert_eq!(distance("linux/arm64", "linux", "arm64", Some("v8")), Some(0));
        assert_eq!(distance("linux/arm64/v8", "linux", "arm64", None), Some(0));
        assert_eq!(distance("linux/amd64/v3", "linux", "amd64", None), Some(2));
        assert_eq!(distance("linux/amd64", "linux", "amd64", Some("v3")), Some(u32::MAX));
        assert_eq!(distance("linux/amd64", "windows", "amd64", None), None);
        assert_eq!(distance("linux/arm64", "linux", "arm", Some("v8")), None);

        let image = |variant: &str| -> Descriptor {
            let json = format!(
                r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,
                    "digest":"sha256:{}","platform":{{"os":"linux","architecture":"arm","variant":"{variant}"}}}}"#,
                "0".repeat(64)
            );
            serde_json::from_str(&json).unwrap()
        };
        let images = [image("v5"), image("v6"), image("v7")];
        let nearest = |wanted: &str| {
            let found = wanted.parse::<Wanted>().unwrap();
            let found = found.nearest(&images).and_then(|image| image.platform().clone());
            found.and_then(|platform| platform.variant().clone())
        };
        assert_eq!(nearest("linux/arm").as_deref(), Some("v7"));
        assert_eq!(nearest("linux/arm/v6").as_deref(), Some("v6"));
        assert_eq!(nearest("linux/amd64"), None);
    }
}
