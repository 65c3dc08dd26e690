//! Detection over made-up surroundings.

use super::*;
use std::collections::BTreeMap;

#[derive(Default)]
struct Pretended(BTreeMap<PathBuf, &'static str>);

impl Files for Pretended {
    fn exists(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file.starts_with(path))
    }
    fn read(&self, path: &Path) -> Option<String> {
        self.0.get(path).map(|text| (*text).to_owned())
    }
}

fn files<const N: usize>(files: [(&str, &'static str); N]) -> Pretended {
    Pretended(files.into_iter().map(|(path, text)| (path.into(), text)).collect())
}

fn around(platform: Platform) -> Surroundings {
    Surroundings {
        platform,
        docker_host: None,
        docker_context: None,
        tls: false,
        docker_config: Some("/home/ann/.docker".into()),
        home: Some("/home/ann".into()),
        runtime_dir: Some("/run/user/1000".into()),
        buildx_config: None,
        buildx_builder: None,
    }
}

fn linux() -> Surroundings {
    around(Platform::Linux)
}

fn found(around: &Surroundings, files: &Pretended) -> String {
    EngineEndpoint::find(around, files).unwrap().to_string()
}

/// `printf colima | sha256sum`.
const COLIMA: &str = "/home/ann/.docker/contexts/meta/f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16/meta.json";
const CONFIG: &str = "/home/ann/.docker/config.json";

#[test]
fn the_variable_beats_the_contexts() {
    let docker = files([("/var/run/docker.sock", ""), (CONFIG, r#"{"currentContext":"colima"}"#)]);
    let host = |address: &str| Surroundings {
        docker_host: Some(address.into()),
        docker_context: Some("other".into()),
        ..linux()
    };
    assert_eq!(found(&host("unix:///tmp/d.sock"), &docker), "/tmp/d.sock");
    assert_eq!(found(&host("tcp://127.0.0.1:2375"), &docker), "tcp://127.0.0.1:2375");
    assert_eq!(found(&host("tcp://[::1]:2375/"), &docker), "tcp://[::1]:2375");
    assert_eq!(found(&host("tcp://engine"), &docker), "tcp://engine:2375");
    assert_eq!(found(&host("npipe:////./pipe/docker_engine"), &docker), r"\\.\pipe\docker_engine");
    for bad in ["ssh://deploy@prod", "fd://", "unix://", "tcp://", "tcp://host:port", "/var/run/docker.sock"]
    {
        let error = EngineEndpoint::find(&host(bad), &docker).unwrap_err();
        assert!(matches!(error, EngineError::Endpoint { .. }), "{bad}: {error}");
    }
    let with_tls = Surroundings { tls: true, ..host("tcp://127.0.0.1:2376") };
    assert!(EngineEndpoint::find(&with_tls, &docker).is_err());
    let with_tls = Surroundings { tls: true, ..host("unix:///tmp/d.sock") };
    assert_eq!(found(&with_tls, &docker), "/tmp/d.sock", "TLS is for TCP alone");
}

#[test]
fn the_current_context_is_followed() {
    let meta = r#"{"Name":"colima","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///home/ann/.colima/default/docker.sock","SkipTLSVerify":false}}}"#;
    let both = files([
        ("/var/run/docker.sock", ""),
        (CONFIG, r#"{"auths":{},"currentContext":"colima"}"#),
        (COLIMA, meta),
    ]);
    assert_eq!(found(&linux(), &both), "/home/ann/.colima/default/docker.sock");
    let default = Surroundings { docker_context: Some("default".into()), ..linux() };
    assert_eq!(found(&default, &both), "/var/run/docker.sock");
    let missing = Surroundings { docker_context: Some("gone".into()), ..linux() };
    let error = EngineEndpoint::find(&missing, &both).unwrap_err();
    assert!(matches!(&error, EngineError::Context { name, .. } if name == "gone"), "{error}");
    let spoilt = files([("/var/run/docker.sock", ""), (CONFIG, "{")]);
    assert_eq!(found(&linux(), &spoilt), "/var/run/docker.sock");
}

#[test]
fn each_platform_has_its_places() {
    let nothing = Pretended::default();
    assert_eq!(found(&linux(), &nothing), "/var/run/docker.sock");
    assert_eq!(found(&around(Platform::MacOs), &nothing), "/var/run/docker.sock");
    assert_eq!(found(&around(Platform::Windows), &nothing), r"\\.\pipe\docker_engine");

    let rootless_and_podman =
        files([("/run/user/1000/docker.sock", ""), ("/run/user/1000/podman/podman.sock", "")]);
    assert_eq!(found(&linux(), &rootless_and_podman), "/run/user/1000/docker.sock");
    let podman = files([("/run/user/1000/podman/podman.sock", "")]);
    assert_eq!(found(&linux(), &podman), "/run/user/1000/podman/podman.sock");
    let desktop = files([("/home/ann/.docker/run/docker.sock", "")]);
    assert_eq!(found(&around(Platform::MacOs), &desktop), "/home/ann/.docker/run/docker.sock");
    let podman_pipe = files([(r"\\.\pipe\podman-machine-default", "")]);
    assert_eq!(found(&around(Platform::Windows), &podman_pipe), r"\\.\pipe\podman-machine-default");
    let homeless = Surroundings { home: None, docker_config: None, runtime_dir: None, ..linux() };
    assert_eq!(found(&homeless, &nothing), "/var/run/docker.sock");
}
