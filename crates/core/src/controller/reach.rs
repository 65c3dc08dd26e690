//! Under which name an engine gets to a registry behind a tunnel. Pure.
//!
//! An engine that shares this machine's loopback has the registry at its own address. One in a virtual machine, or in a
//! network namespace of its own, has not, and goes where `dockline setup` had Dockline listen for it.

use crate::setup::listeners::error_at_localhost;
use dockline_model::{Code, EngineKind, RegistrySpec, TunnelView, UiError};

/// How.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// By the registry's name, where the hosts file has it, or by its address.
    Loopback,
    /// At this `host:port` alone.
    Only(String),
}

/// How an engine of that `kind` gets to the registry, while its tunnel looks like `view`.
///
/// # Errors
/// `EngineCannotReach` where no way is set up; or why Dockline cannot listen where the engine would look.
pub(super) fn reach(kind: &EngineKind, spec: &RegistrySpec, view: &TunnelView) -> Result<Reach, UiError> {
    if !spec.has_tunnel() {
        return Ok(Reach::Loopback);
    }
    if let Some(host) = kind.name_of_host() {
        let port = spec.at_localhost().ok_or_else(|| {
            cannot_reach(format!(
                "The engine runs in a virtual machine and sees only 127.0.0.1 of this one, and {} is not there.",
                spec.name
            ))
            .hint(format!("Let Dockline listen there, and tell the engine: dockline setup {}", spec.name))
        })?;
        return match error_at_localhost(spec, view) {
            Some(error) => Err(error.clone()),
            None => Ok(Reach::Only(format!("{host}:{port}"))),
        };
    }
    if *kind == EngineKind::DockerRootless {
        let gateway = spec.gateway.ok_or_else(|| {
            cannot_reach(format!(
                "Docker runs rootless here, in a network of its own, and does not see {}, the loopback address of {}.",
                spec.address, spec.name
            ))
            .hint(format!(
                "Push with `dockline push IMAGE`, which needs no setting. Or give the registry the address of a bridge that the \
                 engine's network reaches (“Address for containers” in the window, gateway in the configuration), then run \
                 dockline setup {} again.",
                spec.name
            ))
        })?;
        return match &view.gateway_error {
            Some(error) => Err((**error).clone()),
            None => Ok(Reach::Only(format!("{gateway}:{}", spec.port))),
        };
    }
    Ok(Reach::Loopback)
}

fn cannot_reach(message: String) -> UiError {
    UiError::new(Code::EngineCannotReach, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> RegistrySpec {
        let text = "[[registry]]\nname = \"cr.boss.org\"\nssh = \"me@host\"\naddress = \"127.77.1.5\"\n";
        crate::config::parse(text).unwrap().registries.remove(0)
    }

    #[test]
    fn engines_beside_us_use_our_loopback_and_others_what_was_set_up_for_them() {
        let (spec, view) = (spec(), TunnelView::idle());
        for kind in [EngineKind::DockerNative, EngineKind::Podman, EngineKind::PodmanRootless] {
            assert_eq!(reach(&kind, &spec, &view), Ok(Reach::Loopback), "{kind:?}");
        }
        let machine = EngineKind::PodmanMachine { machine: "m".into() };
        for kind in [&EngineKind::DockerDesktop, &machine, &EngineKind::DockerRootless] {
            let error = reach(kind, &spec, &view).unwrap_err();
            assert_eq!(error.code, Code::EngineCannotReach);
            assert!(error.hint.unwrap().contains("dockline setup cr.boss.org"));
        }
        let set_up = RegistrySpec {
            localhost_port: Some(5432),
            gateway: Some([172, 17, 0, 1].into()),
            ..spec.clone()
        };
        let only = |authority: &str| Ok(Reach::Only(authority.to_owned()));
        assert_eq!(reach(&EngineKind::DockerDesktop, &set_up, &view), only("host.docker.internal:5432"));
        assert_eq!(reach(&machine, &set_up, &view), only("host.containers.internal:5432"));
        assert_eq!(reach(&EngineKind::DockerRootless, &set_up, &view), only("172.17.0.1:5000"));
        // Where nobody listens, nobody is sent.
        let error = Box::new(UiError::new(Code::PortInUse, "x"));
        let short = TunnelView { localhost_error: Some(error.clone()), gateway_error: Some(error), ..view };
        for kind in [EngineKind::DockerDesktop, EngineKind::DockerRootless] {
            assert_eq!(reach(&kind, &set_up, &short).unwrap_err().code, Code::PortInUse);
        }
        // 127.0.0.1 is its address where there is no other (macOS).
        let at_localhost = RegistrySpec { address: [127, 0, 0, 1].into(), ..spec };
        assert_eq!(
            reach(&EngineKind::DockerDesktop, &at_localhost, &TunnelView::idle()),
            only("host.docker.internal:5000")
        );
        let listener_error = Some(UiError::new(Code::PortInUse, "x"));
        let held = TunnelView { listener_error, ..TunnelView::idle() };
        assert_eq!(
            reach(&EngineKind::DockerDesktop, &at_localhost, &held).unwrap_err().code,
            Code::PortInUse
        );
    }
}
