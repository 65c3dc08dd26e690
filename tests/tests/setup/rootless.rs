//! dockerd without root, which sees no loopback but its own.

use super::{
    NEEDS, all_reached,
    roads::{goes_through_the_engine, pushes_without_the_engines_way},
};
use dockline_model::{Code, EngineKind, SetupPlan, SetupReport};
use dockline_tests::lab::{self, Dockline, Need, Person, RegistryHost, RootlessDockerd, Workstation};
use std::fs;

const ROOTLESS_DOCKER: &[Need] = &[
    Need::Program("rootlesskit"),
    Need::Program("slirp4netns"),
    Need::Program("newuidmap"),
    Need::File(lab::ROOTLESS_SCRIPT),
];

#[test]
fn dockerd_without_root_is_recognised_and_reaches_the_registry_by_the_gateway() {
    if !lab::requires(&[NEEDS, ROOTLESS_DOCKER].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let (_, gateway) = workstation.bridge();
    let ann = Person::on(&workstation);
    let dockerd = RootlessDockerd::start(&ann);
    let dockline = Dockline::of(&ann).with_engine(dockerd.endpoint());
    let name = lab::unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &["--gateway", &gateway.to_string()]);
    let _agent = dockline.agent();

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert_eq!(plan.engine.kind, EngineKind::DockerRootless);
    let daemon_json = ann.home().join(".config/docker/daemon.json");
    assert!(!daemon_json.exists());
    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    let authority = format!("{gateway}:5000");
    assert!(fs::read_to_string(&daemon_json).unwrap().contains(&authority));
    assert!(
        !workstation.hosts().contains(name.as_str()),
        "the name leads to a loopback that this engine has not"
    );

    let image = format!("{authority}/team/app:v1");
    let context = ann.home().join("context");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n").unwrap();
    ann.owns(&context);
    dockerd.try_docker(&["build", "-t", &image, &context.display().to_string()]).expect_success();
    dockerd.try_docker(&["push", &image]).expect_success();
    assert!(host.manifest_digest("team/app", "v1").is_some());

    dockerd.try_docker(&["tag", &image, "own:v1"]).expect_success();
    goes_through_the_engine(&dockline, &name, &host, |arguments| dockerd.try_docker(arguments));

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    let refused = dockerd.try_docker(&["push", &image]);
    assert!(!refused.status.success() && refused.stderr.contains("HTTPS"), "{refused:?}");
}

/// Without a gateway address there is no way from that engine's network to the registry: setup says so, and the images
/// go directly.
#[test]
fn dockerd_without_root_and_without_a_gateway_is_told_of_the_road_that_is_left() {
    if !lab::requires(&[NEEDS, ROOTLESS_DOCKER].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let ann = Person::on(&workstation);
    let dockerd = RootlessDockerd::start(&ann);
    let dockline = Dockline::of(&ann).with_engine(dockerd.endpoint());
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let error = dockline.json(&["setup", "--plan"]).error();
    assert_eq!(error.code, Code::EngineCannotReach);
    assert!(error.hint.as_deref().unwrap_or_default().contains("dockline push IMAGE"), "{error:?}");
    let context = ann.home().join("context");
    fs::create_dir(&context).unwrap();
    let layers: String = (0..10).map(|layer| format!("COPY Dockerfile /{layer}\n")).collect();
    fs::write(context.join("Dockerfile"), format!("FROM scratch\n{layers}")).unwrap();
    ann.owns(&context);
    dockerd.try_docker(&["build", "-t", "own:v1", &context.display().to_string()]).expect_success();
    let docker = |arguments: &[&str]| dockerd.try_docker(arguments);
    pushes_without_the_engines_way(&dockline, &name, &host, docker, (&context, true));
}
