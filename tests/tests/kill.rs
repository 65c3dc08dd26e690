//! `kill -9` is a normal day: what the killed program had begun is cleaned up by the next one.

use dockline_tests::lab::{self, Daemon, Need, RegistryHost, Workplace};
use nix::sys::signal::Signal;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];
const SOON: Duration = Duration::from_secs(30);

fn kill(program: &Daemon) {
    program.signal(Signal::SIGKILL);
    assert!(program.wait(SOON).is_some(), "it survives SIGKILL");
}

#[test]
fn a_temporary_name_of_a_killed_push_goes_with_the_next_start() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let name = dockline.add(&host);
    let id = dockerd.build_image("app:v1", &[100]);
    let has_temporary = || {
        let tags = ["image", "inspect", "--format", "{{join .RepoTags \" \"}}", id.as_str()];
        dockerd.run_docker(&tags).contains("127.77.")
    };
    let notes = || files_in(&dockline.home().join("state").join("temporary-names"));

    // The registry's kernel takes connections; the registry itself answers nothing, and the push cannot end.
    host.registry().signal(Signal::SIGSTOP);
    let agent = dockline.agent();
    let push =
        Daemon::spawn("dockline push", dockline.command(&["push", "app:v1", name.as_str(), "--engine"]));
    lab::until("the image has a name with the address", has_temporary);
    assert_eq!(notes().len(), 1);
    // Held still, so that it does not go on by itself where the agent was.
    push.signal(Signal::SIGSTOP);
    kill(agent.daemon());
    kill(&push);
    assert!(has_temporary() && notes().len() == 1, "nobody was there to remove it");
    host.registry().signal(Signal::SIGCONT);

    let _next = dockline.agent();
    lab::until("the name is gone", || !has_temporary());
    lab::until("the note is gone", || notes().is_empty());
    assert_eq!(dockerd.image_id("app:v1"), Some(id.clone()), "the person's own name stays");
}

#[test]
fn the_unfinished_file_of_a_killed_pull_goes_with_the_next_pull() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let name = dockline.add(&host);
    dockerd.build_image("app:v1", &[80_000]);
    dockline.run(&["push", "app:v1", name.as_str()]).expect_success();

    let folder = dockline.folder().join("images");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("app.tar").display().to_string();
    let reference = format!("{name}/app:v1");
    let arguments = ["pull", &reference, "--output", &file];
    let pull = Daemon::spawn("dockline pull", dockline.command(&arguments));
    lab::until("the pull has begun its file", || !files_in(&folder).is_empty());
    kill(&pull);
    // What has arrived, and the account of it: the next pull goes on with them.
    let left = files_in(&folder);
    let is_part = |path: &PathBuf| path.extension().is_some_and(|end| end == "part" || end == "part-journal");
    assert!(!left.is_empty() && left.iter().all(is_part), "{left:?}");

    dockline.run(&arguments).expect_success();
    assert_eq!(files_in(&folder), [Path::new(&file)]);
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}
