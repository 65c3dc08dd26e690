//! Pushes and pulls, whose answers are read as they come.

use crate::{
    Engine, EngineError, Login, Operation,
    failure::{broken_off, refusal},
    name::Name,
    progress::{Outcome, TransferProgress},
    transport::{self, RawBody},
};
use bollard::{
    Docker,
    auth::DockerCredentials,
    errors::Error,
    query_parameters::{CreateImageOptionsBuilder, PushImageOptionsBuilder},
};
use dockline_model::LayerView;
use futures::StreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::sync::oneshot;

/// What the engine says that it pushed or pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineDigest {
    /// `sha256:…` of the manifest; `None` where the engine does not tell (Podman, after a pull).
    pub digest: Option<String>,
    /// A push has sent this platform's image (`linux/amd64`; empty where the engine does not tell) instead of the index that
    /// it belongs to, since the engine lacks the others.
    pub one_platform: Option<String>,
}

/// What a pull may need beside the image's name.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// `linux/arm64`; the engine's own if absent.
    pub platform: Option<String>,
    /// Name and password for the registry. The engine is given them for this one pull and keeps nothing.
    pub login: Option<(String, secrecy::SecretString)>,
}

impl Engine {
    /// Pushes `reference` (the tag `latest` if it has none); `progress` is given the layers, the bytes so far and
    /// the bytes in all at each change.
    ///
    /// Dropping the future closes the request, upon which the engine stops its work.
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn push(
        &self,
        reference: &str,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        let name = Name::parse(reference)?;
        let operation = Operation::Push;
        let (docker, body) = self.diverting(operation, reference)?;
        let options = PushImageOptionsBuilder::default().tag(name.tag).build();
        // Without credentials bollard still sends the header that dockerd before 23 insists on.
        let mut answer = docker.push_image(name.repository, Some(options), self.credentials(name.repository));
        let refusal = async { answer.next().await.and_then(Result::err) };
        let body = self.accepted(operation, reference, body, refusal).await?;
        follow(operation, reference, body, progress).await
    }

    /// Pulls `reference` (the tag `latest` if it has neither tag nor digest); as [`Engine::push`].
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn pull(
        &self,
        reference: &str,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        self.pull_with(reference, &PullOptions::default(), progress).await
    }

    /// [`Engine::pull`], with options.
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn pull_with(
        &self,
        reference: &str,
        options: &PullOptions,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        let name = Name::parse(reference)?;
        let operation = Operation::Pull;
        let (docker, body) = self.diverting(operation, reference)?;
        // A digest goes where a tag does (docker/docker `api/server/router/image`).
        let login = options.login.as_ref().map(|(user, password)| {
            Login { user: user.clone(), secret: password.expose_secret().to_owned() }.at(name.repository)
        });
        let platform = options.platform.as_deref().unwrap_or_default();
        let options = CreateImageOptionsBuilder::default().from_image(name.repository).tag(name.tag);
        let options = options.platform(platform).build();
        let mut answer =
            docker.create_image(Some(options), None, login.or_else(|| self.credentials(name.repository)));
        let refusal = async { answer.next().await.and_then(Result::err) };
        let body = self.accepted(operation, reference, body, refusal).await?;
        follow(operation, reference, body, progress).await
    }

    /// What the engine is told for a transfer of that repository. containerd's store takes a login only for the very host
    /// in the image's name (moby, `daemon/containerd/resolver.go`), whichever of the registry's names that is.
    fn credentials(&self, repository: &str) -> Option<DockerCredentials> {
        self.login.as_ref().map(|login| login.at(repository))
    }

    fn diverting(
        &self,
        operation: Operation,
        reference: &str,
    ) -> Result<(Docker, oneshot::Receiver<RawBody>), EngineError> {
        transport::diverting(&self.endpoint).map_err(self.failed(operation, Some(reference)))
    }

    /// Waits until the engine accepts the transfer and its answer begins, or refuses it.
    async fn accepted(
        &self,
        operation: Operation,
        reference: &str,
        body: oneshot::Receiver<RawBody>,
        refusal: impl Future<Output = Option<Error>>,
    ) -> Result<RawBody, EngineError> {
        tokio::select! {
            biased;
            Ok(body) = body => Ok(body),
            refusal = refusal => Err(match refusal {
                Some(error) => self.failed(operation, Some(reference))(error),
                None => broken_off(operation, reference, None),
            }),
        }
    }
}

/// Reads the answer of a transfer to its end.
async fn follow(
    operation: Operation,
    reference: &str,
    mut body: RawBody,
    mut report: impl FnMut(&[LayerView], u64, u64) + Send,
) -> Result<EngineDigest, EngineError> {
    let mut progress = TransferProgress::default();
    let mut broken = None;
    while let Some(chunk) = body.chunk().await {
        match chunk {
            Ok(bytes) => {
                if progress.feed(&bytes) {
                    report(progress.layers(), progress.current(), progress.total());
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    if progress.finish() {
        report(progress.layers(), progress.current(), progress.total());
    }
    match progress.outcome() {
        Outcome::Failed { words } => Err(refusal(operation, reference, words, progress.evidence())),
        Outcome::Completed { digest } if broken.is_none() || digest.is_some() => {
            Ok(EngineDigest { digest, one_platform: progress.one_platform().map(str::to_owned) })
        }
        Outcome::Completed { .. } | Outcome::CutShort => Err(broken_off(operation, reference, broken)),
    }
}
