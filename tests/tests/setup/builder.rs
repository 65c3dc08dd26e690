//! buildx's builder, which has settings of its own.

use super::{NEEDS, all_reached, files};
use dockline_model::{SettingsFile, SetupPlan, SetupReport};
use dockline_tests::lab::{self, Dockerd, Need, RegistryHost, Workplace};
use std::fs;

/// A BuildKit builder reads a file of its own, once, when it is made.
#[test]
fn the_builder_that_buildx_uses_gets_the_registry_when_it_is_made_anew() {
    if !lab::requires(&[NEEDS, &[Need::NewerDocker]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::with(Dockerd::newer);
    let config = dockerd.client_folder();
    let dockline = dockline.with_environment([("DOCKER_CONFIG", config.as_os_str())]);
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    // A builder that was made before, and a file that somebody wrote for others.
    fs::create_dir_all(config.join("buildx")).unwrap();
    let theirs = "debug = true\n[registry.\"other.example:5000\"]\n  http = true\n";
    let default = config.join("buildx/buildkitd.default.toml");
    fs::write(&default, theirs).unwrap();
    let create = ["buildx", "create", "--name", "theirs", "--driver", "docker-container"];
    dockerd.run_docker(&[&create[..], &["--driver-opt", "network=host", "--use"]].concat());

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    let builder = plan.engine.builder.clone().expect("buildx's choice is found");
    assert_eq!((builder.name.as_str(), builder.host_network), ("theirs", true));
    assert!(files(&plan).contains(&SettingsFile::BuilderConfig), "{plan:?}");
    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    let merged = fs::read_to_string(&default).unwrap();
    assert!(
        merged.starts_with(theirs) && merged.contains(&format!("[registry.\"{name}:5000\"]")),
        "{merged}"
    );
    // What Dockline offers, done: the same builder again, with the file as it is now.
    let offered: Vec<_> = plan.steps.iter().filter(|step| step.optional).collect();
    assert_eq!(offered.len(), 2, "{plan:?}");
    for step in offered {
        let words: Vec<&str> = step.command.iter().skip(1).map(String::as_str).collect();
        dockerd.run_docker(&words);
    }
    let made = fs::read_to_string(config.join("buildx/instances/theirs")).unwrap();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let node = &made["Nodes"][0];
    assert_eq!(node["DriverOpts"]["network"], "host", "{made}");
    let own = dockerd.run_docker(&["buildx", "inspect", "theirs"]);
    assert!(own.contains("docker-container"), "{own}");
    assert!(made.to_string().contains("buildkitd.toml"), "made without the file: {made}");

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert_eq!(fs::read_to_string(&default).unwrap(), theirs);
}
