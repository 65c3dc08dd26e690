//! The direct road with a real engine, a real tunnel and a real registry; real engines pull what it made.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod containerd;
mod edges;
mod guarded;
mod store;

use dockline_model::{Code, Road, TransferState, TransferView};
use dockline_tests::lab::{self, Daemon, Dockerd, Dockline, Need, Outcome, Podman, RegistryHost, Workplace};
use std::{process::Stdio, time::Duration};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];

fn done(outcome: Outcome) -> (TransferView, String) {
    let view: TransferView = outcome.expect_success().read();
    let TransferState::Done { verified } = &view.state else { panic!("not done: {:?}", view.state) };
    assert!(verified.at_registry);
    let digest = verified.digest.clone();
    (view, digest)
}

/// Another engine, which has nothing of the image yet, pulls it through the tunnel: its id is of every byte.
fn pulled_id(dockline: &Dockline, dockerd: &Dockerd, image: &str) -> String {
    dockerd.try_docker(&["rmi", "--force", "app:v1", "app:v2"]);
    let address = &dockline.snapshot().registries[0].spec.listen().to_string();
    let name = format!("{address}/{image}");
    dockerd.run_docker(&["pull", "--quiet", &name]);
    let id = dockerd.image_id(&name).expect("it was pulled");
    dockerd.run_docker(&["rmi", "--force", &id]);
    id
}

#[test]
fn an_engines_image_goes_directly_and_comes_back_the_same() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let first = dockerd.build_image("app:v1", &[3000, 2000, 1]);

    // Nothing is there yet: streamed from the export.
    let (view, digest) = done(dockline.json(&["push", "app:v1", name.as_str()]));
    let why = view.why.expect("a road has a reason");
    let expected = match view.road {
        Road::Direct => "Directly: all of it is new to the registry",
        // On a machine with no time to spare loopback is a long line, and that is what is to be said.
        Road::Engine => "Through the engine: an answer takes",
    };
    assert!(why.starts_with(expected), "{why}");
    assert_eq!(host.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));

    // Everything is there: a question, and a name.
    let up = || dockline.snapshot().registries[0].tunnel.bytes_up;
    let before = up();
    let (view, again) = done(dockline.json(&["push", "app:v1", &format!("{name}/app:again")]));
    assert_eq!(again, digest, "the same image has another digest");
    assert_eq!(view.why.as_deref(), Some("Directly: the registry has every layer already."));
    assert!(up() - before < 60_000, "{} bytes for nothing new", up() - before);

    // An archive on a pipe has the same digest, and so has one from the engine packed anew for another repository.
    let mut save = dockerd.docker(&["save", "app:v1"]).stdout(Stdio::piped()).spawn().unwrap();
    let target = format!("{name}/piped:v1");
    let piped = dockline
        .command(&["push", "-", &target, "--json"])
        .stdin(save.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(save.wait().unwrap().success() && piped.status.success(), "{piped:?}");
    assert_eq!(host.manifest_digest("piped", "v1").as_deref(), Some(digest.as_str()));
    assert_eq!(pulled_id(&dockline, &dockerd, "app:v1"), first);
    assert_eq!(pulled_id(&dockline, &dockerd, "piped:v1"), first);

    // And out of a pipe.
    let target = format!("{name}/app:v1");
    let mut pull = dockline.command(&["pull", &target, "-o", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let archive = pull.stdout.take().unwrap();
    let loaded = dockerd.docker(&["load"]).stdin(archive).output().unwrap();
    assert!(pull.wait().unwrap().success() && loaded.status.success(), "{loaded:?}");
    let loaded = String::from_utf8_lossy(&loaded.stdout);
    let loaded = loaded.trim().strip_prefix("Loaded image: ").expect("docker says what it has loaded");
    assert_eq!(dockerd.image_id(loaded), Some(first), "{loaded}");
    let refused = dockline.json(&["pull", &target, "-o", "-"]).error();
    assert_eq!(refused.code, Code::InvalidArgument, "{refused:?}");
}

#[test]
fn a_changed_layer_goes_on_either_road() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = Workplace::start();
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let up = || dockline.snapshot().registries[0].tunnel.bytes_up;
    dockerd.build_image("app:v1", &[3000, 2000, 1]);
    let (_, by_docker) = done(dockline.json(&["push", "app:v1", name.as_str(), "--engine"]));
    // The same image is the same image on both roads.
    let (view, again) = done(dockline.json(&["push", "app:v1", &format!("{name}/app:same")]));
    assert_eq!((view.road, again), (Road::Direct, by_docker), "{:?}", view.why);

    let build = |tag: &str, line: &str| {
        let context = workstation.folder().join("changed");
        std::fs::create_dir_all(&context).unwrap();
        let from = format!("{}:v1", tag.split(':').next().unwrap());
        std::fs::write(context.join("Dockerfile"), format!("FROM {from}\nLABEL v={tag}\nCOPY new /new\n"))
            .unwrap();
        std::fs::write(context.join("new"), line.repeat(1000)).unwrap();
        dockerd.run_docker(&["build", "--quiet", "--tag", tag, &context.display().to_string()])
    };
    let by_choice = build("app:v2", "whichever is faster\n");
    let before = up();
    let (view, _) = done(dockline.json(&["push", "app:v2", name.as_str()]));
    let why = view.why.unwrap();
    assert!(view.road == Road::Direct && why.contains("1 of 4 layers are new"), "{why}");
    assert!(up() - before < 200_000, "{} bytes for a small layer", up() - before);

    let directly = build("app:v3", "and directly\n");
    let before = up();
    let (view, _) = done(dockline.json(&["push", "app:v3", name.as_str(), "--direct"]));
    assert_eq!(view.road, Road::Direct);
    assert!(up() - before < 200_000, "{} bytes for a small layer", up() - before);
    dockerd.run_docker(&["rmi", "--force", "app:v2", "app:v3"]);
    assert_eq!(pulled_id(&dockline, &dockerd, "app:v2"), by_choice);
    assert_eq!(pulled_id(&dockline, &dockerd, "app:v3"), directly);

    // Docker leaves out nothing that it has not sent itself.
    dockerd.build_image("own:v1", &[2500, 1500]);
    done(dockline.json(&["push", "own:v1", name.as_str(), "--direct"]));
    build("own:v2", "directly again\n");
    let before = up();
    let (view, _) = done(dockline.json(&["push", "own:v2", name.as_str()]));
    let why = view.why.unwrap();
    assert!(view.road == Road::Direct && why.contains("would send"), "{why}");
    assert!(up() - before < 200_000, "{} bytes for a small layer", up() - before);
    // What it was made to send by hand counts.
    dockerd.build_image("hand:v1", &[2400, 1400]);
    let by_hand = format!("{}/hand:v1", dockline.snapshot().registries[0].spec.listen());
    dockerd.run_docker(&["tag", "hand:v1", &by_hand]);
    dockerd.run_docker(&["push", "--quiet", &by_hand]);
    build("hand:v2", "by hand\n");
    let (view, _) = done(dockline.json(&["push", "hand:v2", name.as_str()]));
    let why = view.why.unwrap();
    assert!(why.contains("1 of 3 layers are new") && !why.contains("would send"), "{why}");

    let refused = |words: &[&str]| dockline.json(words).error().code;
    assert_eq!(
        refused(&["push", "app:v1", name.as_str(), "--engine", "--level", "9"]),
        Code::InvalidArgument
    );
    assert_eq!(refused(&["push", "app:v1", name.as_str(), "--level", "99"]), Code::InvalidArgument);
}

/// Killed somewhere in the middle, twice, and then let alone: it ends right, and nothing stays behind.
#[test]
fn a_push_that_is_killed_is_gone_on_with() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = Workplace::start();
    let name = dockline.add(&host);
    let id = dockerd.build_image("app:v1", &[9000, 8000, 7000, 6000]);
    let archive = workstation.folder().join("app.tar").display().to_string();
    dockerd.run_docker(&["save", "--output", &archive, "app:v1"]);
    host.limit_link("200mbit");
    // Where in the push it strikes is left to the machine; each time is another.
    for milliseconds in [350, 900] {
        let arguments = ["push", &archive, name.as_str()];
        let push = Daemon::spawn("dockline push", dockline.command(&arguments));
        let ended = push.wait(Duration::from_millis(milliseconds));
        assert!(ended.is_none_or(|status| status.success()), "it failed by itself:\n{}", push.log());
        push.kill();
    }
    let (_, digest) = done(dockline.json(&["push", &archive, name.as_str()]));
    assert_eq!(host.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    let uploads = dockline.home().join("state").join("pushes").join("uploads");
    let left = std::fs::read_dir(&uploads).map_or(0, Iterator::count);
    assert_eq!(left, 0, "uploads that have ended are noted");
    let _agent = dockline.agent();
    assert_eq!(pulled_id(&dockline, &dockerd, "app:v1"), id);
}

/// Docker takes an image that stands alone for whichever platform it was asked for, and says that all is well.
#[test]
fn an_image_of_another_platform_is_not_taken_for_the_one_that_was_asked_for() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = Workplace::start();
    let name = dockline.add(&host);
    let agent = dockline.agent();
    let archive = workstation.folder().join("arm64.tar");
    lab::write_image(&archive, "arm64", 1000);
    done(dockline.json(&["push", &archive.display().to_string(), &format!("{name}/app:v1")]));

    let image = format!("{name}/app:v1");
    let refused = |dockline: &Dockline, more: &[&str]| {
        let arguments = [&["pull", &image, "--platform", "linux/amd64"][..], more].concat();
        let error = dockline.json(&arguments).error();
        assert_eq!(error.code, Code::ReferenceNotFound, "{error:?}");
        assert!(
            error.message.ends_with("app:v1 has no image for linux/amd64; it has linux/arm64."),
            "{error:?}"
        );
    };
    refused(&dockline, &[]);
    assert_eq!(dockerd.run_docker(&["images", "--all", "--quiet"]), "", "a name leads to something else");
    let back = workstation.folder().join("back.tar");
    refused(&dockline, &["--output", &back.display().to_string()]);
    assert!(!back.exists());

    let mut id = String::new();
    for platform in ["linux/arm64", "linux/arm64/v8"] {
        done(dockline.json(&["pull", &image, "--platform", platform]));
        id = dockerd.run_docker(&["images", "--all", "--quiet", "--no-trunc"]);
        assert!(id.starts_with("sha256:"), "{id}");
        dockerd.run_docker(&["rmi", "--force", &id]);
    }
    done(dockline.json(&["pull", &image, "--output", &back.display().to_string(), "--platform", "arm64"]));

    if lab::requires(&[Need::Program("podman")]) {
        // One at a time has the registry's address.
        drop(agent);
        let podman = Podman::start(&workstation);
        let dockline = Dockline::on(&workstation).with_engine(podman.endpoint());
        dockline.trust(&host.known_hosts_line());
        dockline.add_as(&name, &host, &[]);
        refused(&dockline, &[]);
        assert_eq!(podman.try_podman(&["images", "--all", "--quiet"]).stdout, "");
        dockline.json(&["pull", &image, "--platform", "linux/arm64"]).expect_success();
        assert!(podman.try_podman(&["images", "--quiet", "--no-trunc"]).stdout.contains(&id));
    }
}
