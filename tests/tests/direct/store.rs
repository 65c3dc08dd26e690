//! Layers straight from Docker's own store: whatever is in them, and whatever becomes of the push.

use super::{NEEDS, done, pulled_id};
use dockline_model::Road;
use dockline_tests::lab::{self, Daemon, Dockerd, Gate, Need, RegistryHost, Workplace, Workstation};
use nix::sys::signal::Signal;
use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileExt as _, symlink},
    },
    path::Path,
    process::Command,
    time::Duration,
};

const SOON: Duration = Duration::from_secs(30);

/// What dockerd has done since `since` to images and containers: `image save`, `container create`…
fn events(dockerd: &Dockerd, since: &str) -> Vec<String> {
    let until = now();
    let format = "{{.Type}} {{.Action}}";
    let events = dockerd.run_docker(&["events", "--since", since, "--until", &until, "--format", format]);
    events.lines().map(str::to_owned).collect()
}

fn now() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}.{:09}", now.as_secs(), now.subsec_nanos())
}

/// Nothing that was made for the reading is left, as soon as an owner that goes on has come to it.
#[track_caller]
fn nothing_is_left(dockerd: &Dockerd, notes: &Path) {
    lab::until("the containers are gone", || containers(dockerd).is_empty());
    lab::until("the notes are gone", || fs::read_dir(notes).map_or(0, Iterator::count) == 0);
    assert_eq!(dockerd.run_docker(&["volume", "ls", "--quiet"]), "");
}

fn containers(dockerd: &Dockerd) -> String {
    dockerd.run_docker(&["ps", "--all", "--format", "{{.Names}}"])
}

/// An image of what tars find hard, in layers that Docker has made itself and in one that somebody else's tar has.
fn build_odd_image(workstation: &Workstation, dockerd: &Dockerd, tag: &str) -> String {
    let context = workstation.folder().join("odd");
    let tree = context.join("tree");
    fs::create_dir_all(tree.join("empty folder")).unwrap();
    fs::create_dir_all(tree.join("deep/".repeat(60))).unwrap();
    fs::write(tree.join("deep/".repeat(60)).join("n".repeat(200)), "a long way down").unwrap();
    fs::write(tree.join(OsStr::from_bytes(b"caf\xe9 \"\\")), "no UTF-8").unwrap();
    fs::write(tree.join("nothing"), "").unwrap();
    fs::write(tree.join("z"), "twice").unwrap();
    fs::hard_link(tree.join("z"), tree.join("a")).unwrap();
    symlink("/nowhere", tree.join("link")).unwrap();
    let sparse = fs::File::create(tree.join("sparse")).unwrap();
    sparse.write_all_at(b"end", 3_000_000).unwrap();
    // In an order that no walk has, the link before what it links to.
    let tar = context.join("foreign.tar");
    let made = Command::new("tar")
        .arg("-C")
        .arg(&tree)
        .args(["--format=pax", "-cf"])
        .arg(&tar)
        .args(["z", "sparse", "nothing", "a", "link", "deep", "empty folder"])
        .status()
        .unwrap();
    assert!(made.success());
    dockerd.run_docker(&["import", &tar.display().to_string(), "foreign:v1"]);
    let lines = [
        "FROM foreign:v1",
        "COPY tree /copied/",
        "COPY tree/z /copied/nothing",
        "COPY tree/z /volume/filled",
        "VOLUME /volume",
        "COPY tree /copied/",
    ];
    fs::write(context.join("Dockerfile"), lines.join("\n")).unwrap();
    dockerd.run_docker(&["build", "--quiet", "--tag", tag, &context.display().to_string()])
}

#[test]
fn layers_come_straight_from_dockers_store_whatever_is_in_them() {
    if lab::requires(NEEDS) {
        layers_come_straight_from(Workplace::start());
    }
}

#[test]
fn layers_come_straight_from_a_newer_dockers_store_as_well() {
    if lab::requires(&[NEEDS, &[Need::NewerDocker]].concat()) {
        layers_come_straight_from(Workplace::with(Dockerd::newer_with_classic_store));
    }
}

fn layers_come_straight_from(workplace: Workplace) {
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = workplace;
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let id = build_odd_image(&workstation, &dockerd, "app:v1");
    let notes = dockline.home().join("state").join("temporary-names");

    let since = now();
    let (view, digest) = done(dockline.json(&["push", "app:v1", name.as_str(), "--direct"]));
    assert_eq!(view.road, Road::Direct);
    nothing_is_left(&dockerd, &notes);
    let seen = events(&dockerd, &since);
    let has = |what: &str| seen.iter().any(|event| event.starts_with(what));
    assert!(has("container create") && has("container destroy"), "{seen:?}");
    assert!(!has("image save") && !has("container start"), "{seen:?}");

    // An export has the same layers.
    let archive = workstation.folder().join("app.tar").display().to_string();
    dockerd.run_docker(&["save", "--output", &archive, "app:v1"]);
    let (_, same) = done(dockline.json(&["push", &archive, &format!("{name}/saved:v1")]));
    assert_eq!(same, digest);
    dockerd.run_docker(&["rmi", "foreign:v1"]);
    assert_eq!(pulled_id(&dockline, &dockerd, "app:v1"), id);
}

/// The image has a volume just where the store would be put.
#[test]
fn an_image_whose_layers_cannot_be_read_is_exported() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = Workplace::start();
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let context = workstation.folder().join("covered");
    fs::create_dir_all(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY Dockerfile /\nVOLUME /.dockline/files\n")
        .unwrap();
    let id = dockerd.run_docker(&["build", "--quiet", "--tag", "app:v1", &context.display().to_string()]);

    let since = now();
    done(dockline.json(&["push", "app:v1", name.as_str(), "--direct"]));
    let seen = events(&dockerd, &since);
    assert!(seen.iter().any(|event| event == "image save"), "{seen:?}");
    nothing_is_left(&dockerd, &dockline.home().join("state").join("temporary-names"));
    assert_eq!(pulled_id(&dockline, &dockerd, "app:v1"), id);
}

#[test]
fn what_is_made_to_read_layers_goes_when_the_push_is_stopped_or_killed() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let name = dockline.add(&host);
    dockerd.build_image("app:v1", &[30_000, 30_000]);
    let notes = dockline.home().join("state").join("temporary-names");
    // Slow enough to be met in the middle.
    host.limit_link("40mbit");
    let push = || {
        let arguments = ["push", "app:v1", name.as_str(), "--direct"];
        let push = Daemon::spawn("dockline push", dockline.command(&arguments));
        lab::until("layers are read", || containers(&dockerd).starts_with("dockline-reads-"));
        push
    };

    let stopped = push();
    stopped.signal(Signal::SIGINT);
    assert!(stopped.wait(SOON).is_some_and(|status| !status.success()), "{}", stopped.log());
    assert!(containers(&dockerd).is_empty(), "it was the owner, and ended before it had removed everything");
    nothing_is_left(&dockerd, &notes);

    // One more container is on its way through the engine: it is waited for, and removed as well.
    let gate = Gate::before(&dockerd.endpoint(), &["-1&", "-1 HTTP/"]);
    let mut command = dockline.command(&["push", "app:v1", name.as_str(), "--direct"]);
    command.env("DOCKER_HOST", gate.endpoint());
    let stopped = Daemon::spawn("dockline push", command);
    gate.wait_until_reached(SOON);
    stopped.signal(Signal::SIGINT);
    assert!(stopped.wait(Duration::from_secs(1)).is_none(), "{}", stopped.log());
    gate.open();
    assert!(stopped.wait(SOON).is_some_and(|status| !status.success()), "{}", stopped.log());
    assert!(containers(&dockerd).is_empty(), "it ended before it had removed what was made last");
    nothing_is_left(&dockerd, &notes);

    let killed = push();
    killed.signal(Signal::SIGKILL);
    assert!(killed.wait(SOON).is_some());
    assert!(!containers(&dockerd).is_empty(), "nobody was there to remove it");
    let _next = dockline.agent();
    nothing_is_left(&dockerd, &notes);
}
