//! One image to several places at once: each with its own progress and result, and one exit status that says which of
//! them failed.

use super::{
    target::is_archive,
    transfer::{self, absolute},
};
use crate::{
    arguments::{Copy, Push, Ship},
    commands::configure::existing_file,
    face::Face,
    output::Output,
    prompts::Answers,
};
use dockline_model::{Code, Command, Extent, RegistrySpec, SshTarget, UiError};
use futures::future::join_all;
use std::path::Path;

/// `dockline ship`.
pub async fn ship(ship: Ship, output: Output) -> Result<(), UiError> {
    if is_archive(&ship.image, false) {
        return Err(UiError::new(
            Code::InvalidArgument,
            format!("{} is an archive, and ship takes an engine's image.", ship.image),
        )
        .hint("Load it first (docker load --input FILE), and ship the image by its name."));
    }
    let identity = ship.identity.map(existing_file).transpose()?;
    let identity = identity.map(absolute).transpose()?;
    let commands: Vec<(String, Command)> = ship
        .hosts
        .into_iter()
        .map(|host| {
            let host = SshTarget { identity: identity.clone(), jump: ship.jump.clone(), ..host };
            let name = host.to_string();
            (name, Command::Ship { image: ship.image.clone(), host, reference: ship.name.clone() })
        })
        .collect();
    let (face, _) = Face::open_configured(Answers::Terminal, output).await?;
    let ended = all(&face, commands, output).await;
    face.close_when_unneeded().await;
    ended
}

/// `dockline push --replicas`.
pub async fn push(push: &Push, piped: Option<&Path>, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
    let registries: Vec<RegistrySpec> = snapshot.registries.iter().map(|view| view.spec.clone()).collect();
    let ended = match transfer::push_command(push, piped, &registries) {
        Ok(command) => all(&face, at_each_host(command, &registries), output).await,
        Err(error) => Err(error),
    };
    face.close_when_unneeded().await;
    ended
}

/// `dockline copy`.
pub async fn copy(copy: Copy, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
    let registries: Vec<RegistrySpec> = snapshot.registries.iter().map(|view| view.spec.clone()).collect();
    let extent = Extent { all_platforms: copy.all_platforms, referrers: copy.referrers };
    let commands: Vec<(String, Command)> = copy
        .target
        .into_iter()
        .chain(copy.to)
        .flat_map(|to| {
            let (from, platform) = (copy.from.clone(), copy.platform.clone());
            let command = Command::Copy { from, to: to.clone(), host: None, platform, extent };
            if copy.replicas { at_each_host(command, &registries) } else { vec![(to, command)] }
        })
        .collect();
    let ended = all(&face, commands, output).await;
    face.close_when_unneeded().await;
    ended
}

/// The command for each host of its registry; as it is where that has only one.
fn at_each_host(command: Command, registries: &[RegistrySpec]) -> Vec<(String, Command)> {
    let name = if let Command::Push { registry, .. } | Command::PushArchive { registry, .. } = &command {
        registry.to_string()
    } else if let Command::Copy { to, .. } = &command {
        to.clone()
    } else {
        String::new()
    };
    let authority = name.split('/').next().unwrap_or_default();
    let spec =
        registries.iter().find(|spec| spec.name.as_str() == authority || spec.authority() == authority);
    let hosts: Vec<SshTarget> = spec.into_iter().flat_map(RegistrySpec::hosts).cloned().collect();
    if hosts.len() < 2 {
        return vec![(name, command)];
    }
    let at = |target: SshTarget| {
        let mut command = command.clone();
        if let Command::Push { host, .. } | Command::PushArchive { host, .. } | Command::Copy { host, .. } =
            &mut command
        {
            *host = Some(target.clone());
        }
        (target.to_string(), command)
    };
    hosts.into_iter().map(at).collect()
}

/// Begins all of `commands`, each with the name of where it goes, and follows them to their ends.
pub async fn all(face: &Face, commands: Vec<(String, Command)>, output: Output) -> Result<(), UiError> {
    let is_one_of_several = commands.len() > 1;
    let runs = commands.into_iter().map(|(place, command)| async move {
        let ended = match is_one_of_several {
            true => transfer::run_among(face, command, &place, output).await,
            false => transfer::run(face, command, output).await,
        };
        let ended = ended.and_then(|view| transfer::report(&view, output));
        if let Err(error) = &ended
            && is_one_of_several
            && error.code != Code::Cancelled
            && !output.is_json()
        {
            // The others go on; this one's end is told when it comes.
            face.screen().say(&format!("{place}: {}", error.message));
        }
        (place, ended)
    });
    verdict(join_all(runs).await)
}

/// One result of all: a single place's own error, or which places failed, with the first one's code.
fn verdict(ended: Vec<(String, Result<(), UiError>)>) -> Result<(), UiError> {
    let count = ended.len();
    let failed: Vec<(String, UiError)> =
        ended.into_iter().filter_map(|(place, ended)| Some((place, ended.err()?))).collect();
    match failed.as_slice() {
        [] => Ok(()),
        [(_, error)] if count == 1 => Err(error.clone()),
        [(_, first), ..] => {
            if let Some((_, cancelled)) = failed.iter().find(|(_, error)| error.code == Code::Cancelled) {
                return Err(cancelled.clone());
            }
            let places: Vec<&str> = failed.iter().map(|(place, _)| place.as_str()).collect();
            let words: Vec<String> =
                failed.iter().map(|(place, error)| format!("{place}: {}", error.message)).collect();
            let message = format!("{} of {count} failed: {}.", failed.len(), places.join(", "));
            let error = UiError::new(first.code, message).details(words.join("\n"));
            Err(match &first.hint {
                Some(hint) => error.hint(hint.clone()),
                None => error,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_says_which_places_failed() {
        let full = || UiError::new(Code::RegistryDiskFull, "The registry's disk is full.");
        let place = |name: &str, ended| (name.to_owned(), ended);
        assert!(verdict(vec![place("a", Ok(())), place("b", Ok(()))]).is_ok());
        assert_eq!(verdict(vec![place("a", Err(full()))]).unwrap_err(), full());
        let error =
            verdict(vec![place("a", Ok(())), place("b", Err(full())), place("c", Ok(()))]).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Code::RegistryDiskFull, "1 of 3 failed: b."));
        let stopped = UiError::new(Code::Cancelled, "Stopped.");
        let error = verdict(vec![place("a", Err(full())), place("b", Err(stopped))]).unwrap_err();
        assert_eq!(error.code, Code::Cancelled);
    }
}
