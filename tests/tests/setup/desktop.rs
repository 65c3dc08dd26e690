//! An engine in a virtual machine, as Docker Desktop's.

use super::{
    NEEDS, all_reached, files,
    roads::{goes_through_the_engine, pushes_without_the_engines_way},
};
use dockline_model::{EngineKind, SettingsFile, SetupPlan, SetupReport, SetupVerdict};
use dockline_tests::lab::{self, DesktopMachine, Dockline, Need, RegistryHost, Workstation};
use std::fs;

/// The engine of Docker Desktop, as far as it can be had here: see [`DesktopMachine`].
#[test]
fn an_engine_in_a_machine_pushes_through_a_port_of_127_0_0_1() {
    if !lab::requires(&[NEEDS, &[Need::Program("slirp4netns")]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let dockline = Dockline::on(&workstation);
    let desktop = DesktopMachine::start(dockline.folder());
    let dockerd = desktop.dockerd();
    let dockline = dockline.with_engine(dockerd.endpoint());
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let own = dockline.snapshot().registries.remove(0).spec;
    dockerd.build_image("own:v1", &[20; 10]);
    let context = dockline.folder().join("context");
    fs::create_dir(&context).unwrap();
    let docker = |arguments: &[&str]| dockerd.try_docker(arguments);
    pushes_without_the_engines_way(&dockline, &name, &host, docker, (&context, false));
    assert_eq!(desktop.asks(&format!("http://{}/v2/", own.listen())), "000", "it sees our loopback");

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert_eq!(plan.engine.kind, EngineKind::DockerDesktop);
    assert_eq!(files(&plan), [SettingsFile::DaemonJson], "{plan:?}");
    let [listener] = plan.listens.as_slice() else { panic!("{plan:?}") };
    let port = listener.port;
    assert_eq!(plan.authorities[0].authority, format!("host.docker.internal:{port}"));
    assert_eq!(dockline.snapshot().registries[0].spec.localhost_port, None, "a plan changes nothing");
    let settings = dockline.folder().join(".docker/daemon.json");
    assert!(!settings.exists());

    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    assert!(fs::read_to_string(&settings).unwrap().contains(&format!("host.docker.internal:{port}")));
    let view = dockline.snapshot().registries.remove(0);
    assert_eq!((view.spec.localhost_port, view.tunnel.localhost_error), (Some(port), None));
    let listed = dockline.run(&["list"]).expect_success().stdout;
    assert!(listed.contains(&format!("127.0.0.1:{port}")), "{listed}");

    let image = format!("host.docker.internal:{port}/team/app:v1");
    dockerd.build_image(&image, &[1000]);
    dockerd.run_docker(&["push", &image]);
    assert!(host.manifest_digest("team/app", "v1").is_some());
    // Other names are another's there, too.
    let stranger = format!("http://10.0.2.2:{port}/v2/");
    assert_eq!(desktop.asks(&stranger), "403");

    // Dockline's own pushes and pulls through this engine go the same way, and leave no name behind.
    goes_through_the_engine(&dockline, &name, &host, docker);

    // The port stays what it is, and nothing is left to do.
    let again: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert!(matches!(again.verdict, SetupVerdict::AlreadySatisfied { .. }), "{again:?}");
    assert!(again.listens.is_empty());
    assert_eq!(again.authorities, plan.authorities);

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    let refused = dockerd.try_docker(&["push", &image]);
    assert!(!refused.status.success() && refused.stderr.contains("HTTPS"), "{refused:?}");
}
