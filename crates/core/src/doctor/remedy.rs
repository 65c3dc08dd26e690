//! What mends a broken link: a command of Dockline's where there is one, else who can, and how.

use super::Examination;
use dockline_model::{Code, Command, LinkView, Remedy, SetupAction, UiError};

impl<F: FnMut(&[LinkView]) + Send> Examination<F> {
    /// The plan of what the engine and the hosts file need.
    pub(super) fn set_up(&self) -> Remedy {
        Remedy::Run {
            label: "Set up Docker…".to_owned(),
            command: Box::new(Command::PlanSetup {
                action: SetupAction::Apply,
                registry: Some(self.case.spec.name.clone()),
                changes: Vec::new(),
            }),
        }
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
