//! What mends a broken link: a command of Dockline's where there is one, else who can, and how.

use super::Examination;
use dockline_model::{
    Code, Command, EngineKind, LinkView, RegistryName, RegistrySpec, Remedy, SetupAction, UiError,
};
use std::io;

impl<F: FnMut(&[LinkView]) + Send> Examination<F> {
    /// The plan of what the engine and the hosts file need.
    pub(super) fn set_up(&self) -> Remedy {
        set_up(&self.case.spec.name)
    }

    /// What goes with an error: where a person's answer or another try mends it, connecting does; else whoever the
    /// error's own hint names.
    pub(super) fn person(&self, error: &UiError) -> Remedy {
        let is_asked = matches!(error.code, Code::HostKeyUnknown | Code::NobodyToAsk);
        if is_asked && !self.case.is_candidate {
            return Remedy::Run {
                label: "Connect, and answer its question".to_owned(),
                command: Box::new(Command::Connect { registry: self.case.spec.name.clone(), hold: false }),
            };
        }
        let host = &self.case.spec.ssh.host;
        let words =
            error.hint.clone().unwrap_or_else(|| format!("Whoever looks after {host} can tell more."));
        Remedy::Person { words }
    }
}

fn set_up(registry: &RegistryName) -> Remedy {
    Remedy::Run {
        label: "Make docker push work here…".to_owned(),
        command: Box::new(Command::PlanSetup {
            action: SetupAction::Apply,
            registry: Some(registry.clone()),
            changes: Vec::new(),
        }),
    }
}

/// Whether the setup of such an engine leaves the hosts file alone: it makes no use of the name, or cannot be set up.
fn is_set_up_without_name(kind: &EngineKind) -> bool {
    kind.name_of_host().is_some()
        || matches!(
            kind,
            EngineKind::DockerRootless
                | EngineKind::None
                | EngineKind::Remote { .. }
                | EngineKind::Unknown { .. }
        )
}

/// For a name that leads elsewhere.
pub(super) fn for_name(kind: &EngineKind, registry: &RegistryName) -> Remedy {
    if is_set_up_without_name(kind) {
        return Remedy::Person { words: hint_for_name(kind).to_owned() };
    }
    set_up(registry)
}

/// The same for the command line.
pub(super) fn hint_for_name(kind: &EngineKind) -> &'static str {
    match is_set_up_without_name(kind) {
        true => "Let Dockline put the name into the hosts file: dockline hosts",
        false => "Let Dockline put the name into the hosts file: dockline setup",
    }
}

/// For an address that cannot be listened at. An alias of the loopback interface would be gone after a restart.
/// `port` is free at 127.0.0.1.
pub(super) fn for_address(spec: &RegistrySpec, error: io::ErrorKind, port: u16) -> String {
    if error != io::ErrorKind::AddrNotAvailable {
        return "Give the registry another address of 127.0.0.0/8, or none, so that one is picked."
            .to_owned();
    }
    format!(
        "This machine has 127.0.0.1 only. Give {} that address and a port of its own, such as {port}.",
        spec.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_mended_where_its_engine_s_setup_would_not() {
        let name: RegistryName = "cr.boss.org".parse().unwrap();
        let machine = EngineKind::PodmanMachine { machine: "m".into() };
        let without = [
            &EngineKind::DockerDesktop,
            &EngineKind::OrbStack,
            &machine,
            &EngineKind::DockerRootless,
            &EngineKind::None,
        ];
        for kind in without {
            let Remedy::Person { words } = for_name(kind, &name) else { panic!("{kind:?}") };
            assert!(words.ends_with("dockline hosts"), "{words}");
            assert_eq!(words, hint_for_name(kind));
        }
        for kind in [EngineKind::DockerNative, EngineKind::Podman] {
            let Remedy::Run { command, .. } = for_name(&kind, &name) else { panic!("{kind:?}") };
            assert!(matches!(*command, Command::PlanSetup { .. }), "{kind:?}");
            assert!(hint_for_name(&kind).ends_with("dockline setup"));
        }
    }

    #[test]
    fn an_address_that_the_machine_lacks_is_replaced_for_good() {
        let spec = RegistrySpec::new(
            "cr.boss.org".parse().unwrap(),
            "me@host".parse().unwrap(),
            [127, 77, 1, 5].into(),
        );
        let lacking = for_address(&spec, io::ErrorKind::AddrNotAvailable, 5123);
        assert!(lacking.contains("127.0.0.1") && lacking.contains("such as 5123"), "{lacking}");
        assert!(for_address(&spec, io::ErrorKind::PermissionDenied, 5123).contains("another address"));
    }
}
