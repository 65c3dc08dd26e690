//! Which registry and which repository a push is meant for. Pure.

use dockline_model::{Code, RegistryName, RegistrySpec, UiError, sentence};

/// Where to push to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushTarget {
    /// The registry.
    pub registry: RegistryName,
    /// Repository and tag there; as in the image if absent.
    pub reference: Option<String>,
}

/// Finds out where `image` is to be pushed: to `target` if that was given; otherwise to the registry that the image
/// is named for, or to the only one there is.
pub fn push_target(
    image: &str,
    target: Option<&str>,
    registries: &[RegistrySpec],
) -> Result<PushTarget, UiError> {
    if let Some(target) = target {
        let (authority, rest) = match target.split_once('/') {
            Some((authority, rest)) => (authority, Some(rest)),
            None => (target, None),
        };
        let spec = named(authority, registries)?;
        if rest == Some("") {
            return Err(UiError::new(
                Code::ReferenceInvalid,
                format!("{target} names no repository after the slash."),
            )
            .hint(format!("Leave the slash out, or write {}/app:v1.", spec.name)));
        }
        let own = rest.map(str::to_owned).or_else(|| named_for(image, spec));
        return Ok(PushTarget { registry: spec.name.clone(), reference: own });
    }
    if let Some((spec, rest)) =
        registries.iter().find_map(|spec| named_for(image, spec).map(|rest| (spec, rest)))
    {
        return Ok(PushTarget { registry: spec.name.clone(), reference: Some(rest) });
    }
    match registries {
        [] => Err(UiError::new(Code::RegistryUnknown, "No registry is configured.")
            .hint("Add one: dockline add cr.boss.org --ssh user@host")),
        [only] => Ok(PushTarget { registry: only.name.clone(), reference: None }),
        several => Err(UiError::new(Code::InvalidArgument, "There are several registries to push to.")
            .hint(format!("Name one of them: {}.", names(several)))),
    }
}

/// What comes after the registry in an image's name, if that is this registry.
fn named_for(image: &str, spec: &RegistrySpec) -> Option<String> {
    let (authority, rest) = image.split_once('/')?;
    (authority == spec.authority()
        || authority == spec.name.as_str()
        || authority == spec.listen().to_string())
    .then(|| rest.to_owned())
}

/// The registry with that name, and port if one is given.
pub fn named<'a>(authority: &str, registries: &'a [RegistrySpec]) -> Result<&'a RegistrySpec, UiError> {
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (authority, None),
    };
    let name: RegistryName =
        name.parse().map_err(|error| UiError::new(Code::InvalidArgument, sentence(&error)))?;
    let Some(spec) = registries.iter().find(|spec| spec.name == name) else {
        let error = UiError::new(Code::RegistryUnknown, format!("No registry named {name} is configured."));
        return Err(match registries {
            [] => error.hint(format!(
                "Add it: dockline add {name} --ssh user@host, or without SSH: dockline add {name} --no-tunnel"
            )),
            some => error.hint(format!(
                "Configured: {}. To add it: dockline add {name} --ssh user@host, or without SSH: dockline add {name} --no-tunnel",
                names(some)
            )),
        });
    };
    match port {
        Some(port) if port != spec.port.to_string() => Err(UiError::new(
            Code::InvalidArgument,
            format!("{name} is configured with port {}, not {port}.", spec.port),
        )
        .hint("The port may be left out.")),
        Some(_) | None => Ok(spec),
    }
}

fn names(registries: &[RegistrySpec]) -> String {
    registries.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether `image` is a file rather than a name: it was said so, or it ends like one. (An image that is called
/// `app.tar` can still be pushed as `app.tar:latest`.)
pub fn is_archive(image: &str, said_so: bool) -> bool {
    said_so || [".tar", ".tar.gz", ".tgz", ".tar.zst"].iter().any(|end| image.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str) -> RegistrySpec {
        RegistrySpec::new(name.parse().unwrap(), "a@h".parse().unwrap(), [127, 77, 1, 1].into())
    }

    fn target(image: &str, target: Option<&str>, count: usize) -> Result<(String, Option<String>), Code> {
        let registries = [spec("cr.boss.org"), spec("b.example")];
        push_target(image, target, &registries[..count])
            .map(|target| (target.registry.to_string(), target.reference))
            .map_err(|error| error.code)
    }

    fn to(registry: &str, reference: Option<&str>) -> Result<(String, Option<String>), Code> {
        Ok((registry.to_owned(), reference.map(str::to_owned)))
    }

    #[test]
    fn the_target_may_be_a_registry_or_a_reference() {
        assert_eq!(target("app:v1", Some("cr.boss.org"), 2), to("cr.boss.org", None));
        assert_eq!(target("app:v1", Some("CR.boss.org:5000"), 2), to("cr.boss.org", None));
        assert_eq!(
            target("app:v1", Some("cr.boss.org/team/app:v2"), 2),
            to("cr.boss.org", Some("team/app:v2"))
        );
        assert_eq!(target("app:v1", Some("b.example:5000/x"), 2), to("b.example", Some("x")));
        assert_eq!(
            target("cr.boss.org:5000/app:v1", Some("cr.boss.org"), 2),
            to("cr.boss.org", Some("app:v1"))
        );
    }

    #[test]
    fn without_a_target_the_image_or_the_only_registry_decides() {
        assert_eq!(target("b.example:5000/app:v1", None, 2), to("b.example", Some("app:v1")));
        assert_eq!(target("b.example/app", None, 2), to("b.example", Some("app")));
        assert_eq!(target("127.77.1.1:5000/app", None, 1), to("cr.boss.org", Some("app")));
        assert_eq!(target("app:v1", None, 1), to("cr.boss.org", None));
        assert_eq!(target("app:v1", None, 2), Err(Code::InvalidArgument));
        assert_eq!(target("app:v1", None, 0), Err(Code::RegistryUnknown));
    }

    #[test]
    fn wrong_targets_are_told_apart() {
        assert_eq!(target("app", Some("other.org"), 2), Err(Code::RegistryUnknown));
        assert_eq!(target("app", Some("cr.boss.org:443"), 2), Err(Code::InvalidArgument));
        assert_eq!(target("app", Some("registry"), 2), Err(Code::InvalidArgument));
        assert_eq!(target("app", Some("cr.boss.org/"), 2), Err(Code::ReferenceInvalid));
    }

    #[test]
    fn an_archive_is_told_by_its_end() {
        for archive in ["app.tar", "./app.tar.gz", "/tmp/app.tgz"] {
            assert!(is_archive(archive, false), "{archive}");
        }
        for image in ["app", "app:v1", "app.tar:latest", "team/tar"] {
            assert!(!is_archive(image, false), "{image}");
            assert!(is_archive(image, true), "{image}");
        }
    }
}
