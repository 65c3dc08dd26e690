//! Garbage collected on a registry's own host, through SSH: a real registry in a real container, and as a service. systemd
//! itself cannot run here, so a stand-in for `systemctl` stops and starts the real registry.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use dockline_model::{Code, CollectPlan, Collected, RegistryName, RegistryRun};
use dockline_tests::lab::{
    self, Daemon, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Systemd, Workstation,
};
use nix::sys::signal::Signal;
use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

const HOST: &[Need] = &[Need::Root, Need::Sshd, Need::Registry];
const CONTAINER: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];
const PATIENCE: Duration = Duration::from_secs(60);

/// A host whose registry is a container of its Docker.
struct InContainer {
    host: RegistryHost,
    dockerd: Dockerd,
    workstation: Arc<Workstation>,
}

impl InContainer {
    fn start() -> Self {
        Self::with_settings_after("")
    }

    /// With this before its registry's settings.
    fn with_settings_after(first: &str) -> Self {
        let workstation = Workstation::start();
        let endpoint = format!("unix://{}", workstation.folder().join("docker/docker.sock").display());
        let host = RegistryHost::with(RegistryHostOptions {
            without_registry: true,
            sshd_config: format!("SetEnv DOCKER_HOST={endpoint}\n"),
            ..RegistryHostOptions::default()
        });
        let cgroups = ["--default-cgroupns-mode=host"];
        let dockerd = Dockerd::in_network_with(&workstation, &host.network(), &cgroups);
        assert_eq!(dockerd.endpoint(), endpoint);
        dockerd.import_programs("registry:2", &["docker-registry", "cat", "stat", "test", "xargs"]);
        let settings = workstation.folder().join("registry.yml");
        let text = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /var/lib/registry\n  delete:\n    \
                    enabled: true\nhttp:\n  addr: 127.0.0.1:5000\n";
        fs::write(&settings, format!("{first}{text}")).unwrap();
        Self { host, dockerd, workstation }.with_registry(&settings, &["-v", "images:/var/lib/registry"])
    }

    fn with_registry(self, settings: &Path, storage: &[&str]) -> Self {
        let settings = format!("{}:/etc/registry.yml", settings.display());
        let run = ["run", "-d", "--name", "registry", "--restart=always", "--network=host", "-v", &settings];
        let serve = ["registry:2", "/usr/bin/docker-registry", "serve", "/etc/registry.yml"];
        self.dockerd.run_docker(&[&run[..], storage, &serve[..]].concat());
        lab::until("the registry answers", || self.answers());
        self
    }

    fn answers(&self) -> bool {
        lab::try_run(self.host.inside("curl").args(["-sf", "http://127.0.0.1:5000/v2/"])).status.success()
    }

    fn is_running(&self) -> bool {
        let state = self.dockerd.try_docker(&["inspect", "--format", "{{.State.Running}}", "registry"]);
        state.stdout.trim() == "true"
    }

    /// Pushes an image of that many KiB that nothing else has.
    fn push(&self, dockline: &Dockline, name: &RegistryName, image: &str, kib: usize) {
        self.dockerd.build_image(image, &[kib]);
        let archive = dockline.folder().join("image.tar").display().to_string();
        self.dockerd.run_docker(&["save", "--output", &archive, image]);
        dockline.run(&["push", &archive, name.as_str()]).expect_success();
    }
}

#[test]
fn a_registry_in_a_container_is_stopped_cleaned_and_started() {
    if !lab::requires(CONTAINER) {
        return;
    }
    let there = InContainer::start();
    let dockline = Dockline::new();
    let name = dockline.add(&there.host);
    let plan = || dockline.json(&["gc", name.as_str(), "--plan"]).expect_success().read::<CollectPlan>();
    there.push(&dockline, &name, "keep:v1", 100);
    there.push(&dockline, &name, "app:v1", 300);
    let nothing = plan();
    assert!(nothing.is_empty(), "{nothing:?}");
    let words = dockline.run(&["gc", name.as_str(), "--yes"]).expect_success().stdout;
    assert!(words.contains("There is nothing to remove."), "{words}");
    assert!(words.contains("docker container registry (registry:2), version 2."), "{words}");

    dockline.run(&["rm", &format!("{name}/app:v1"), "--yes"]).expect_success();
    let planned = plan();
    // Its manifest, its configuration and its layer.
    assert_eq!(planned.blobs, 3, "{planned:?}");
    let bytes = planned.bytes.expect("it is on that host's disk");
    assert!(bytes > 300 << 10 && bytes < 400 << 10, "{planned:?}");
    assert_eq!(planned.configuration, "/etc/registry.yml");
    let RegistryRun::Container { engine, name: container, id, .. } = &planned.run else {
        panic!("{planned:?}")
    };
    assert_eq!((engine.as_str(), container.as_str(), id.len()), ("docker", "registry", 64));
    assert!(there.answers(), "a plan stops nothing");

    let collected: Collected = dockline.json(&["gc", name.as_str(), "--yes"]).expect_success().read();
    assert_eq!((collected.blobs, collected.bytes), (3, Some(bytes)), "{collected:?}");
    assert!(there.answers() && there.is_running());
    assert!(plan().is_empty());
    assert!(there.host.manifest_digest("keep", "v1").is_some(), "what has a tag stays");
    let containers = there.dockerd.run_docker(&["ps", "-aq"]);
    assert_eq!(containers.lines().count(), 1, "nothing stays behind: {containers}");
    // A registry that had run on would take the layer for one that it has.
    let archive = dockline.folder().join("image.tar").display().to_string();
    dockline.run(&["push", &archive, name.as_str()]).expect_success();
    let back = dockline.folder().join("back.tar").display().to_string();
    dockline.run(&["pull", &format!("{name}/app:v1"), "--output", &back]).expect_success();

    // Version 2 deletes platforms of images that have a tag.
    let refused = dockline.json(&["gc", name.as_str(), "--untagged", "--plan"]).error();
    assert_eq!(refused.code, Code::CollectRefused);
    assert!(refused.message.contains("Before version 3.0"), "{refused:?}");
}

#[test]
fn a_registry_comes_back_when_whoever_stopped_it_is_killed() {
    if !lab::requires(CONTAINER) {
        return;
    }
    let there = InContainer::start();
    let dockline = Dockline::new();
    let name = dockline.add(&there.host);
    there.push(&dockline, &name, "app:v1", 300);
    dockline.run(&["rm", &format!("{name}/app:v1"), "--yes"]).expect_success();

    let stops = Daemon::spawn(
        "docker events",
        there.dockerd.docker(&[
            "events",
            "--filter",
            "event=die",
            "--filter",
            "container=registry",
            "--format",
            "it stopped",
        ]),
    );
    let collecting = Daemon::spawn("dockline gc", dockline.command(&["gc", name.as_str(), "--yes"]));
    stops.wait_for_line("it stopped", PATIENCE);
    collecting.signal(Signal::SIGKILL);
    there.host.end_sessions();
    lab::until("the registry answers again", || there.answers());
    assert!(there.is_running());
    lab::until("the garbage is gone", || {
        dockline.json(&["gc", name.as_str(), "--plan"]).expect_success().read::<CollectPlan>().is_empty()
    });
}

/// It may have been broken into; its host has not.
#[test]
fn what_a_container_says_of_itself_is_no_command_for_its_host() {
    if !lab::requires(CONTAINER) {
        return;
    }
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("mark");
    // sed(1) runs what follows `e`.
    let planted = format!("# rootdirectory: x#;1e touch {} #\n", mark.display());
    let there = InContainer::with_settings_after(&planted);
    let dockline = Dockline::new();
    let name = dockline.add(&there.host);
    there.push(&dockline, &name, "app:v1", 10);
    dockline.run(&["rm", &format!("{name}/app:v1"), "--yes"]).expect_success();
    let planned: CollectPlan = dockline.json(&["gc", name.as_str(), "--plan"]).expect_success().read();
    assert_eq!((planned.blobs, planned.bytes), (3, None), "{planned:?}");
    assert!(!mark.exists());
}

/// The collector of a registry that keeps its images in the container would find nothing in another one, and one that is
/// removed when it stops would take them along.
#[test]
fn containers_that_would_lose_their_images_are_left_alone() {
    if !lab::requires(CONTAINER) {
        return;
    }
    let there = InContainer::start();
    let dockline = Dockline::new();
    let name = dockline.add(&there.host);
    there.push(&dockline, &name, "app:v1", 10);
    let settings = there.workstation.folder().join("registry.yml");
    let settings = format!("{}:/etc/registry.yml", settings.display());
    let serve = ["registry:2", "/usr/bin/docker-registry", "serve", "/etc/registry.yml"];
    for (options, words) in [
        (&["--rm", "-v", "images:/var/lib/registry"][..], "removed when it is stopped"),
        (
            &["--label", "com.docker.swarm.service.id=x", "-v", "images:/var/lib/registry"],
            "belongs to a cluster",
        ),
        (&[], "in the container itself"),
    ] {
        there.dockerd.run_docker(&["rm", "--force", "registry"]);
        let run = ["run", "-d", "--name", "registry", "--network=host", "-v", &settings];
        there.dockerd.run_docker(&[&run[..], options, &serve[..]].concat());
        lab::until("the registry answers", || there.answers());
        if options.is_empty() {
            there.push(&dockline, &name, "app:v1", 10);
        }
        let refused = dockline.json(&["gc", name.as_str(), "--yes"]).error();
        assert_eq!(refused.code, Code::CollectRefused);
        assert!(refused.message.contains(words), "{refused:?}");
        assert!(there.answers(), "nothing was stopped");
    }
}

/// Whoever has an account on the host may listen at a port that is free, and be called anything.
#[test]
fn a_program_that_passes_for_the_registry_is_not_run() {
    if !lab::requires(HOST) {
        return;
    }
    let tools = Systemd::new();
    let mut host = RegistryHost::start();
    let dockline = Dockline::new();
    let name = dockline.add(&host);
    let mark = tools.folder().join("mark");
    tools.put("registry", &format!("touch '{}'\n", mark.display()));
    let passing = format!(
        "exec -a '{}/registry' perl -MIO::Socket::INET -e '$|=1; my $s = IO::Socket::INET->new(LocalAddr => shift, Listen => 1) or die; \
         print \"listening\\n\"; sleep' ",
        tools.folder().display()
    );
    let listen = |host: &RegistryHost, address: &str| {
        let mut command = host.inside("bash");
        // Its arguments as Distribution's registry has them, if what comes before is left out.
        command.args(["-c", &format!("{passing} {address} serve /tmp/config.yml")]);
        let daemon = Daemon::spawn("somebody else's program", command);
        daemon.wait_for_line("listening", PATIENCE);
        daemon
    };
    let plan = || dockline.json(&["gc", name.as_str(), "--plan"]).error();
    // Beside the registry, which nobody could start again here.
    let beside = listen(&host, "127.0.0.5:5000");
    let error = plan();
    assert!(error.message.contains("neither a container nor a systemd service"), "{error:?}");
    drop(beside);
    let only_beside = listen(&host, "127.0.0.5:5000");
    host.stop_registry();
    let error = plan();
    assert!(error.message.contains("Nothing listens at port 5000"), "{error:?}");
    drop(only_beside);
    let instead = listen(&host, "127.0.0.1:5000");
    let error = plan();
    assert!(error.message.contains("neither a container nor a systemd service"), "{error:?}");
    drop(instead);
    assert!(!mark.exists(), "it was run");
}

#[test]
fn a_registry_that_is_a_service_is_stopped_and_started_by_systemd() {
    if !lab::requires(HOST) {
        return;
    }
    let systemd = Systemd::new();
    let host = RegistryHost::with(RegistryHostOptions {
        sshd_config: systemd.sshd_config(),
        ..RegistryHostOptions::default()
    });
    let dockline = Dockline::new();
    let name = dockline.add(&host);
    let sample = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&sample).unwrap();
    dockline.run(&["push", &sample.display().to_string(), &format!("{name}/app:v1")]).expect_success();
    dockline.run(&["rm", &format!("{name}/app:v1"), "--yes"]).expect_success();

    // Started by hand: nobody could start it again.
    let refused = dockline.json(&["gc", name.as_str(), "--plan"]).error();
    assert_eq!(refused.code, Code::CollectRefused);
    assert!(refused.hint.as_ref().unwrap().contains("garbage-collect"), "{refused:?}");

    let accounts = systemd.folder().join("accounts");
    let runuser = format!("echo \"$2 $4\" >> '{}'\nexec /usr/sbin/runuser \"$@\"\n", accounts.display());
    systemd.put("runuser", &runuser);
    // What it removes has to be its own.
    lab::run("chown", &["-R", "nobody", &host.storage().display().to_string()]);
    let service = systemd.serve(&host, Some("nobody"));
    let planned: CollectPlan = dockline.json(&["gc", name.as_str(), "--plan"]).expect_success().read();
    assert_eq!(planned.run, RegistryRun::Unit { name: service.name() });
    assert!(planned.blobs > 3 && planned.version.as_deref().is_some_and(|version| version.starts_with("2.")));
    assert_eq!(service.log(), "", "a plan stops nothing");
    let as_whom = fs::read_to_string(&accounts).unwrap();
    assert!(as_whom.lines().all(|line| line.starts_with("nobody ")), "{as_whom}");
    assert!(as_whom.contains("docker-registry"), "{as_whom}");

    let collected: Collected = dockline.json(&["gc", name.as_str(), "--yes"]).expect_success().read();
    assert_eq!((collected.blobs, collected.bytes), (planned.blobs, planned.bytes));
    let unit = service.name();
    assert_eq!(service.log(), format!("stop {unit}\nstart {unit}\n"));
    let left = Command::new("find")
        .arg(host.storage().join("docker/registry/v2/blobs"))
        .args(["-name", "data"])
        .output();
    assert_eq!(String::from_utf8_lossy(&left.unwrap().stdout), "", "every blob has gone");
    dockline.run(&["push", &sample.display().to_string(), &format!("{name}/app:v1")]).expect_success();
}

#[test]
fn a_login_that_may_run_nothing_is_told_so() {
    if !lab::requires(HOST) {
        return;
    }
    let host = RegistryHost::with(RegistryHostOptions {
        key_options: "restrict,port-forwarding,command=\"/usr/sbin/nologin\"".to_owned(),
        ..RegistryHostOptions::default()
    });
    let dockline = Dockline::new();
    let name = dockline.add(&host);
    let refused = dockline.json(&["gc", name.as_str(), "--plan"]).error();
    assert_eq!(refused.code, Code::CollectRefused);
    assert!(refused.message.contains("may log in") && refused.message.contains("run nothing"), "{refused:?}");
    assert!(refused.hint.unwrap().contains("--ssh root@"));
}
