//! `dockline add` and `dockline remove`.

use crate::{
    arguments::Add,
    face::{Face, unexpected},
    output::{Output, wrapped_for_stdout},
    prompts::Answers,
};
use dockline_model::{
    Code, Command, RegistryName, RegistrySpec, Reply, Snapshot, SshTarget, Target, TrafficLimits, UiError,
};

/// Adds a registry and says what to do next.
pub async fn add(add: Add, output: Output) -> Result<(), UiError> {
    let target = target(add)?;
    let (face, _) = Face::open_configured(Answers::Nobody, output).await?;
    let added = face.request(Command::AddRegistry { target }).await;
    let told = added.and_then(|reply| {
        let Reply::Registry { spec } = reply else { return Err(unexpected(&reply)) };
        output.result(&spec, || added_text(&spec))
    });
    face.close_when_unneeded().await;
    told
}

fn target(add: Add) -> Result<Target, UiError> {
    let identity = add.identity.map(existing_file).transpose()?;
    let mut hosts = add.ssh.into_iter().map(|ssh| SshTarget {
        identity: identity.clone(),
        jump: add.jump.clone(),
        ..ssh
    });
    Ok(Target {
        name: add.registry,
        ssh: hosts.next().ok_or_else(no_host)?,
        fallbacks: hosts.collect(),
        remote: add.remote,
        port: add.port,
        address: add.address,
        linger_seconds: add.linger,
        gateway: add.gateway,
        localhost_port: add.localhost_port,
        ca: add.ca.map(|path| std::path::absolute(&path).unwrap_or(path)),
        keep_open: add.keep_open,
        url: None,
        client_certificate: None,
        open_at_start: add.open_at_start,
        limits: TrafficLimits { up: add.limit_up, down: add.limit_down },
    })
}

fn no_host() -> UiError {
    UiError::new(Code::InvalidArgument, "No SSH host was given.").hint("Give at least one: --ssh user@host")
}

/// The configuration outlives the folder this was typed in.
pub fn existing_file(path: std::path::PathBuf) -> Result<std::path::PathBuf, UiError> {
    let absolute = std::path::absolute(&path).unwrap_or(path);
    match absolute.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(absolute),
        Ok(_) => Err(UiError::new(Code::SshKeyUnusable, format!("{} is not a file.", absolute.display()))
            .hint("Give a private key file, such as ~/.ssh/id_ed25519.")),
        Err(error) => Err(UiError::new(
            Code::SshKeyUnusable,
            format!("{} cannot be used: {error}.", absolute.display()),
        )
        .hint("Give a private key file, such as ~/.ssh/id_ed25519, or make one with ssh-keygen.")),
    }
}

fn added_text(spec: &RegistrySpec) -> String {
    let RegistrySpec { name, remote, .. } = spec;
    let hosts: Vec<String> = spec.hosts().map(|ssh| format!("ssh {ssh}")).collect();
    let next = [
        ("dockline setup".to_owned(), "make docker push work here".to_owned()),
        (format!("dockline connect {name}"), "try the way there".to_owned()),
        (format!("dockline push app:v1 {name}"), "push an image".to_owned()),
    ];
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let steps: String = next.iter().map(|(command, what)| format!("\n  {command:<width$}  {what}")).collect();
    let added = format!("Added {name}: {} leads to {remote} by {}.", spec.listen(), hosts.join(", or "));
    format!("{}\nNext:{steps}", wrapped_for_stdout(&added))
}

/// Removes a registry, and first, if the person agrees, what the engine's settings and the hosts file have of it.
pub async fn remove(registry: RegistryName, yes: bool, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Nobody, output).await?;
    let removed = remove_through(&face, snapshot, registry, yes, output).await;
    face.close().await;
    removed
}

async fn remove_through(
    face: &Face,
    snapshot: Snapshot,
    registry: RegistryName,
    yes: bool,
    output: Output,
) -> Result<(), UiError> {
    let spec = crate::face::find(&snapshot, &registry)?.spec.clone();
    let left = super::setup::take_back(snapshot.registries, &registry, yes, output).await?;
    face.request(Command::RemoveRegistry { registry }).await?;
    output.result(&spec, || format!("Removed {}.", spec.name))?;
    if left {
        output.remark(format!(
            "What was set up for it is still there; `dockline setup --undo` takes everything of Dockline's back, \
             `dockline setup` what is not {}'s.",
            spec.name
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_that_is_not_there_is_refused_before_it_is_written_down() {
        let error = existing_file("/nowhere/id_ed25519".into()).unwrap_err();
        assert_eq!(error.code, Code::SshKeyUnusable);
        assert!(error.message.contains("/nowhere/id_ed25519"));
        assert_eq!(existing_file("/".into()).unwrap_err().code, Code::SshKeyUnusable);
    }
}
