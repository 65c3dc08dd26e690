//! `dockline add`, `dockline edit` and `dockline remove`.

use crate::{
    arguments::{Add, Doctor, Edit, Remove},
    face::{Face, unexpected},
    output::{Output, wrapped_for_stdout},
    prompts::Answers,
};
use dockline_model::{
    ClientCertificate, Code, Command, RegistrySpec, RegistryUrl, Reply, Snapshot, SshTarget, Target,
    TrafficLimits, UiError,
};
use std::path::PathBuf;

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

/// Changes a registry, or adds one like it.
pub async fn edit(edit: Edit, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Nobody, output).await?;
    let told = edit_through(&face, &snapshot, edit, output).await;
    face.close_when_unneeded().await;
    told
}

async fn edit_through(face: &Face, snapshot: &Snapshot, edit: Edit, output: Output) -> Result<(), UiError> {
    let present = crate::face::find(snapshot, &edit.registry)?.spec.clone();
    if present.url.is_some() {
        without_tunnel(&edit)?;
    }
    let was = edit.registry.clone();
    let copy_to = edit.copy_to.clone();
    let target = edited(present, edit)?;
    let command = match copy_to {
        // A copy is at an address of its own.
        Some(name) => Command::AddRegistry { target: Target { name, ..target } },
        None => Command::ChangeRegistry { was: (was != target.name).then_some(was), target },
    };
    let reply = face.request(command).await?;
    let Reply::Registry { spec } = reply else { return Err(unexpected(&reply)) };
    output.result(&spec, || wrapped_for_stdout(&format!("{}: {}.", spec.name, way(&spec))))
}

/// Where a registry is, and how one gets there.
fn way(spec: &RegistrySpec) -> String {
    if let Some(url) = &spec.url {
        return format!("{url}, without a tunnel");
    }
    let hosts: Vec<String> = spec.hosts().map(|ssh| format!("ssh {ssh}")).collect();
    format!("{} leads to {} by {}", spec.listen(), spec.remote, hosts.join(", or "))
}

/// What is about a tunnel would be taken, and do nothing.
fn without_tunnel(edit: &Edit) -> Result<(), UiError> {
    let of_a_tunnel = [
        ("--ssh", !edit.ssh.is_empty()),
        ("--identity", edit.identity.is_some()),
        ("--jump", edit.jump.is_some()),
        ("--remote", edit.remote.is_some()),
        ("--port", edit.port.is_some()),
        ("--address", edit.address.is_some()),
        ("--linger", edit.linger.is_some()),
        ("--keep-open", edit.keep_open.is_some()),
    ];
    match of_a_tunnel.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(UiError::new(
            Code::InvalidArgument,
            format!("{} has no tunnel, so {option} means nothing here.", edit.registry),
        )
        .hint(format!(
            "To reach it through a tunnel: dockline remove {0}, then dockline add {0} --ssh user@host",
            edit.registry
        ))),
    }
}

/// `present` with what was typed in its place.
fn edited(present: RegistrySpec, edit: Edit) -> Result<Target, UiError> {
    let is_copy = edit.copy_to.is_some();
    let identity = match edit.identity {
        Some(path) => Some(existing_file(path)?),
        None => present.ssh.identity.clone(),
    };
    let jump = match edit.jump {
        Some(jump) => Some(jump).filter(|jump| !jump.is_empty()),
        None => present.ssh.jump.clone(),
    };
    let hosts = match edit.ssh.is_empty() {
        true => present.hosts().cloned().collect(),
        false => edit.ssh,
    };
    let mut hosts =
        hosts.into_iter().map(|ssh| SshTarget { identity: identity.clone(), jump: jump.clone(), ..ssh });
    Ok(Target {
        name: edit.rename.unwrap_or(present.name),
        ssh: hosts.next().ok_or_else(no_host)?,
        fallbacks: hosts.collect(),
        remote: Some(edit.remote.unwrap_or(present.remote)),
        port: Some(edit.port.unwrap_or(present.port)),
        address: edit.address.or_else(|| (!is_copy).then_some(present.address)),
        linger_seconds: Some(edit.linger.unwrap_or(present.linger_seconds)),
        gateway: present.gateway.filter(|_| !is_copy),
        localhost_port: present.localhost_port.filter(|_| !is_copy),
        ca: present.ca,
        keep_open: edit.keep_open.unwrap_or(present.keep_open),
        url: present.url,
        client_certificate: present.client_certificate,
        open_at_start: present.open_at_start,
        limits: present.limits,
    })
}

/// A registry that is not configured, to be examined.
pub fn candidate(arguments: Doctor) -> Result<Target, UiError> {
    let identity = arguments.identity.map(existing_file).transpose()?;
    let mut hosts = arguments.ssh.into_iter().map(|ssh| SshTarget {
        identity: identity.clone(),
        jump: arguments.jump.clone(),
        ..ssh
    });
    let name = arguments.registry.ok_or_else(|| {
        UiError::new(Code::InvalidArgument, "A registry that is to be tried needs a name.")
            .hint("Give it one: dockline doctor cr.boss.org --ssh user@host")
    })?;
    let ssh = hosts.next().ok_or_else(no_host)?;
    Ok(Target { fallbacks: hosts.collect(), remote: arguments.remote, ..Target::new(name, ssh) })
}

fn target(add: Add) -> Result<Target, UiError> {
    let identity = add.identity.map(existing_file).transpose()?;
    let url = match add.url {
        Some(url) => Some(url),
        None if add.no_tunnel => Some(
            add.registry
                .as_str()
                .parse::<RegistryUrl>()
                .map_err(|error| UiError::new(Code::InvalidArgument, format!("{error}.")))?,
        ),
        None => None,
    };
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let client_certificate = add.client_certificate.zip(add.client_key).map(|(certificate, key)| {
        Box::new(ClientCertificate { certificate: absolute(certificate), key: absolute(key) })
    });
    let mut hosts = add.ssh.into_iter().map(|ssh| SshTarget {
        identity: identity.clone(),
        jump: add.jump.clone(),
        ..ssh
    });
    Ok(Target {
        name: add.registry,
        ssh: hosts.next().or_else(|| url.as_ref().map(SshTarget::of)).ok_or_else(no_host)?,
        fallbacks: hosts.collect(),
        remote: add.remote,
        port: add.port,
        address: add.address,
        linger_seconds: add.linger,
        gateway: add.gateway,
        localhost_port: add.localhost_port,
        ca: add.ca.map(|path| std::path::absolute(&path).unwrap_or(path)),
        keep_open: add.keep_open,
        url: url.map(Box::new),
        client_certificate,
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
    let name = &spec.name;
    let added = format!("Added {name}: {}.", way(spec));
    if spec.url.is_some() {
        return format!(
            "{added}\nNext:\n  dockline login {name}  if it asks for a login\n  \
             dockline ls {name}     what is in it"
        );
    }
    let next = [
        ("dockline setup".to_owned(), "make docker push work here".to_owned()),
        (format!("dockline connect {name}"), "try the way there".to_owned()),
        (format!("dockline push app:v1 {name}"), "push an image".to_owned()),
    ];
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let steps: String = next.iter().map(|(command, what)| format!("\n  {command:<width$}  {what}")).collect();
    format!("{}\nNext:{steps}", wrapped_for_stdout(&added))
}

/// Removes a registry, and first, if the person agrees, what the engine's settings and the hosts file have of it.
pub async fn remove(remove: Remove, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Nobody, output).await?;
    let removed = remove_through(&face, snapshot, remove, output).await;
    face.close().await;
    removed
}

async fn remove_through(
    face: &Face,
    snapshot: Snapshot,
    Remove { registry, yes }: Remove,
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
