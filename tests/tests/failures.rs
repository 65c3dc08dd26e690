//! What goes wrong on ordinary days, as a person or a script at the command line meets it: each failure has a
//! sentence that names what is at fault, a remedy, a code of its own and the exit status of its group.

use dockline_model::{Code, TunnelState, UiError};
use dockline_tests::lab::{
    self, Dockerd, Dockline, Need, Outcome, RegistryHost, RegistryHostOptions, Workplace,
    unique_registry_name,
};
use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    process::Stdio,
    time::{Duration, Instant},
};

const HOST: &[Need] = &[Need::Root, Need::Sshd, Need::Registry];
const ENGINE: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];

/// The call failed with this code and its exit status, in whole sentences and with a remedy.
#[track_caller]
fn expect_failure(outcome: Outcome, code: Code) -> UiError {
    let outcome = outcome.expect_status(code.exit_status().into());
    let error = outcome.error();
    assert_eq!(error.code, code, "{error:?}");
    assert!(error.message.contains(' '), "not a sentence: {error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "no remedy: {error:?}");
    error
}

/// The sentence or its remedy names all of these.
#[track_caller]
fn expect_named(error: &UiError, words: &[&str]) {
    let text = [Some(&error.message), error.hint.as_ref(), error.details.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    for word in words {
        assert!(text.contains(word), "“{word}” is not named in: {text}");
    }
}

/// As `| head` leaves a program that says more.
#[test]
fn a_reader_who_has_seen_enough_of_an_examination_is_no_failure() {
    let dockline = Dockline::new();
    let name = unique_registry_name("cr");
    let nobody = format!("nobody@127.0.0.1:{}", lab::free_port());
    dockline.run(&["add", name.as_str(), "--ssh", &nobody]).expect_success();
    let mut doctor = dockline.command(&["doctor", name.as_str()]);
    doctor.env_remove("DOCKLINE_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut doctor = doctor.spawn().expect("it starts");
    drop(doctor.stdout.take());
    let ended = doctor.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), format!("The way to {name}:\n"));
}

#[test]
fn wrong_key() {
    if !lab::requires(HOST) {
        return;
    }
    let (host, dockline) = (RegistryHost::start(), Dockline::new());
    let name = unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    let identity = host.wrong_identity().display().to_string();
    dockline.add_as(&name, &host, &["--identity", &identity]);
    let error = expect_failure(dockline.json(&["connect", name.as_str()]), Code::SshAuth);
    expect_named(&error, &[host.user(), &host.address().to_string()]);
    assert_eq!(host.logins(), 0);
}

#[test]
fn changed_host_key() {
    if !lab::requires(HOST) {
        return;
    }
    let (mut host, dockline) = (RegistryHost::start(), Dockline::new());
    dockline.trust("# other hosts");
    dockline.trust("");
    let name = dockline.add(&host); // its line is the third
    host.change_host_key();
    let known_hosts = dockline.ssh_folder().join("known_hosts");
    let before = fs::read_to_string(&known_hosts).unwrap();
    let error = expect_failure(dockline.json(&["connect", name.as_str()]), Code::HostKeyChanged);
    expect_named(&error, &[&known_hosts.display().to_string(), "line 3", &host.fingerprint()]);
    assert_eq!(fs::read_to_string(&known_hosts).unwrap(), before, "a changed key must not be remembered");
    assert_eq!(host.logins(), 0, "nobody may log in at a host that is not the one it claims to be");
}

#[test]
fn unknown_host_key_and_nobody_to_ask() {
    if !lab::requires(HOST) {
        return;
    }
    let (host, dockline) = (RegistryHost::start(), Dockline::new());
    let name = unique_registry_name("cr");
    dockline.add_as(&name, &host, &[]);
    let error = expect_failure(dockline.json(&["connect", name.as_str()]), Code::HostKeyUnknown);
    expect_named(&error, &[&host.address().to_string(), &host.fingerprint()]);
    let known_hosts = fs::read_to_string(dockline.ssh_folder().join("known_hosts")).unwrap_or_default();
    assert_eq!(known_hosts, "", "an unconfirmed key must not be remembered");
    assert_eq!(host.logins(), 0);
}

#[test]
fn closed_port_at_the_far_end() {
    if !lab::requires(ENGINE) {
        return;
    }
    let host =
        RegistryHost::with(RegistryHostOptions { without_registry: true, ..RegistryHostOptions::default() });
    let Workplace { dockline, dockerd, .. } = Workplace::start();
    let name = dockline.add(&host);
    let archive = saved_image(&dockerd, &dockline);
    let error = expect_failure(dockline.json(&["push", &archive, name.as_str()]), Code::RemoteClosed);
    expect_named(&error, &["127.0.0.1:5000"]);
    // Connecting would be of no use either, and says so.
    let error = expect_failure(dockline.json(&["connect", name.as_str()]), Code::RemoteClosed);
    expect_named(&error, &["127.0.0.1:5000"]);
}

#[test]
fn forward_that_sshd_forbids() {
    if !lab::requires(ENGINE) {
        return;
    }
    let host = RegistryHost::with(RegistryHostOptions {
        key_options: "restrict,port-forwarding,permitopen=\"127.0.0.1:5001\"".to_owned(),
        ..RegistryHostOptions::default()
    });
    let Workplace { dockline, dockerd, .. } = Workplace::start();
    let name = dockline.add(&host);
    let archive = saved_image(&dockerd, &dockline);
    let error = expect_failure(dockline.json(&["push", &archive, name.as_str()]), Code::ForwardForbidden);
    expect_named(&error, &["127.0.0.1:5000"]);
}

#[test]
fn host_name_that_does_not_resolve() {
    if !lab::requires(&[]) {
        return;
    }
    let dockline = Dockline::new();
    let name = unique_registry_name("cr");
    // RFC 2606 §2 keeps `.invalid` from ever resolving.
    dockline.run(&["add", name.as_str(), "--ssh", "dockercr@no-such-host.invalid"]).expect_success();
    let error = expect_failure(dockline.json(&["connect", name.as_str()]), Code::SshHostNotFound);
    expect_named(&error, &["no-such-host.invalid"]);
}

#[test]
fn host_that_refuses_connections() {
    if !lab::requires(HOST) {
        return;
    }
    let (mut host, dockline) = (RegistryHost::start(), Dockline::new());
    let name = dockline.add(&host);
    host.stop_sshd();
    let begun = Instant::now();
    let error = expect_failure(dockline.json(&["connect", name.as_str()]), Code::SshUnreachable);
    expect_named(&error, &[&host.address().to_string()]);
    assert!(begun.elapsed() < Duration::from_secs(10), "a person waits for this: {:?}", begun.elapsed());

    // With an owner that stays, so does the wish; the person is told how to take it back.
    let _agent = dockline.agent();
    let outcome =
        dockline.run(&["connect", name.as_str()]).expect_status(Code::SshUnreachable.exit_status().into());
    assert!(outcome.stderr.contains(&format!("dockline disconnect {name}")), "{}", outcome.stderr);
    let state = dockline.snapshot().registries.remove(0).tunnel.state;
    assert!(matches!(state, TunnelState::Reconnecting { .. }), "{state:?}");
    dockline.run(&["disconnect", name.as_str()]).expect_success();
    assert_eq!(dockline.snapshot().registries.remove(0).tunnel.state, TunnelState::Idle);
}

#[test]
fn local_port_that_is_taken() {
    if !lab::requires(HOST) {
        return;
    }
    let (host, dockline) = (RegistryHost::start(), Dockline::new());
    let name = dockline.add(&host);
    let listed: serde_json::Value = dockline.json(&["list"]).expect_success().value();
    let address = find_text(&listed, "address").expect("`dockline list` shows the address");
    let _somebody_else = TcpListener::bind((address.as_str(), 5000)).unwrap();
    let error = expect_failure(dockline.json(&["connect", name.as_str()]), Code::PortInUse);
    expect_named(&error, &[&format!("{address}:5000")]);
}

#[test]
fn docker_that_does_not_run() {
    if !lab::requires(ENGINE) {
        return;
    }
    let (host, dockline) = (RegistryHost::start(), Dockline::new());
    let name = dockline.add(&host);
    let error = expect_failure(dockline.json(&["push", "app:v1", name.as_str()]), Code::EngineUnavailable);
    expect_named(&error, &["no-engine.sock"]);
}

#[test]
fn image_that_is_not_there() {
    if !lab::requires(ENGINE) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockline, dockerd: _dockerd, .. } = Workplace::start();
    let name = dockline.add(&host);
    let error = expect_failure(dockline.json(&["push", "app:v9", name.as_str()]), Code::ImageNotFound);
    expect_named(&error, &["app:v9"]);
}

#[test]
fn tag_that_the_registry_does_not_have() {
    if !lab::requires(HOST) {
        return;
    }
    let (host, dockline) = (RegistryHost::start(), Dockline::new());
    let name = dockline.add(&host);
    let file = dockline.folder().join("app.tar");
    let reference = format!("{name}/app:v9");
    let outcome = dockline.json(&["pull", &reference, "--output", &file.display().to_string()]);
    let error = expect_failure(outcome, Code::ReferenceNotFound);
    expect_named(&error, &["app", "v9"]);
    assert!(!file.exists(), "a failed pull leaves no file");
}

#[test]
fn full_disk_at_the_registry() {
    if !lab::requires(ENGINE) {
        return;
    }
    let host =
        RegistryHost::with(RegistryHostOptions { disk_mib: Some(2), ..RegistryHostOptions::default() });
    let Workplace { dockline, dockerd, .. } = Workplace::start();
    let name = dockline.add(&host);
    dockerd.build_image("app:v1", &[4096]);
    let archive = save(&dockerd, &dockline, "app:v1");
    let error = expect_failure(dockline.json(&["push", &archive, name.as_str()]), Code::RegistryDiskFull);
    expect_named(&error, &["no space left on device"]);
    // dockerd keeps the registry's words to itself and reports a bare 500; Dockline asks the registry for them.
    let error =
        expect_failure(dockline.json(&["push", "app:v1", name.as_str(), "--engine"]), Code::RegistryDiskFull);
    assert_eq!(error.message, "The registry's disk is full.");
    expect_named(&error, &["Free space", "500 Internal Server Error"]);
}

#[test]
fn file_that_is_no_archive() {
    if !lab::requires(HOST) {
        return;
    }
    let (host, dockline) = (RegistryHost::start(), Dockline::new());
    let name = dockline.add(&host);
    let path = dockline.folder().join("holiday.tar");
    fs::write(&path, "a picture").unwrap();
    let outcome = dockline.json(&["push", &path.display().to_string(), name.as_str()]);
    let error = expect_failure(outcome, Code::ArchiveInvalid);
    expect_named(&error, &["holiday.tar"]);
    assert_eq!(host.logins(), 0, "a file that is no archive is refused before anything is dialled");
}

#[test]
fn broken_configuration() {
    let dockline = Dockline::new();
    fs::write(dockline.config_file(), "[[registry]]\nname = \"cr.boss.org\"\nssh = 88.88\nprot = 5000\n")
        .unwrap();
    let error = expect_failure(dockline.json(&["list"]), Code::ConfigInvalid);
    expect_named(&error, &[&dockline.config_file().display().to_string(), "line 3", "line 4", "prot"]);
    let text = fs::read_to_string(dockline.config_file()).unwrap();
    assert!(text.contains("prot"), "a file that does not read is left as it is");

    fs::write(dockline.config_file(), "[[registry]\nname = 1\n").unwrap();
    let error = expect_failure(dockline.json(&["status"]), Code::ConfigInvalid);
    expect_named(&error, &["line 1"]);
}

#[test]
fn registry_that_is_not_configured() {
    let dockline = Dockline::new();
    let error = expect_failure(dockline.json(&["connect", "cr.boss.org"]), Code::RegistryUnknown);
    expect_named(&error, &["cr.boss.org"]);
}

#[test]
fn registry_that_exists_already() {
    let dockline = Dockline::new();
    let add = ["add", "cr.boss.org", "--ssh", "dockercr@88.88.88.88"];
    dockline.run(&add).expect_success();
    let error = expect_failure(dockline.json(&add), Code::RegistryExists);
    expect_named(&error, &["cr.boss.org"]);
}

#[test]
fn for_people_the_same_goes_to_standard_error() {
    let outcome = Dockline::new().run(&["connect", "cr.boss.org"]).expect_status(2);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.starts_with("error[registry-unknown]: "), "{}", outcome.stderr);
}

#[test]
fn wrong_use_is_told_apart() {
    let outcome = Dockline::new().run(&["conect"]).expect_status(2);
    assert!(outcome.stderr.contains("connect"), "the nearest command is proposed: {}", outcome.stderr);
    let error = Dockline::new().json(&["add", "registry", "--ssh", "host"]).expect_status(2).error();
    assert_eq!(error.code, Code::InvalidArgument);
}

/// A script's password is for the registry's own host, once; a jump host on the way there may want one, too.
#[test]
fn password_of_standard_input_and_a_jump_host_that_wants_one() {
    if !lab::requires(HOST) || !lab::requires(&[Need::Program("openssl")]) {
        return;
    }
    let with_password = |password: &str| {
        let password = Some(password.to_owned());
        RegistryHost::with(RegistryHostOptions { password, ..RegistryHostOptions::default() })
    };
    let (host, gate) = (with_password("password-of-the-host"), with_password("password-of-the-gate"));
    let _way = gate.connect_to(&host);
    let dockline = Dockline::new();
    dockline.trust(&host.known_hosts_line());
    dockline.trust(&gate.known_hosts_line());
    let name = unique_registry_name("cr");
    let add = ["add", name.as_str(), "--ssh", &host.destination(), "--jump", &gate.destination()];
    dockline.run(&add).expect_success();
    let _agent = dockline.agent();
    let connect = || {
        let mut command = dockline.command(&["connect", name.as_str(), "--password-stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut connect = command.spawn().expect("it starts");
        connect.stdin.take().expect("it is piped").write_all(b"password-of-the-host\n").unwrap();
        let ended = connect.wait_with_output().expect("it ends");
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };

    let (status, said) = connect();
    assert_eq!(status, Some(4), "{said}");
    let refusal = format!("{} is no host of {name}, so it does not get the password", gate.destination());
    assert!(said.contains(&refusal), "{said}");
    assert_eq!(gate.sshd().count("Failed password"), 0, "the gate has seen a password");
    dockline.run(&["disconnect", name.as_str()]).expect_success();

    // Through a gate that takes a key, it gets to where it is meant to.
    let config = dockline.ssh_folder().join("config");
    let before = fs::read_to_string(&config).unwrap_or_default();
    let (address, key) = (gate.address(), gate.identity());
    fs::write(&config, format!("{before}\nHost {address}\n  IdentityFile {}\n", key.display())).unwrap();
    let (status, said) = connect();
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(host.sshd().count("Accepted password"), 1);
}

/// A small archive, made by `docker save`.
fn saved_image(dockerd: &Dockerd, dockline: &Dockline) -> String {
    dockerd.build_image("app:v1", &[16, 16]);
    save(dockerd, dockline, "app:v1")
}

fn save(dockerd: &Dockerd, dockline: &Dockline, image: &str) -> String {
    let path = dockline.folder().join("app.tar").display().to_string();
    dockerd.run_docker(&["save", "--output", &path, image]);
    path
}

/// The first text under this key, wherever it stands.
fn find_text(value: &serde_json::Value, key: &str) -> Option<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .get(key)
            .and_then(|found| found.as_str().map(str::to_owned))
            .or_else(|| fields.values().find_map(|inner| find_text(inner, key))),
        serde_json::Value::Array(items) => items.iter().find_map(|inner| find_text(inner, key)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => None,
    }
}
