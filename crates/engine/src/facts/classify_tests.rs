//! Engines told apart by what they said: recorded here from the real ones (`fixtures/facts`), and for those that do not
//! run on Debian made of what their users' reports show.

use super::*;
use std::path::PathBuf;

macro_rules! recorded {
    ($name:literal) => {
        (
            serde_json::from_str(include_str!(concat!("../../fixtures/facts/", $name, ".info.json")))
                .unwrap(),
            serde_json::from_str(include_str!(concat!("../../fixtures/facts/", $name, ".version.json")))
                .unwrap(),
        )
    };
}

/// Where the recordings were made.
fn box_() -> ThisMachine {
    ThisMachine { platform: Platform::Linux, host_name: "box".into(), kernel: "6.1.0-31-amd64".into() }
}

fn mac() -> ThisMachine {
    ThisMachine { platform: Platform::MacOs, host_name: String::new(), kernel: String::new() }
}

fn unix(path: &str) -> EngineEndpoint {
    EngineEndpoint::Unix(PathBuf::from(path))
}

fn told(info: &str, version: &str) -> (Info, Version) {
    (serde_json::from_str(info).unwrap(), serde_json::from_str(version).unwrap())
}

#[test]
fn recorded_engines_of_this_machine_are_told_apart() {
    type Case = (&'static str, (Info, Version), Flavour, ImageStore, &'static str);
    let cases: [Case; 5] = [
        ("20.10", recorded!("docker20-classic"), Flavour::Native, ImageStore::Classic, "Docker 20.10.24"),
        ("28", recorded!("docker28-containerd"), Flavour::Native, ImageStore::Containerd, "Docker 28.5.2"),
        (
            "rootless",
            recorded!("docker20-rootless"),
            Flavour::Rootless,
            ImageStore::Classic,
            "Docker 20.10.24",
        ),
        ("podman", recorded!("podman4"), Flavour::Podman, ImageStore::Podman, "Podman 4.3.1"),
        (
            "rootless podman",
            recorded!("podman4-rootless"),
            Flavour::PodmanRootless,
            ImageStore::Podman,
            "Podman 4.3.1",
        ),
    ];
    for (case, (info, version), flavour, store, name) in cases {
        let found = classify(&unix("/var/run/docker.sock"), None, &info, &version, &box_());
        assert_eq!(found, flavour, "{case}");
        assert_eq!(image_store(&info, &version), store, "{case}");
        assert_eq!(name_and_version(&version), name, "{case}");
        assert!(!live_restore(&info) && proxy(&info).is_none(), "{case}");
    }
}

#[test]
fn the_same_engine_behind_a_forwarded_socket_is_not_here() {
    let (info, version): (Info, Version) = recorded!("docker20-classic");
    let elsewhere = ThisMachine { host_name: "laptop".into(), ..box_() };
    let forwarded = classify(&unix("/tmp/forwarded.sock"), None, &info, &version, &elsewhere);
    assert_eq!(forwarded, Flavour::Unknown { name: "box".into() });
    let found =
        |address: &str| classify(&EngineEndpoint::Tcp(address.into()), None, &info, &version, &box_());
    assert_eq!(found("10.0.0.7:2375"), Flavour::Remote { address: "tcp://10.0.0.7:2375".into() });
    for here in ["127.0.0.1:2375", "localhost:2375", "[::1]:2375"] {
        assert_eq!(found(here), Flavour::Native, "{here}");
    }
    let (info, version): (Info, Version) = recorded!("podman4-rootless");
    let machine = classify(&unix("/tmp/podman.sock"), None, &info, &version, &mac());
    assert_eq!(machine, Flavour::PodmanMachine);
}

#[test]
fn engines_in_virtual_machines_are_told_by_what_they_call_themselves_or_where_they_listen() {
    let plain = r#"{"Platform":{"Name":"Docker Engine - Community"},"Version":"27.1.1"}"#;
    let ubuntu = r#"{"Name":"colima","OperatingSystem":"Ubuntu 24.04.1 LTS","OSType":"linux"}"#;
    let lima = r#"{"Name":"lima-docker","OperatingSystem":"Ubuntu 24.04.1 LTS","OSType":"linux"}"#;
    let colima = |profile: &str| Flavour::Colima { profile: profile.into() };
    let cases = [
        // docker/for-mac#7371: “Server: Docker Desktop 4.33.0 (160616)”.
        (
            "/Users/a/.docker/run/docker.sock",
            Some("desktop-linux"),
            r#"{"Name":"docker-desktop","OperatingSystem":"Docker Desktop","OSType":"linux"}"#,
            r#"{"Platform":{"Name":"Docker Desktop 4.33.0 (160616)"},"Version":"27.1.1"}"#,
            Flavour::DockerDesktop,
        ),
        // Its settings can show the version as the engine's alone.
        (
            "/var/run/docker.sock",
            None,
            r#"{"Name":"docker-desktop","OperatingSystem":"Docker Desktop","OSType":"linux"}"#,
            plain,
            Flavour::DockerDesktop,
        ),
        (
            "/Users/a/.orbstack/run/docker.sock",
            Some("orbstack"),
            r#"{"Name":"orbstack","OperatingSystem":"OrbStack","OSType":"linux"}"#,
            plain,
            Flavour::OrbStack,
        ),
        (
            "/Users/a/.rd/docker.sock",
            Some("rancher-desktop"),
            r#"{"Name":"lima-rancher-desktop","OperatingSystem":"Alpine Linux v3.20"}"#,
            plain,
            Flavour::RancherDesktop,
        ),
        (
            "docker_engine",
            None,
            r#"{"Name":"PC","OperatingSystem":"Rancher Desktop WSL Distribution"}"#,
            plain,
            Flavour::RancherDesktop,
        ),
        // The socket, the context or the host: whichever there is.
        ("/Users/a/.colima/default/docker.sock", Some("colima"), ubuntu, plain, colima("default")),
        ("/Users/a/.colima/work/docker.sock", Some("colima-work"), ubuntu, plain, colima("work")),
        ("/Users/a/.colima/docker.sock", None, ubuntu, plain, colima("default")),
        ("/tmp/linked.sock", Some("colima-work"), lima, plain, colima("work")),
        ("/var/run/docker.sock", None, ubuntu, plain, colima("default")),
        (
            "/Users/a/.lima/docker/sock/docker.sock",
            None,
            lima,
            plain,
            Flavour::Unknown { name: "lima-docker".into() },
        ),
        (
            "docker_engine",
            None,
            r#"{"Name":"PC","OperatingSystem":"Microsoft Windows Server Version 23H2","OSType":"windows"}"#,
            plain,
            Flavour::WindowsNative,
        ),
    ];
    for (socket, context, info, version, expected) in cases {
        let (info, version) = told(info, version);
        assert_eq!(classify(&unix(socket), context, &info, &version, &mac()), expected, "{socket} {info:?}");
    }
    // On Linux, Docker Desktop's own socket leads into its virtual machine, though the host's name may be the same.
    let (info, version) = told(
        r#"{"Name":"docker-desktop","OperatingSystem":"Docker Desktop","KernelVersion":"6.10.14-linuxkit"}"#,
        r#"{"Platform":{"Name":"Docker Desktop 4.42.0 (195023)"},"Version":"28.2.2"}"#,
    );
    let socket = unix("/home/a/.docker/desktop/docker.sock");
    assert_eq!(classify(&socket, Some("desktop-linux"), &info, &version, &box_()), Flavour::DockerDesktop);
}

#[test]
fn a_snap_is_told_by_its_folder() {
    let (info, version) = told(
        r#"{"Name":"box","KernelVersion":"6.1.0-31-amd64","DockerRootDir":"/var/snap/docker/common/var-lib-docker"}"#,
        r#"{"Version":"27.5.1"}"#,
    );
    assert_eq!(classify(&unix("/var/run/docker.sock"), None, &info, &version, &box_()), Flavour::Snap);
}

#[test]
fn what_the_engine_goes_by_is_read_from_its_own_list() {
    let (info, _) = told(
        r#"{"RegistryConfig":{"InsecureRegistryCIDRs":["127.0.0.0/8","10.0.0.0/8"],"Mirrors":["https://m/"],
            "IndexConfigs":{"docker.io":{"Name":"docker.io","Secure":true},"cr.boss.org:5000":{"Secure":false}}},
            "HttpProxy":"http://proxy:3128","NoProxy":"localhost,.corp","LiveRestoreEnabled":true}"#,
        "{}",
    );
    let settings = registries(&info);
    assert_eq!(settings.insecure, ["cr.boss.org:5000"]);
    assert_eq!(settings.insecure_networks, ["127.0.0.0/8", "10.0.0.0/8"]);
    assert_eq!(settings.mirrors, ["https://m/"]);
    assert_eq!(proxy(&info), Some(Proxy { http: true, no_proxy: "localhost,.corp".into() }));
    assert!(live_restore(&info));
    let nulls = r#"{"RegistryConfig":{"IndexConfigs":null,"Mirrors":null},"DriverStatus":null,"Name":null}"#;
    assert_eq!(registries(&told(nulls, "{}").0), RegistrySettings::default());
    assert_eq!(registries(&told(r#"{"RegistryConfig":null}"#, "{}").0), RegistrySettings::default());
}
