//! The registries' own side: the client for each, and who we are there.

use super::{Answerer, actor::Actor, registries::unknown};
use dockline_model::{Code, RegistryName, RegistrySpec, Secret, UiError};
use dockline_registry::{Client, ClientConfig};
use std::sync::OnceLock;

/// How one registry is spoken to. Shared by everything that does, so that what is learned once is known to all.
#[derive(Debug)]
pub(super) struct Access {
    spec: RegistrySpec,
    client: OnceLock<Client>,
}

impl Access {
    pub(super) fn new(spec: RegistrySpec) -> Self {
        Self { spec, client: OnceLock::new() }
    }

    /// The client; clones share their connections.
    pub(super) fn client(&self) -> Result<Client, UiError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let spec = &self.spec;
        let client = Client::new(ClientConfig::new(spec.listen(), spec.authority()))
            .map_err(|error| UiError::from(&error))?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}

impl Actor {
    pub(super) fn check_access(&self, name: &RegistryName, answer: Answerer) {
        let _ = answer.send(Err(self.not_yet(name)));
    }

    pub(super) fn login(
        &self,
        name: &RegistryName,
        _user: Option<String>,
        _secret: Option<Secret>,
        answer: Answerer,
    ) {
        let _ = answer.send(Err(self.not_yet(name)));
    }

    pub(super) fn logout(&self, name: &RegistryName, answer: Answerer) {
        let _ = answer.send(Err(self.not_yet(name)));
    }

    fn not_yet(&self, name: &RegistryName) -> UiError {
        match self.registry(name) {
            Some(_) => UiError::new(Code::RegistryAuth, "Dockline cannot log in at registries yet.")
                .hint("Use docker login, and push through Docker."),
            None => unknown(name),
        }
    }
}
