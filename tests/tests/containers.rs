//! Programs in a container that shares this machine's network: its root is root here, and its other users are others.

use dockline_tests::lab::{self, Dockerd, Dockline, Finished, Need, RegistryHost, Workstation, run};
use std::fs;

const NEEDS: &[Need] =
    &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd, Need::Program("busybox"), Need::Program("tar")];

#[test]
fn a_containers_root_may_use_the_tunnel_and_its_other_users_may_not() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let dockline = Dockline::on(&workstation);
    dockline.add(&host);
    dockline.run(&["hosts", "--apply", "--yes"]).expect_success();
    let dockerd = Dockerd::start(&workstation);
    let agent = dockline.agent();
    import_busybox(&dockerd);

    let address = dockline.snapshot().registries[0].spec.address;
    let url = format!("http://{address}:5000/v2/_catalog");
    let ask = |options: &[&str]| -> Finished {
        let container = ["run", "--rm", "--network=host", "--cgroupns=host"];
        let program = ["busybox", "/busybox", "wget", "-q", "-O", "-", &url];
        dockerd.try_docker(&[&container[..], options, &program].concat())
    };
    // Somebody listens there, and hangs up.
    let refused = |answer: &Finished| answer.status.code() == Some(1) && answer.stderr.contains("reset");
    let stranger = ask(&["--user=1:1"]);
    assert!(refused(&stranger), "{stranger:?}");
    assert_eq!(host.logins(), 0, "a stranger opened the tunnel");

    let root = ask(&[]).expect_success();
    assert!(root.stdout.contains("\"repositories\""), "{root:?}");
    assert_eq!(host.logins(), 1);

    let stranger = ask(&["--user=1:1"]);
    assert!(refused(&stranger), "{stranger:?}");
    assert!(agent.daemon().is_running());
}

/// An image with nothing but busybox in it.
fn import_busybox(dockerd: &Dockerd) {
    let folder = dockerd.workstation().folder().join("busybox");
    fs::create_dir_all(&folder).expect("the workstation's folder is ours");
    let program = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| fs::metadata(path).is_ok());
    fs::copy(program.expect("it is needed"), folder.join("busybox"))
        .expect("the workstation's folder is ours");
    let archive = folder.with_extension("tar").display().to_string();
    run("tar", &["-C", &folder.display().to_string(), "-cf", &archive, "busybox"]);
    dockerd.run_docker(&["import", &archive, "busybox"]);
}
