//! Collecting a registry's garbage on its own host: a script (`collect.sh`) goes to the host's shell, finds the
//! registry behind the tunnel's far end, and has the registry's own program say, or do, what there is to remove.
//!
//! Distribution's collector must not run while the registry takes uploads (its documentation, "Garbage collection"), and
//! a running registry remembers blobs that are gone; so the registry is stopped for it, and the script starts it again
//! whatever becomes of the connection.

mod why;

use super::{Answerer, actor::Actor, offers::asked_as, registries::unknown};
use dockline_model::{
    Code, CollectPlan, Collected, Interruption, RegistryName, RegistryRun, RegistrySpec, RemoteEnd, Reply,
    SshTarget, UiError,
};
use dockline_tunnel::{Ask, HostSession, SshEnvironment};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};
use tokio::io::AsyncWriteExt as _;
use why::Why;

const SCRIPT: &str = include_str!("collect/collect.sh");
/// More than the script ever says.
const LONGEST_ANSWER: u64 = 64 << 10;

/// Whom to ask, and about what.
struct Errand {
    registry: RegistryName,
    ssh: SshTarget,
    listens: Listens,
    untagged: bool,
    environment: SshEnvironment,
    ask: Arc<dyn Ask>,
}

impl Actor {
    pub(super) fn plan_collect(
        &self,
        name: &RegistryName,
        ssh: Option<SshTarget>,
        untagged: bool,
        mut answer: Answerer,
    ) {
        let errand = self.errand(name, ssh, untagged);
        tokio::spawn(async move {
            let planned = async {
                let plan = errand?.plan().await?;
                Ok(Reply::CollectPlan { plan: Box::new(plan) })
            };
            tokio::select! {
                // A face that has gone does not hear it.
                result = planned => drop(answer.send(result)),
                () = answer.closed() => {}
            }
        });
    }

    pub(super) fn collect(&self, plan: CollectPlan, answer: Answerer) {
        let errand = self.errand(&plan.registry, Some(plan.ssh.clone()), plan.untagged);
        let busy = self.interruptions(&plan.registry).into_iter().any(|interruption| match interruption {
            Interruption::Transfer { .. } => true,
            // Others may be on their way to it unseen; the person was told.
            Interruption::Program { .. } | Interruption::Faces { .. } => false,
        });
        if busy {
            let error = UiError::new(
                Code::OwnerBusy,
                format!(
                    "A transfer of {} is under way, which stopping the registry would break.",
                    plan.registry
                ),
            )
            .hint("Wait until it has finished, or cancel it.");
            // A face that has gone does not hear it.
            drop(answer.send(Err(error)));
            return;
        }
        // To its end, whether or not somebody still waits for the answer.
        tokio::spawn(async move {
            let collected = async { errand?.collect(&plan).await };
            drop(answer.send(collected.await.map(|collected| Reply::Collected { collected })));
        });
    }

    fn errand(&self, name: &RegistryName, ssh: Option<SshTarget>, untagged: bool) -> Result<Errand, UiError> {
        let spec = &self.registry(name).ok_or_else(|| unknown(name))?.spec;
        let listens = listens(spec)?;
        let mut ssh = ssh.unwrap_or_else(|| spec.ssh.clone());
        // Whom a question is about shows it.
        asked_as(&ssh)?;
        ssh.identity = ssh.identity.map(|path| self.paths.expanded(&path));
        Ok(Errand {
            registry: name.clone(),
            ssh,
            listens,
            untagged,
            environment: self.paths.ssh.clone(),
            ask: self.asker.clone(),
        })
    }
}

/// Where the registry listens on its host.
struct Listens {
    /// An extended regular expression of the addresses.
    addresses: String,
    port: u16,
}

fn listens(spec: &RegistrySpec) -> Result<Listens, UiError> {
    let by_hand = "Run the registry's own collector there: registry garbage-collect CONFIG";
    if !spec.has_tunnel() {
        return Err(UiError::new(
            Code::CollectRefused,
            format!("{} is reached without SSH, so nothing can be run on its host.", spec.name),
        )
        .hint("Such a registry has a clean-up of its own; its administrator knows it."));
    }
    match &spec.remote {
        RemoteEnd::Tcp { host, port } => match itself(host) {
            Some(addresses) => Ok(Listens { addresses, port: *port }),
            None => Err(UiError::new(
                Code::CollectRefused,
                format!("The registry runs on {host}, behind the host that Dockline logs in at."),
            )
            .hint(by_hand)),
        },
        RemoteEnd::Unix { path } => Err(UiError::new(
            Code::CollectRefused,
            format!("The registry listens at the socket {path}, and is found only by a port."),
        )
        .hint(by_hand)),
    }
}

/// The addresses of a far end that is the host that is logged in at; `None` for any other.
fn itself(host: &str) -> Option<String> {
    let pattern = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_string().replace('.', r"\."),
        IpAddr::V6(address) => format!(r"\[?{address}\]?"),
    };
    if host == "localhost" {
        return Some([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(pattern).join("|"));
    }
    host.parse().ok().filter(IpAddr::is_loopback).map(pattern)
}

impl Errand {
    async fn plan(self) -> Result<CollectPlan, UiError> {
        let found = self.run_script("plan", "").await?;
        let run = found.run.clone().ok_or_else(|| self.incomprehensible(&found))?;
        let (Some(blobs), Some(manifests)) = (found.blobs, found.manifests) else {
            return Err(self.incomprehensible(&found));
        };
        let mut notes = vec![
            "The registry is stopped while that is removed, and started again after it. Whoever pushes or pulls \
             meanwhile is refused; an upload that is under way begins again."
                .to_owned(),
        ];
        if !self.untagged {
            notes.push(
                "Images that no tag leads to any more stay, unless those are asked for as well (registries of version 3)."
                    .to_owned(),
            );
        }
        Ok(CollectPlan {
            registry: self.registry,
            ssh: self.ssh,
            run,
            version: found.version,
            configuration: found.configuration.unwrap_or_default(),
            untagged: self.untagged,
            blobs,
            manifests,
            bytes: found.bytes,
            notes,
        })
    }

    async fn collect(self, plan: &CollectPlan) -> Result<Collected, UiError> {
        let expected = match &plan.run {
            RegistryRun::Container { id, .. } => id,
            RegistryRun::Unit { name } => name,
        };
        let found = self.run_script("collect", expected).await?;
        let (true, Some(blobs), Some(manifests)) = (found.done, found.gone_blobs, found.gone_manifests)
        else {
            return Err(self.incomprehensible(&found));
        };
        Ok(Collected {
            blobs,
            manifests,
            bytes: found.freed,
            stopped_seconds: found.stopped.unwrap_or_default(),
        })
    }

    /// Runs the script there.
    async fn run_script(&self, mode: &str, expected: &str) -> Result<Findings, UiError> {
        let settings = settings(&self.listens, mode, self.untagged, expected)?;
        let name = asked_as(&self.ssh)?;
        let session =
            HostSession::dial(name, self.ssh.clone(), self.environment.clone(), self.ask.clone()).await?;
        let answered = async {
            // Whatever shell the login has, this is what it can do.
            let mut program = session.run("exec sh -s").await?;
            let sent = async {
                program.write_all(settings.as_bytes()).await?;
                program.write_all(SCRIPT.as_bytes()).await?;
                program.flush().await?;
                program.shutdown().await
            };
            // A login that runs something else does not read it; what it says tells.
            if let Err(error) = sent.await {
                tracing::debug!(%error, "the script did not go to the host as a whole");
            }
            program.output(LONGEST_ANSWER).await.map_err(|error| {
                UiError::new(Code::SshLost, format!("The connection to {} was lost.", self.ssh.host))
                    .hint(match mode {
                        "collect" => "The host finishes what it has begun, and starts the registry again.",
                        _ => "Try again.",
                    })
                    .details(error.to_string())
            })
        };
        let answered = answered.await;
        session.close().await;
        let (output, end) = answered?;
        let found = Findings::read(&String::from_utf8_lossy(&output));
        match (&found.refused, found.is_ours) {
            (Some(why), _) => Err(self.refused(*why, &found)),
            (None, true) => Ok(found),
            (None, false) => Err(UiError::new(
                Code::CollectRefused,
                format!("{} may log in on {} and run nothing there.", self.who(), self.ssh.host),
            )
            .hint("Name a login that may: --ssh root@HOST")
            .details(end.complaint.trim())),
        }
    }

    fn who(&self) -> &str {
        self.ssh.user.as_deref().unwrap_or("This login")
    }

    fn incomprehensible(&self, found: &Findings) -> UiError {
        UiError::new(Code::CollectRefused, format!("{} did not say what became of it.", self.ssh.host))
            .hint("See there whether the registry runs, and look again.")
            .details(format!("{found:?}"))
    }

    fn refused(&self, why: Why, found: &Findings) -> UiError {
        let host = &self.ssh.host;
        let (message, hint) = why.told(host, self.listens.port, self.who());
        let error = UiError::new(Code::CollectRefused, message).hint(hint);
        match &found.words {
            Some(words) => error.details(words.clone()),
            None => error,
        }
    }
}

/// The lines that go before the script. None of the values can end its quotes.
fn settings(listens: &Listens, mode: &str, untagged: bool, expected: &str) -> Result<String, UiError> {
    // systemd's own escaping of units' names has backslashes (systemd-escape(1)).
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._@:\\-".contains(c);
    if !expected.chars().all(is_plain) {
        return Err(UiError::new(
            Code::InvalidArgument,
            format!("“{expected}” is neither a container nor a unit."),
        ));
    }
    let untagged = if untagged { "yes" } else { "no" };
    let Listens { addresses, port } = listens;
    Ok(format!(
        "port={port}\naddresses='{addresses}'\nmode={mode}\nuntagged={untagged}\nexpected='{expected}'\n"
    ))
}

/// What the script said.
#[derive(Debug, Default)]
struct Findings {
    /// Whether it was the script that spoke.
    is_ours: bool,
    refused: Option<Why>,
    words: Option<String>,
    run: Option<RegistryRun>,
    version: Option<String>,
    configuration: Option<String>,
    blobs: Option<u64>,
    manifests: Option<u64>,
    bytes: Option<u64>,
    stopped: Option<u64>,
    gone_blobs: Option<u64>,
    gone_manifests: Option<u64>,
    freed: Option<u64>,
    done: bool,
}

impl Findings {
    /// Reads `WORD<tab>VALUE` lines; others are a login's greetings.
    fn read(output: &str) -> Self {
        let mut found = Self::default();
        let (mut id, mut engine, mut name, mut image) =
            (String::new(), String::new(), String::new(), String::new());
        for (word, value) in output.lines().filter_map(|line| line.split_once('\t')) {
            let number = || value.trim().parse().ok();
            let text = || Some(value.to_owned()).filter(|value| !value.is_empty());
            match word {
                "dockline" => found.is_ours = true,
                "refused" => found.refused = Some(Why::of(value)),
                "words" => found.words = text(),
                "container" => id = value.to_owned(),
                "engine" => engine = value.to_owned(),
                "name" => name = value.to_owned(),
                "image" => image = value.to_owned(),
                "unit" => found.run = Some(RegistryRun::Unit { name: value.to_owned() }),
                "version" => found.version = text(),
                "configuration" => found.configuration = text(),
                "blobs" => found.blobs = number(),
                "manifests" => found.manifests = number(),
                "bytes" => found.bytes = number(),
                "stopped" => found.stopped = number(),
                "gone-blobs" => found.gone_blobs = number(),
                "gone-manifests" => found.gone_manifests = number(),
                "freed" => found.freed = number(),
                "done" => found.done = true,
                _ => {}
            }
        }
        if !id.is_empty() {
            found.run = Some(RegistryRun::Container { engine, id, name, image });
        }
        found
    }
}

#[cfg(test)]
mod tests;
