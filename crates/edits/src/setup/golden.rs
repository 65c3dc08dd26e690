//! For every engine: a file as its documentation has it, what it is after setup, which commands follow, and what an undo
//! leaves. `fixtures/engines` has a file for each, with its source; after a change that is meant,
//! `DOCKLINE_WRITE_GOLDEN=1 cargo test -p dockline-edits golden` writes what follows `before` anew.

use super::*;
use dockline_model::{BuilderFacts, EngineKind, HostSystem, ImageStore};
use std::{collections::BTreeMap, fmt::Write as _, fs};

const NO_LINE_END: &str = "\\ No newline at end of file\n";

/// An engine, and what the person wants of it.
struct Case {
    name: &'static str,
    kind: EngineKind,
    platform: Platform,
    gateway: bool,
    localhost_port: Option<u16>,
    image_store: ImageStore,
    builder: bool,
}

fn case(name: &'static str, kind: EngineKind, platform: Platform) -> Case {
    let localhost_port = kind.name_of_host().map(|_| 5417);
    let image_store = ImageStore::Classic;
    Case { name, kind, platform, gateway: false, localhost_port, image_store, builder: false }
}

fn cases() -> Vec<Case> {
    use EngineKind as Kind;
    use Platform::{Linux, MacOs, Windows};
    let gateway = |case: Case| Case { gateway: true, ..case };
    let fresh = case("docker-linux-containerd", Kind::DockerNative, Linux);
    let colima = Kind::Colima { profile: "default".to_owned() };
    let machine = Kind::PodmanMachine { machine: "podman-machine-default".to_owned() };
    vec![
        gateway(case("docker-linux", Kind::DockerNative, Linux)),
        Case { image_store: ImageStore::Containerd, ..fresh },
        gateway(case("docker-rootless", Kind::DockerRootless, Linux)),
        gateway(case("docker-snap", Kind::DockerSnap, Linux)),
        case("docker-desktop-linux", Kind::DockerDesktop, Linux),
        case("docker-desktop-macos", Kind::DockerDesktop, MacOs),
        case("docker-desktop-windows", Kind::DockerDesktop, Windows),
        gateway(case("docker-windows", Kind::DockerWindows, Windows)),
        case("orbstack", Kind::OrbStack, MacOs),
        case("colima", colima, MacOs),
        case("rancher-desktop-linux", Kind::RancherDesktop, Linux),
        case("rancher-desktop-macos", Kind::RancherDesktop, MacOs),
        case("rancher-desktop-windows", Kind::RancherDesktop, Windows),
        case("podman", Kind::Podman, Linux),
        case("podman-rootless", Kind::PodmanRootless, Linux),
        case("podman-machine", machine, MacOs),
        Case { builder: true, ..gateway(case("buildkit", Kind::DockerNative, Linux)) },
    ]
}

impl Case {
    fn facts(&self) -> EngineFacts {
        let system = match self.platform {
            Platform::Linux => HostSystem::Linux,
            Platform::MacOs => HostSystem::MacOs,
            Platform::Windows => HostSystem::Windows,
        };
        let builder = BuilderFacts {
            name: "mine".to_owned(),
            endpoint: "default".to_owned(),
            host_network: false,
            driver_options: Vec::new(),
        };
        EngineFacts {
            system,
            image_store: self.image_store,
            builder: self.builder.then_some(builder),
            ..facts(self.kind.clone())
        }
    }

    fn target(&self) -> SetupTarget {
        let gateway = self.gateway.then_some([172, 17, 0, 1].into());
        SetupTarget { gateway, localhost_port: self.localhost_port, ..target() }
    }

    /// The file as it should be, from its comment and what it says was there before.
    fn golden(&self, comment: &str, before: &BTreeMap<String, String>) -> String {
        let scene = scene(self.platform);
        for (name, text) in before {
            let path = scene.folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let was: BTreeMap<_, _> = scene.files().into_iter().collect();
        let mut golden = comment.to_owned();
        for (name, text) in before {
            section(&mut golden, &format!("before {name}"), text);
        }
        let facts = self.facts();
        let prepared = scene.prepare(&[self.target()], &facts);
        let verdict = &prepared.plan.verdict;
        assert!(matches!(verdict, SetupVerdict::Needed { .. }), "{}: {verdict:?}", self.name);
        let authorities: String =
            prepared.plan.authorities.iter().map(|authority| format!("{}\n", authority.authority)).collect();
        section(&mut golden, "the engine's name for the registry", &authorities);
        scene.carry_out(&prepared);
        let now: BTreeMap<_, _> = scene.files().into_iter().collect();
        differences(&mut golden, "after", &was, &now);
        section(&mut golden, "commands", &typed(&prepared.plan));
        let undo = scene.undo(&facts);
        scene.carry_out(&undo);
        section(&mut golden, "commands of an undo", &typed(&undo.plan));
        differences(&mut golden, "undone, but", &was, &scene.files().into_iter().collect());
        golden
    }
}

fn typed(plan: &SetupPlan) -> String {
    let typed = |step: &StepView| match step.command.as_slice() {
        [] => format!("({})\n", step.words),
        command => format!("{}\n", command.join(" ").escape_debug()),
    };
    plan.steps.iter().map(typed).collect()
}

fn section(golden: &mut String, title: &str, text: &str) {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let mark = if end.is_empty() { "" } else { NO_LINE_END };
    write!(golden, "== {title}\n{text}{end}{mark}").unwrap();
}

fn differences(
    golden: &mut String,
    title: &str,
    was: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) {
    for (name, text) in now.iter().filter(|(name, text)| was.get(*name) != Some(text)) {
        section(golden, &format!("{title} {name}"), text);
    }
    for name in was.keys().filter(|name| !now.contains_key(*name)) {
        section(golden, &format!("{title} {name}"), "(gone)\n");
    }
}

/// The comment, and the files that were there before.
fn read(text: &str) -> (String, BTreeMap<String, String>) {
    let (mut comment, mut before) = (String::new(), BTreeMap::<String, String>::new());
    let mut name = None;
    for line in text.split_inclusive('\n') {
        if let Some(title) = line.strip_prefix("== ") {
            name = title.trim_end().strip_prefix("before ").map(str::to_owned);
            let Some(name) = &name else { break };
            before.insert(name.clone(), String::new());
        } else if let Some(text) = name.as_ref().and_then(|name| before.get_mut(name)) {
            match line {
                NO_LINE_END => drop(text.pop()),
                line => text.push_str(line),
            }
        } else {
            comment.push_str(line);
        }
    }
    (comment, before)
}

#[test]
fn golden_files_of_every_engine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/engines");
    for case in cases() {
        let file = folder.join(format!("{}.txt", case.name));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (comment, before) = read(&text);
        assert!(comment.contains("Source: "), "{}: where is it from?", case.name);
        let golden = case.golden(&comment, &before);
        if std::env::var_os("DOCKLINE_WRITE_GOLDEN").is_some() {
            fs::write(&file, &golden).unwrap();
            continue;
        }
        assert_eq!(golden, text, "{} is not what it was", file.display());
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), cases().len(), "a file that nobody reads");
}
