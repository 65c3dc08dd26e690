//! Logins as Docker itself makes and uses them: the real `docker login` keeps one with Dockline as its credential helper,
//! in a real keyring, and dockerd gets in with it on every way to the registry; so does each host of several.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use dockline_model::{Code, TransferState, TransferView};
use dockline_tests::{
    desktop::Keyring,
    lab::{
        self, Daemon, Dockerd, Dockline, Finished, Need, RegistryHost, RegistryHostOptions, Terminal,
        Workplace, Workstation, dockline_program, run, unique_registry_name,
    },
};
use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

const SECRET: &str = "s3cret-77d01ae5";
const PATIENCE: Duration = Duration::from_secs(20);

/// A registry of that host's that asks for a name and a password, at 127.0.0.1:5001.
struct Guarded {
    _folder: tempfile::TempDir,
    _daemon: Daemon,
}

impl Guarded {
    fn on(host: &RegistryHost) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("htpasswd"), run("htpasswd", &["-Bbn", "me", SECRET])).unwrap();
        let settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n\
             http: {{addr: '127.0.0.1:5001'}}\nauth: {{htpasswd: {{realm: lab, path: '{}'}}}}\n",
            at("storage"),
            at("htpasswd")
        );
        fs::write(at("registry.yml"), settings).unwrap();
        let mut command = host.inside("docker-registry");
        command.arg("serve").arg(at("registry.yml"));
        let daemon = Daemon::spawn("docker-registry", command);
        daemon.wait_for_line("listening on", PATIENCE);
        Self { _folder: folder, _daemon: daemon }
    }
}

#[test]
fn docker_logs_in_with_dockline_as_its_helper_and_pushes() {
    let needs =
        [Need::Root, Need::Sshd, Need::Registry, Need::Dockerd, Need::Keyring, Need::Program("htpasswd")];
    if !lab::requires(&needs) {
        return;
    }
    let (host, keyring, workstation) = (RegistryHost::start(), Keyring::start(), Workstation::start());
    let _registry = Guarded::on(&host);
    let docker_config = workstation.folder().join("docker").join("config");
    let dockline = Dockline::on(&workstation)
        .with_environment(keyring.environment())
        .with_environment([("DOCKER_CONFIG", &docker_config)]);
    std::os::unix::fs::symlink(dockline_program(), dockline.folder().join("bin/docker-credential-dockline"))
        .unwrap();
    let name = unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &["--remote", "127.0.0.1:5001"]);
    // Before dockerd looks at the file: it goes by what it has seen there for five seconds.
    dockline.run(&["hosts", "--apply", "--yes"]).expect_success();
    let dockerd = Dockerd::start(&workstation);
    assert_eq!(dockerd.client_folder(), docker_config);
    fs::write(docker_config.join("config.json"), r#"{"credsStore": "dockline"}"#).unwrap();
    let dockline = dockline.with_engine(dockerd.endpoint());
    let agent = dockline.agent();
    let server = format!("{name}:5000");

    // The client finds its helper on the PATH, and the helper finds keyring and list as any `dockline` does.
    let docker = |arguments: &[&str]| -> Command {
        let mut command = dockerd.docker(arguments);
        let surroundings = dockline.command(&[]);
        for (variable, value) in surroundings.get_envs() {
            if let (
                Some("PATH" | "DOCKLINE_HOME" | "DBUS_SESSION_BUS_ADDRESS" | "XDG_RUNTIME_DIR" | "HOME"),
                Some(value),
            ) = (variable.to_str(), value)
            {
                command.env(variable, value);
            }
        }
        command
    };
    let try_docker = |arguments: &[&str]| -> Finished { lab::try_run(&mut docker(arguments)) };
    let image = dockerd.build_image("app:v1", &[64]);
    let reference = format!("{server}/app:v1");
    dockerd.run_docker(&["tag", &image, &reference]);
    assert!(!try_docker(&["push", &reference]).status.success(), "nobody has logged in");

    let log_in = || {
        let mut login = docker(&["login", "--username", "me", "--password-stdin", &server]);
        let mut login =
            login.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        login.stdin.take().unwrap().write_all(SECRET.as_bytes()).unwrap();
        let told = login.wait_with_output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    };
    log_in();
    let config = fs::read_to_string(docker_config.join("config.json")).unwrap();
    assert!(
        config.contains(&server) && !config.contains("auth\""),
        "the file has the login itself: {config}"
    );
    let kept = keyring.secrets_of("dockline");
    assert!(kept.iter().any(|item| item.secret.contains(SECRET)), "the keyring has none of it");

    // dockerd by the client, by Dockline under the registry's name, and under its address.
    try_docker(&["push", &reference]).expect_success();
    let push = |image: &str| -> TransferView {
        dockline.json(&["push", "app:v1", &format!("{name}/{image}"), "--engine"]).expect_success().read()
    };
    let is_verified =
        |view: TransferView| matches!(view.state, TransferState::Done { verified } if verified.at_registry);
    assert!(is_verified(push("named:v1")));
    dockline.run(&["hosts", "--undo", "--yes"]).expect_success();
    assert!(is_verified(push("addressed:v1")));
    // And without an engine.
    let listed = dockline.run(&["ls", name.as_str()]).expect_success().stdout;
    assert_eq!(listed, "addressed\napp\nnamed\n");

    // Whoever logs out with Docker is logged out here, too, and in again: the agent that has got in runs on.
    try_docker(&["logout", &server]).expect_success();
    assert!(keyring.secrets_of("dockline").is_empty(), "docker logout leaves it in the keyring");
    let code = |arguments: &[&str]| dockline.json(arguments).error().code;
    assert_eq!(code(&["ls", name.as_str()]), Code::RegistryAuth);
    let target = format!("{name}/out:v1");
    for road in ["--engine", "--direct"] {
        assert_eq!(code(&["push", "app:v1", &target, road]), Code::RegistryAuth, "{road}");
    }
    log_in();
    assert_eq!(dockline.run(&["ls", name.as_str()]).expect_success().stdout, listed);
    dockline.run(&["logout", name.as_str()]).expect_success();
    assert!(keyring.secrets_of("dockline").is_empty(), "dockline logout leaves it in the keyring");
    assert_eq!(code(&["ls", name.as_str()]), Code::RegistryAuth);

    // What dockline login has kept, docker logout takes away as well.
    let secret = workstation.folder().join("typed");
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let mut login = dockline.command(&["login", name.as_str(), "-u", "me", "--password-stdin"]);
    assert!(login.stdin(fs::File::open(&secret).unwrap()).status().unwrap().success());
    assert_eq!(dockline.run(&["ls", name.as_str()]).expect_success().stdout, listed);
    try_docker(&["logout", &server]).expect_success();
    assert_eq!(code(&["ls", name.as_str()]), Code::RegistryAuth);
    drop(agent);
    assert_eq!(code(&["ls", name.as_str()]), Code::RegistryAuth);
}

#[test]
fn a_login_gets_an_image_to_every_host_of_a_registry() {
    let needs = [Need::Root, Need::Sshd, Need::Registry, Need::Program("htpasswd")];
    if !lab::requires(&needs) {
        return;
    }
    let first = RegistryHost::start();
    let public = fs::read_to_string(first.identity().with_extension("pub")).unwrap();
    let second =
        RegistryHost::with(RegistryHostOptions { also_authorized: public, ..RegistryHostOptions::default() });
    let _registries = [Guarded::on(&first), Guarded::on(&second)];
    let folder = tempfile::tempdir().unwrap();
    let dockline = Dockline::new().with_environment([
        ("DOCKLINE_KEYRING", "off".into()),
        ("DOCKER_CONFIG", folder.path().as_os_str().to_owned()),
    ]);
    let name = unique_registry_name("cr");
    dockline.trust(&first.known_hosts_line());
    dockline.trust(&second.known_hosts_line());
    let other = second.destination();
    dockline.add_as(&name, &first, &["--ssh", &other, "--remote", "127.0.0.1:5001"]);
    let sample = folder.path().join("sample.tar");
    dockline_registry::sample::write_sample(&sample).unwrap();
    let sample = sample.display().to_string();
    let push = ["push", sample.as_str(), name.as_str(), "--replicas"];
    let refused = dockline.run(&push).expect_status(8);
    assert!(refused.stderr.contains("2 of 2 failed"), "{}", refused.stderr);

    use base64::Engine as _;
    let auth = base64::prelude::BASE64_STANDARD.encode(format!("me:{SECRET}"));
    // Under its own name and port, as `docker login` writes it.
    let config = format!(r#"{{"auths":{{"{name}:5000":{{"auth":"{auth}"}}}}}}"#);
    fs::write(folder.path().join("config.json"), config).unwrap();
    dockline.run(&push).expect_success();
    for host in [&first, &second] {
        let url = "http://127.0.0.1:5001/v2/_catalog";
        let mut curl = host.inside("curl");
        let there =
            lab::try_run(curl.args(["-sf", "-u", &format!("me:{SECRET}"), url])).expect_success().stdout;
        assert!(there.contains("sample") || there.contains("dockline"), "{}: {there}", host.address());
    }
}

/// dockerd asks nobody: whoever is at the terminal is asked, and the engine goes on with the answer.
#[test]
fn a_person_is_asked_where_the_registry_does_not_let_the_engine_in() {
    let needs = [
        Need::Root,
        Need::Sshd,
        Need::Registry,
        Need::Dockerd,
        Need::Program("htpasswd"),
        Need::Program("script"),
    ];
    if !lab::requires(&needs) {
        return;
    }
    let host = RegistryHost::start();
    let _registry = Guarded::on(&host);
    let folder = tempfile::tempdir().unwrap();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let dockline = dockline.with_environment([
        ("DOCKLINE_KEYRING", "off".into()),
        ("DOCKER_CONFIG", folder.path().as_os_str().to_owned()),
    ]);
    let name = unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &["--remote", "127.0.0.1:5001"]);
    let image = dockerd.build_image("app:v1", &[64]);
    let target = format!("{name}/app:v1");
    // Nobody is there to be asked.
    for command in [&["push", "app:v1", &target, "--engine"][..], &["pull", &target, "--engine"]] {
        assert_eq!(dockline.json(command).error().code, Code::RegistryAuth);
    }
    let answered = |command: &[&str]| {
        let mut terminal = Terminal::start(&dockline.command(command));
        terminal.wait_for("wants a login. User name (empty: give up)");
        for key in ["m", "e"] {
            terminal.press(key.parse().unwrap());
            terminal.wait_for(key);
        }
        terminal.press('\n');
        terminal.wait_for("Password or token of me");
        terminal.type_secret(SECRET);
        assert!(terminal.wait().success(), "{}", terminal.shown());
        assert!(!terminal.shown().contains(SECRET), "the secret is shown");
    };
    answered(&["push", "app:v1", &target, "--engine"]);
    dockerd.run_docker(&["rmi", "--force", &image]);
    answered(&["pull", &target, "--engine"]);
    assert_eq!(dockerd.image_id(&format!("{name}:5000/app:v1")).as_deref(), Some(image.as_str()));
}

/// As Nexus serves its repositories: below a path, with logins, and without a tunnel.
#[test]
fn a_registry_below_a_path_is_pushed_to_and_looked_into() {
    if !lab::requires(&[Need::Registry, Need::Program("htpasswd")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("htpasswd"), run("htpasswd", &["-Bbn", "me", SECRET])).unwrap();
    let port = lab::free_port();
    let settings = format!(
        "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}, delete: {{enabled: true}}}}\n\
         http: {{addr: '127.0.0.1:{port}', prefix: /repository/docker-hosted/}}\n\
         auth: {{htpasswd: {{realm: 'Sonatype Nexus Repository Manager', path: '{}'}}}}\n",
        at("storage"),
        at("htpasswd")
    );
    fs::write(at("registry.yml"), settings).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(at("registry.yml"));
    let registry = Daemon::spawn("docker-registry", command);
    registry.wait_for_line("listening on", PATIENCE);
    let dockline = Dockline::new().with_environment([
        ("DOCKLINE_KEYRING", "off".into()),
        ("DOCKER_CONFIG", folder.path().as_os_str().to_owned()),
    ]);
    let name = unique_registry_name("nexus");
    let url = format!("http://127.0.0.1:{port}/repository/docker-hosted");
    dockline.run(&["add", name.as_str(), "--url", &url]).expect_success();
    let sample = folder.path().join("sample.tar");
    dockline_registry::sample::write_sample(&sample).unwrap();
    let target = format!("{name}/team/app:v1");
    let push = ["push", &sample.display().to_string(), &target];
    assert_eq!(dockline.json(&push).error().code, Code::RegistryAuth);

    use base64::Engine as _;
    let auth = base64::prelude::BASE64_STANDARD.encode(format!("me:{SECRET}"));
    let config = format!(r#"{{"auths":{{"127.0.0.1:{port}":{{"auth":"{auth}"}}}}}}"#);
    fs::write(folder.path().join("config.json"), config).unwrap();
    dockline.run(&push).expect_success();
    assert_eq!(dockline.run(&["ls", name.as_str()]).expect_success().stdout, "team/app\n");
    let back = folder.path().join("back.tar").display().to_string();
    dockline.run(&["pull", &target, "--output", &back]).expect_success();
    dockline.run(&["rm", &target, "--yes"]).expect_success();
    assert_eq!(dockline.json(&["inspect", &target]).error().code, Code::ReferenceNotFound);
    // Nothing can be run on its host.
    assert_eq!(dockline.json(&["gc", name.as_str(), "--plan"]).error().code, Code::CollectRefused);
}
