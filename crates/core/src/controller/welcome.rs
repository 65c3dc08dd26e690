//! What a first start can propose: `~/.ssh/config`, Docker contexts, images and containers are looked at; nothing is
//! dialled but the engine.

use super::{Answerer, actor::Actor, engine::Engines};
use crate::{
    files::blocking,
    ssh_hosts::{self, SshHost},
};
use dockline_engine::RegistryContainer;
use dockline_model::{ImageView, Proposal, ProposalSource, RegistryName, RemoteEnd, Reply, SshTarget};
use std::collections::BTreeSet;

/// More would not be looked at.
const MOST: usize = 12;
/// Hosts that keep code or images for the whole world and let nobody forward a port.
const PUBLIC: [&str; 14] = [
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "git.sr.ht",
    "dev.azure.com",
    "docker.io",
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "pkg.dev",
    "public.ecr.aws",
    "mcr.microsoft.com",
    "registry.k8s.io",
];
/// Parts of a host's name that speak of images.
const TELLING: [&str; 6] = ["registry", "docker", "images", "container", "cr", "hub"];

impl Actor {
    pub(super) fn find_proposals(&self, answer: Answerer) {
        let (ssh, engines, specs) = (self.paths.ssh.clone(), self.engines.clone(), self.specs());
        tokio::spawn(async move {
            let around = engines.around();
            let read = blocking(move || (ssh_hosts::read(&ssh), dockline_engine::contexts(&around)));
            let (hosts, contexts) = read.await.unwrap_or_default();
            let (images, containers) = of_engine(&engines).await;
            let mut proposals = proposals(&hosts, &images, &containers);
            let by_ssh = contexts.into_iter().filter_map(|context| {
                let ssh: SshTarget = context.address.strip_prefix("ssh://")?.parse().ok()?;
                let why = format!("Docker's context “{}” leads to {} already.", context.name, ssh.host);
                let name = name_for(&ssh.host);
                let source = ProposalSource::Context { context: context.name };
                Some(Proposal { source, why, name, ssh: Some(ssh), remote: None })
            });
            proposals.extend(by_ssh);
            let is_there = |proposal: &Proposal| {
                specs.iter().any(|spec| {
                    proposal.name.as_ref() == Some(&spec.name)
                        || proposal
                            .ssh
                            .as_ref()
                            .is_some_and(|ssh| spec.hosts().any(|host| host.host == ssh.host))
                })
            };
            proposals.retain(|proposal| !is_there(proposal));
            proposals.truncate(MOST);
            // A face that has gone does not hear it.
            let _ = answer.send(Ok(Reply::Proposals { proposals }));
        });
    }
}

/// Nothing where no engine answers: that is for the doctor to say.
async fn of_engine(engines: &Engines) -> (Vec<ImageView>, Vec<RegistryContainer>) {
    let Ok(engine) = engines.find() else { return Default::default() };
    let (images, containers) = tokio::join!(engine.images(), engine.registry_containers());
    (images.unwrap_or_default(), containers.unwrap_or_default())
}

/// The likeliest first: what images are named for already, then hosts whose names speak of images, then the rest.
fn proposals(hosts: &[SshHost], images: &[ImageView], containers: &[RegistryContainer]) -> Vec<Proposal> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (name, image) in
        images.iter().flat_map(|image| &image.tags).filter_map(|tag| Some((registry_of(tag)?, tag)))
    {
        if seen.insert(name.to_string()) {
            let host = hosts.iter().find(|host| belongs(host, &name));
            found.push(Proposal {
                source: ProposalSource::Image { image: image.clone() },
                why: format!("The image {image} is named for {name}."),
                ssh: host.map(|host| host.target.clone()),
                name: Some(name),
                remote: None,
            });
        }
    }
    let (telling, others): (Vec<&SshHost>, Vec<&SshHost>) =
        hosts.iter().filter(|host| !is_public(&host.host_name)).partition(|host| is_telling(host));
    for (host, is_likely) in
        telling.into_iter().map(|host| (host, true)).chain(others.into_iter().map(|h| (h, false)))
    {
        let alias = &host.target.host;
        let already = found.iter().any(|proposal| proposal.ssh.as_ref() == Some(&host.target));
        if already || !seen.insert(alias.clone()) {
            continue;
        }
        let because = if is_likely { ", and its name speaks of images" } else { "" };
        found.push(Proposal {
            source: ProposalSource::SshConfig { host: alias.clone() },
            why: format!("{alias} is a host of your SSH configuration{because}."),
            name: name_for(&host.host_name).or_else(|| name_for(alias)),
            ssh: Some(host.target.clone()),
            remote: None,
        });
    }
    for container in containers {
        found.push(Proposal {
            source: ProposalSource::Container { container: container.name.clone() },
            why: format!(
                "The container {} on this machine is a registry; Dockline can offer it to a host.",
                container.name
            ),
            name: None,
            ssh: None,
            remote: container.port.map(|port| RemoteEnd::Tcp { host: "127.0.0.1".to_owned(), port }),
        });
    }
    found
}

/// The registry of somebody's own that an image's name begins with.
fn registry_of(tag: &str) -> Option<RegistryName> {
    let (host, _) = tag.split_once('/')?;
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if !host.contains('.') || is_address || is_public(host) {
        return None;
    }
    host.parse().ok()
}

fn is_public(host: &str) -> bool {
    PUBLIC.iter().any(|public| host == *public || host.ends_with(&format!(".{public}")))
}

fn is_telling(host: &SshHost) -> bool {
    let names =
        [host.target.host.as_str(), host.host_name.as_str(), host.target.user.as_deref().unwrap_or_default()];
    names.iter().any(|name| {
        let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
        parts.any(|part| {
            TELLING.iter().any(|telling| part == *telling || (telling.len() > 3 && part.contains(telling)))
        })
    })
}

/// Whether a host may be the one behind a registry's name: `boss.org` for `cr.boss.org`.
fn belongs(host: &SshHost, name: &RegistryName) -> bool {
    let name = name.as_str();
    let domain = name.split_once('.').map_or(name, |(_, domain)| domain);
    [&host.host_name, &host.target.host]
        .iter()
        .any(|host| *host == name || (domain.contains('.') && *host == domain))
}

/// A name for a host's registry; one that nobody else can have (`.internal`) where the host has no domain.
fn name_for(host: &str) -> Option<RegistryName> {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    if host.contains('.') {
        let begins_so = host.starts_with("cr.") || host.starts_with("registry.");
        return if begins_so { host.parse().ok() } else { format!("cr.{host}").parse().ok() };
    }
    let plain: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    format!("cr.{}.internal", plain.trim_matches('-')).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::UnixMillis;

    fn host(alias: &str, name: &str) -> SshHost {
        SshHost { target: alias.parse().unwrap(), host_name: name.to_owned() }
    }

    fn image(tag: &str) -> ImageView {
        ImageView {
            id: String::new(),
            tags: vec![tag.to_owned()],
            size: 0,
            created: UnixMillis(0),
            held_at: Vec::new(),
        }
    }

    #[test]
    fn what_is_named_already_comes_first_and_public_hosts_never() {
        let hosts =
            [host("gate", "10.0.0.1"), host("github.com", "github.com"), host("docker-box", "boss.org")];
        let images = [
            image("ghcr.io/a/b:1"),
            image("app:v1"),
            image("cr.boss.org:5000/app:v1"),
            image("cr.boss.org/x:1"),
        ];
        let containers = [RegistryContainer { name: "reg".to_owned(), port: Some(5001) }];
        let found = proposals(&hosts, &images, &containers);
        let names: Vec<Option<&str>> =
            found.iter().map(|p| p.name.as_ref().map(RegistryName::as_str)).collect();
        assert_eq!(names, [Some("cr.boss.org"), Some("cr.gate.internal"), None]);
        assert_eq!(found[0].ssh.as_ref().unwrap().host, "docker-box");
        assert!(found.iter().all(|proposal| proposal.why.ends_with('.')));
    }

    #[test]
    fn hosts_that_speak_of_images_come_before_others() {
        let hosts = [host("a", "10.0.0.1"), host("crm", "10.0.0.2"), host("b-registry", "10.0.0.3")];
        let found = proposals(&hosts, &[], &[]);
        let aliases: Vec<&str> = found.iter().map(|p| p.ssh.as_ref().unwrap().host.as_str()).collect();
        assert_eq!(aliases, ["b-registry", "a", "crm"]);
    }
}
