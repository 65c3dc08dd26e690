//! What holds for every engine that does not see this machine's loopback, before it is set up and after.

use dockline_model::{Code, RegistryName, Road, TransferView};
use dockline_tests::lab::{Dockline, Finished, RegistryHost};
use std::{fs, io::Read as _, path::Path};

/// Nothing is set up, and the engine cannot get to the registry: its image goes there all the same, from Dockline, exported
/// where `is_exported`. The engine's own road says what is missing.
pub fn pushes_without_the_engines_way(
    dockline: &Dockline,
    name: &RegistryName,
    host: &RegistryHost,
    docker: impl Fn(&[&str]) -> Finished,
    (context, is_exported): (&Path, bool),
) {
    let words = ["push", "own:v1", name.as_str()];
    let refused = dockline.json(&[&words[..], &["--engine"]].concat()).error();
    assert_eq!(refused.code, Code::EngineCannotReach, "{refused:?}");
    assert!(refused.hint.as_deref().unwrap_or_default().contains("dockline setup"), "{refused:?}");
    assert_eq!(host.manifest_digest("own", "v1"), None);
    dockline.run(&words).expect_success();
    assert!(host.manifest_digest("own", "v1").is_some());
    // On a slow line the engine's road would be taken for a large image that has to be exported, if there were one: it
    // begins to send at once. The first of these images finds out how slow the line is.
    host.limit_link("100mbit");
    let mut noise = vec![0; 3 << 20];
    fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut noise)).expect("noise");
    for (tag, content) in [("v2", noise), ("v3", vec![0; 100 << 20])] {
        fs::write(context.join("content"), content).expect("the test's folder");
        fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY content /\n").expect("the test's folder");
        let image = format!("own:{tag}");
        docker(&["build", "-t", &image, &context.display().to_string()]).expect_success();
        dockline.run(&["push", &image, name.as_str()]).expect_success();
        assert!(host.manifest_digest("own", tag).is_some());
    }
    let last = dockline
        .snapshot()
        .transfers
        .into_iter()
        .max_by_key(|transfer| transfer.id.0)
        .expect("one was pushed");
    assert_eq!(last.road, Road::Direct, "{last:?}");
    let is_right = |why: &str| why.contains("does not see") || why.contains("virtual machine");
    let why = last.why.unwrap_or_default();
    match is_exported {
        true => assert!(is_right(&why), "{why}"),
        // Read layer by layer it is sent at once as well.
        false => assert!(why.starts_with("Directly: all of it is new"), "{why}"),
    }

    // And back, in the same way.
    let id = |name: &str| docker(&["image", "inspect", "--format", "{{.Id}}", name]).stdout.trim().to_owned();
    let pushed = id("own:v2");
    docker(&["rmi", "--force", "own:v2"]).expect_success();
    let reference = format!("{name}/own:v2");
    let view: TransferView = dockline.json(&["pull", &reference]).expect_success().read();
    assert_eq!(view.road, Road::Direct);
    assert!(view.why.as_deref().is_some_and(is_right), "{:?}", view.why);
    assert_eq!(id(&format!("{name}:5000/own:v2")), pushed);
}

/// `dockline push --engine` and `dockline pull` with an engine that does not see this machine's loopback.
pub fn goes_through_the_engine(
    dockline: &Dockline,
    name: &RegistryName,
    host: &RegistryHost,
    docker: impl Fn(&[&str]) -> Finished,
) {
    let names = || {
        let listed = docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]).expect_success().stdout;
        listed.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    let own = before.iter().find(|image| image.ends_with("own:v1")).expect("the test built it").clone();
    let to = format!("{name}/through/engine:v2");
    dockline.run(&["push", &own, &to, "--engine"]).expect_success();
    assert!(host.manifest_digest("through/engine", "v2").is_some());
    assert_eq!(names(), before, "a name that was only for the way is gone");
    dockline.run(&["pull", &to]).expect_success();
    let after: Vec<String> = names().difference(&before).cloned().collect();
    assert_eq!(after, [format!("{name}:5000/through/engine:v2")], "it is called after the registry");
}
