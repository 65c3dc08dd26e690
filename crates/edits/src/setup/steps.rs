//! What makes changed settings take effect, for each engine: the person's own programs, and the helper's steps in words.

use crate::{
    Intent, Scope, SystemStep,
    daemon_json::Daemon,
    intent::CertificateFolder,
    own_file, rancher_script,
    step::{RELOAD, StepWords},
};
use dockline_model::{EngineFacts, EngineKind, SetupAction, StepBy, StepView};
use std::collections::BTreeSet;

fn words(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

fn by_dockline(words: StepWords, command: Vec<String>, stops: Vec<String>) -> StepView {
    StepView {
        words: words.planned.to_owned(),
        done: words.done.to_owned(),
        by: StepBy::Dockline,
        command,
        optional: false,
        stops,
    }
}

/// Every running container, unless the engine keeps them alive (`live-restore`).
fn stopped(facts: &EngineFacts) -> Vec<String> {
    if facts.live_restore { Vec::new() } else { facts.running.clone() }
}

/// The step after a change of the system's files. The helper does it; for a stand-in of those files, which is nobody's
/// but the caller's, the caller does.
pub fn of_system(step: &SystemStep, is_system: bool, facts: &EngineFacts) -> Vec<StepView> {
    let stops = if step.restarts_engine() { stopped(facts) } else { Vec::new() };
    let view = StepView {
        words: step.words().planned.to_owned(),
        done: step.words().done.to_owned(),
        by: if step.is_the_helpers() { StepBy::Helper } else { StepBy::Dockline },
        command: step.command().to_vec(),
        optional: false,
        stops,
    };
    if is_system {
        return vec![view];
    }
    match (step, facts.pid) {
        (SystemStep::ReloadDockerd, Some(pid)) => {
            vec![StepView {
                by: StepBy::Dockline,
                command: words(&["kill", "-HUP", &pid.to_string()]),
                ..view
            }]
        }
        (SystemStep::ReloadDockerd, None) => vec![StepView {
            words: "Tell dockerd to read its settings again (SIGHUP).".to_owned(),
            by: StepBy::Person,
            ..view
        }],
        (SystemStep::Run { .. }, _) => vec![StepView { by: StepBy::Dockline, ..view }],
    }
}

/// The steps after a change of the person's files, and after one that an engine in a virtual machine reads at its start.
pub fn of_person(intent: &Intent, facts: &EngineFacts, action: SetupAction) -> Vec<StepView> {
    match intent {
        Intent::DaemonJson { daemon: Daemon::Rootless, .. } => vec![reload_rootless(facts)],
        Intent::DaemonJson { daemon: Daemon::Desktop, .. } => vec![restart_desktop(facts)],
        Intent::DaemonJson { daemon: Daemon::OrbStack, .. } => vec![restart_orb_stack(facts)],
        Intent::ColimaYaml { profile, .. } => vec![restart_colima(profile, facts)],
        Intent::RancherProvisioning { .. } => {
            let undo = (action == SetupAction::Undo).then(|| {
                by_dockline(
                    StepWords {
                        planned: "Dockline's settings inside Rancher Desktop's machine go.",
                        done: "Dockline's settings inside Rancher Desktop's machine are gone.",
                    },
                    rancher_script::undo_command(),
                    Vec::new(),
                )
            });
            undo.into_iter().chain(restart_rancher(facts)).collect()
        }
        Intent::RegistryCertificate { folder: CertificateFolder::DockerDesktop, .. }
        | Intent::SystemTrust { .. } => restart_machine(facts),
        Intent::RegistriesConf { scope: Scope::User, insecure } => {
            let EngineKind::PodmanMachine { machine } = &facts.kind else { return Vec::new() };
            let nothing = BTreeSet::new();
            let insecure = if action == SetupAction::Undo { &nothing } else { insecure };
            vec![inside_podman_machine(machine, own_file::registries_conf_text(insecure))]
        }
        Intent::BuilderConfig { .. } => recreate_builder(facts),
        // Read at each operation, or followed by a step of the helper's.
        Intent::Hosts { .. }
        | Intent::DaemonJson { daemon: Daemon::Native | Daemon::Snap | Daemon::Windows, .. }
        | Intent::RegistryHosts { .. }
        | Intent::RegistryCertificate {
            folder:
                CertificateFolder::Docker
                | CertificateFolder::DockerRootless
                | CertificateFolder::Podman
                | CertificateFolder::PodmanRootless,
            ..
        }
        | Intent::RegistriesConf { scope: Scope::System, .. } => Vec::new(),
    }
}

/// The engine in a virtual machine reads certificates when it starts.
fn restart_machine(facts: &EngineFacts) -> Vec<StepView> {
    let kind = &facts.kind;
    if let EngineKind::Colima { profile } = kind {
        return vec![restart_colima(profile, facts)];
    }
    if *kind == EngineKind::RancherDesktop {
        return restart_rancher(facts);
    }
    if *kind == EngineKind::DockerDesktop {
        return vec![restart_desktop(facts)];
    }
    if *kind == EngineKind::OrbStack { vec![restart_orb_stack(facts)] } else { Vec::new() }
}

/// `docker.service` of the person's systemd reloads with SIGHUP (moby, `contrib/dockerd-rootless-setuptool.sh`).
fn reload_rootless(facts: &EngineFacts) -> StepView {
    match (&facts.unit, facts.pid) {
        (Some(unit), _) if unit.user => {
            by_dockline(RELOAD, words(&["systemctl", "--user", "reload", &unit.name]), Vec::new())
        }
        (Some(_) | None, Some(pid)) => {
            by_dockline(RELOAD, words(&["kill", "-HUP", &pid.to_string()]), Vec::new())
        }
        (Some(_) | None, None) => StepView {
            words: "Tell dockerd to read its settings again: systemctl --user reload docker.".to_owned(),
            done: RELOAD.done.to_owned(),
            by: StepBy::Person,
            command: Vec::new(),
            optional: false,
            stops: Vec::new(),
        },
    }
}

/// docs.docker.com/reference/cli/docker/desktop/restart (Docker Desktop 4.37 and later).
fn restart_desktop(facts: &EngineFacts) -> StepView {
    by_dockline(
        StepWords {
            planned: "Docker Desktop restarts. (Before 4.37: choose Restart in its menu.)",
            done: "Docker Desktop has restarted.",
        },
        words(&["docker", "desktop", "restart"]),
        stopped(facts),
    )
}

/// docs.orbstack.dev/docker, “Engine config”.
fn restart_orb_stack(facts: &EngineFacts) -> StepView {
    by_dockline(
        StepWords {
            planned: "OrbStack restarts its Docker engine.",
            done: "OrbStack has restarted its Docker engine.",
        },
        words(&["orb", "restart", "docker"]),
        stopped(facts),
    )
}

fn restart_colima(profile: &str, facts: &EngineFacts) -> StepView {
    by_dockline(
        StepWords {
            planned: "colima restarts, since its machine gets its settings at each start.",
            done: "colima has restarted, and its machine got the new settings.",
        },
        words(&["colima", "restart", "--profile", profile]),
        stopped(facts),
    )
}

/// docs.rancherdesktop.io, “rdctl command reference”.
fn restart_rancher(facts: &EngineFacts) -> Vec<StepView> {
    vec![
        by_dockline(
            StepWords { planned: "Rancher Desktop stops.", done: "Rancher Desktop has stopped." },
            words(&["rdctl", "shutdown"]),
            stopped(facts),
        ),
        by_dockline(
            StepWords {
                planned: "Rancher Desktop starts again.",
                done: "Rancher Desktop has started again.",
            },
            words(&["rdctl", "start"]),
            Vec::new(),
        ),
    ]
}

/// podman-machine-ssh(1). The file inside is the same as the one outside.
fn inside_podman_machine(machine: &str, text: Option<String>) -> StepView {
    const FILE: &str = "/etc/containers/registries.conf.d/dockline.conf";
    // Nothing in the text needs quoting inside single quotes: a fixed comment, and HOST:PORTs.
    let script = match text {
        Some(text) => format!("printf %s '{text}' | sudo tee {FILE} >/dev/null"),
        None => format!("sudo rm -f {FILE}"),
    };
    by_dockline(
        StepWords {
            planned: "The same settings are written inside the Podman machine; nothing restarts.",
            done: "The same settings are written inside the Podman machine; nothing restarted.",
        },
        words(&["podman", "machine", "ssh", machine, &script]),
        Vec::new(),
    )
}

/// docs.docker.com/reference/cli/docker/buildx/create.
fn recreate_builder(facts: &EngineFacts) -> Vec<StepView> {
    let Some(builder) = &facts.builder else { return Vec::new() };
    let optional = |step: StepView| StepView { optional: true, ..step };
    let mut create =
        words(&["docker", "buildx", "create", "--name", &builder.name, "--driver", "docker-container"]);
    for option in &builder.driver_options {
        create.extend(words(&["--driver-opt", option]));
    }
    create.push("--use".to_owned());
    if !builder.endpoint.is_empty() {
        create.push(builder.endpoint.clone());
    }
    vec![
        optional(by_dockline(
            StepWords {
                planned: "Remove the builder, since builders read their settings only when they are made; its build cache goes with it.",
                done: "The builder is removed, and its build cache with it.",
            },
            words(&["docker", "buildx", "rm", &builder.name]),
            Vec::new(),
        )),
        optional(by_dockline(
            StepWords {
                planned: "Make the builder anew, with the new settings.",
                done: "The builder is made anew, with the new settings.",
            },
            create,
            Vec::new(),
        )),
    ]
}
