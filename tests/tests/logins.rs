//! Logins, certificates and looking inside, with real registries that ask for them: on this machine's own loopback,
//! without a tunnel, and on a host behind one.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use dockline_model::{
    AccessView, Code, DoctorReport, LayerState, Link, LinkState, LoginScheme, RegistryUsage, TransferView,
};
use dockline_registry::sample;
use dockline_tests::{
    desktop::Keyring,
    lab::{
        self, Daemon, Dockline, Need, RegistryHost, Terminal, TokenServer, dockline_program, free_port, run,
        unique_registry_name,
    },
};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const HERE: &[Need] = &[Need::Registry, Need::Program("htpasswd"), Need::Program("openssl")];
const HOST: &[Need] =
    &[Need::Root, Need::Sshd, Need::Registry, Need::Program("htpasswd"), Need::Program("openssl")];
const SECRET: &str = "s3cret-c41b77e2";

/// A registry of this machine's, in a folder of its own.
struct Registry {
    folder: tempfile::TempDir,
    address: String,
    port: u16,
    daemon: Option<Daemon>,
}

impl Registry {
    fn new(port: u16) -> Self {
        Self::at("127.0.0.1", port)
    }

    fn at(address: &str, port: u16) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), address: address.to_owned(), port, daemon: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn htpasswd(&self) -> String {
        self.let_in("me", SECRET);
        format!("auth: {{htpasswd: {{realm: lab, path: '{}'}}}}\n", self.path("htpasswd").display())
    }

    /// Nobody but this user; the registry reads the file again when it has changed.
    fn let_in(&self, user: &str, secret: &str) {
        fs::write(self.path("htpasswd"), run("htpasswd", &["-Bbn", user, secret])).unwrap();
    }

    /// A certificate for `names` by an authority of its own: `ca.pem`, `server.pem`, `client.pem` with their keys.
    fn certificates(&self, names: &str) -> String {
        let file = |name: &str| self.path(name).display().to_string();
        let ca = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab ca", "-days", "2"];
        run("openssl", &[&ca[..], &["-keyout", &file("ca.key"), "-out", &file("ca.pem")]].concat());
        for (name, extension) in [
            ("server", format!("subjectAltName={names}\n")),
            ("client", "extendedKeyUsage=clientAuth\n".to_owned()),
        ] {
            fs::write(self.path("ext"), extension).unwrap();
            let (key, request, out) =
                (file(&format!("{name}.key")), file("request"), file(&format!("{name}.pem")));
            run(
                "openssl",
                &[
                    "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab", "-keyout", &key, "-out",
                    &request,
                ],
            );
            run(
                "openssl",
                &[
                    "x509",
                    "-req",
                    "-in",
                    &request,
                    "-CA",
                    &file("ca.pem"),
                    "-CAkey",
                    &file("ca.key"),
                    "-CAcreateserial",
                    "-days",
                    "2",
                    "-extfile",
                    &file("ext"),
                    "-out",
                    &out,
                ],
            );
        }
        format!(
            "  tls: {{certificate: '{}', key: '{}'}}\n",
            self.path("server.pem").display(),
            self.path("server.key").display()
        )
    }

    /// Starts it; `inside` makes the command that runs docker-registry.
    fn start(&mut self, more: &str, tls: &str, inside: impl FnOnce(&str) -> Command) {
        let storage = self.path("storage");
        fs::create_dir_all(&storage).unwrap();
        let settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}, delete: {{enabled: true}}}}\n\
             http:\n  addr: {}:{}\n{tls}{more}",
            storage.display(),
            self.address,
            self.port
        );
        fs::write(self.path("registry.yml"), settings).unwrap();
        let mut command = inside("docker-registry");
        command.arg("serve").arg(self.path("registry.yml"));
        let daemon = Daemon::spawn("docker-registry", command);
        daemon.wait_for_line("listening on", Duration::from_secs(20));
        self.daemon = Some(daemon);
    }

    fn here(&mut self, more: &str) {
        self.start(more, "", |program| Command::new(program));
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A person without a keyring, whose log says all there is to say.
fn person(folder: &Path) -> Dockline {
    Dockline::new().with_environment([
        ("DOCKLINE_LOG", "trace".into()),
        ("DOCKLINE_KEYRING", "off".into()),
        ("DOCKER_CONFIG", folder.join("docker").into_os_string()),
    ])
}

fn docker_config(folder: &Path, text: &str) {
    fs::create_dir_all(folder.join("docker")).unwrap();
    fs::write(folder.join("docker/config.json"), text).unwrap();
}

fn auths(server: &str, user: &str, secret: &str) -> String {
    use base64::Engine as _;
    let auth = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{secret}"));
    format!(r#"{{"auths":{{"{server}":{{"auth":"{auth}"}}}}}}"#)
}

fn sample_image(folder: &Path) -> String {
    let path = folder.join("sample.tar");
    if !path.exists() {
        sample::write_sample(&path).unwrap();
    }
    path.display().to_string()
}

/// What the doctor finds of one link. Others may not hold: nobody has put the name into the hosts file.
fn examined(dockline: &Dockline, name: &str, link: Link) -> LinkState {
    let outcome = dockline.json(&["doctor", name, "--round-trip"]);
    assert!(!outcome.stdout.contains(SECRET) && !outcome.stderr.contains(SECRET));
    let mut values = serde_json::Deserializer::from_str(&outcome.stdout).into_iter::<serde_json::Value>();
    let report = values.find_map(|value| serde_json::from_value::<DoctorReport>(value.unwrap()).ok());
    let links = report.unwrap_or_else(|| panic!("no report:\n{}", outcome.stdout)).links;
    links.into_iter().find(|view| view.link == link).unwrap().state
}

#[test]
fn a_login_of_dockers_or_of_a_helper_gets_a_push_through_the_tunnel() {
    if !lab::requires(HOST) {
        return;
    }
    let host = RegistryHost::start();
    let mut registry = Registry::new(5001);
    let auth = registry.htpasswd();
    registry.start(&auth, "", |program| host.inside(program));
    let folder = tempfile::tempdir().unwrap();
    let dockline = person(folder.path());
    let name = unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &["--remote", "127.0.0.1:5001"]);
    let (name, server) = (name.as_str(), format!("{name}:5000"));
    let refused = dockline.json(&["ls", name]).expect_status(8).error();
    assert_eq!(refused.code, Code::RegistryAuth, "{refused:?}");
    assert!(refused.hint.unwrap().contains("dockline login"));

    docker_config(folder.path(), &auths(&server, "me", "wrong"));
    assert_eq!(dockline.json(&["ls", name]).error().code, Code::RegistryAuth);
    let LinkState::Failed { error, .. } = examined(&dockline, name, Link::RegistryLogin) else { panic!() };
    assert_eq!(error.code, Code::RegistryAuth);
    docker_config(folder.path(), &auths(&server, "me", SECRET));
    for link in [Link::RegistryLogin, Link::RoundTrip] {
        let state = examined(&dockline, name, link);
        assert!(matches!(state, LinkState::Passed { .. }), "{link:?}: {state:?}");
    }
    let image = sample_image(folder.path());
    let target = format!("{name}/team/app:v1");
    let pushed = dockline.run(&["push", &image, &target]).expect_success();
    assert!(
        !pushed.stderr.contains(SECRET) && pushed.stderr.len() > 1000,
        "the log is on and holds no secret"
    );

    // The same from a helper: the server goes in by standard input, the secret comes out.
    let helper = dockline.folder().join("bin/docker-credential-lab");
    let heard = folder.path().join("heard");
    let script = format!(
        "#!/bin/sh\necho \"$@\" > '{0}'\ncat >> '{0}'\nprintf '{{\"ServerURL\":\"x\",\"Username\":\"me\",\"Secret\":\"{SECRET}\"}}'\n",
        heard.display()
    );
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    docker_config(folder.path(), &format!(r#"{{"credHelpers":{{"{server}":"lab"}}}}"#));
    let listed = dockline.run(&["ls", &format!("{name}/team/app")]).expect_success();
    assert_eq!(listed.stdout, "v1\n");
    assert!(!listed.stderr.contains(SECRET));
    assert_eq!(fs::read_to_string(&heard).unwrap(), format!("get\n{server}"));
    // Whoever logs out is told that they are still let in, and by whom.
    let logout = || dockline.run(&["logout", name]).expect_success().stdout;
    let told = logout();
    assert!(
        told.contains("docker-credential-lab") && told.contains(&format!("docker logout {server}")),
        "{told}"
    );
    docker_config(folder.path(), &auths(&server, "me", SECRET));
    let told = logout();
    assert!(
        told.contains("Docker does, as me") && told.contains(&format!("docker logout {server}")),
        "{told}"
    );
    assert_eq!(dockline.run(&["ls", &format!("{name}/team/app")]).expect_success().stdout, "v1\n");
    docker_config(folder.path(), "{}");
    assert_eq!(logout(), format!("Dockline keeps no login for {server} any more.\n"));
    docker_config(folder.path(), r#"{"credsStore":"not-there"}"#);
    assert_eq!(dockline.json(&["ls", name]).error().code, Code::CredentialHelper);

    // What dockline login is given is tried before anything else.
    let mut command = dockline.command(&["login", name, "-u", "me", "--password-stdin", "--json"]);
    let login = |command: &mut Command, secret: &str| {
        let file = folder.path().join("typed");
        fs::write(&file, secret).unwrap();
        command.stdin(fs::File::open(file).unwrap()).output().unwrap()
    };
    let wrong = login(&mut command, "wrong\n");
    assert_eq!(wrong.status.code(), Some(8), "{}", String::from_utf8_lossy(&wrong.stdout));
    let right = login(&mut command, &format!("{SECRET}\n"));
    let access: AccessView = serde_json::from_slice(&right.stdout).unwrap();
    assert_eq!((access.user.as_deref(), access.scheme), (Some("me"), LoginScheme::Basic));
    assert!(!String::from_utf8_lossy(&right.stderr).contains(SECRET));
}

#[test]
fn tokens_are_had_for_what_is_done_and_had_again_when_they_end() {
    if !lab::requires(HERE) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = TokenServer::start(
        folder.path(),
        &[("writer", SECRET), ("reader", "reader-secret")],
        |user, repository| match (user, repository) {
            (Some("writer"), _) => &["pull", "push", "delete", "*"],
            (Some("reader"), _) => &["pull"],
            (_, "public/app") => &["pull"],
            _ => &[],
        },
        // So short that a push of several requests outlives it, by the registry's clock and by ours.
        2,
    );
    let mut registry = Registry::new(free_port());
    registry.here(&tokens.registry_settings());
    let dockline = person(folder.path());
    let name = unique_registry_name("cr");
    let name = name.as_str();
    dockline.run(&["add", name, "--url", &registry.url()]).expect_success();
    let server = format!("127.0.0.1:{}", registry.port);
    let image = sample_image(folder.path());
    let push = |target: &str| dockline.json(&["push", &image, &format!("{name}/{target}")]);

    assert_eq!(push("team/app:v1").error().code, Code::RegistryAuth);
    docker_config(folder.path(), &auths(&server, "writer", SECRET));
    let pushed = push("public/app:v1").expect_success();
    assert!(!pushed.stderr.contains(SECRET));
    push("team/app:v1").expect_success();
    assert!(
        tokens.given().contains(&"writer repository:team/app:pull,push".to_owned()),
        "{:?}",
        tokens.given()
    );

    docker_config(folder.path(), &auths(&server, "reader", "reader-secret"));
    let denied = push("team/app:v2").error();
    assert_eq!(denied.code, Code::RegistryDenied, "{denied:?}");
    assert!(denied.hint.is_some_and(|hint| hint.starts_with("You are logged in there as reader.")));
    dockline.run(&["inspect", &format!("{name}/team/app:v1")]).expect_success();

    fs::remove_file(folder.path().join("docker/config.json")).unwrap();
    let seen = dockline.json(&["inspect", &format!("{name}/public/app:v1")]).expect_success();
    assert_eq!(seen.value()["manifest"]["kind"], "image");
    assert!(tokens.given().contains(&"- repository:public/app:pull".to_owned()));
    assert_eq!(dockline.json(&["inspect", &format!("{name}/team/app:v1")]).error().code, Code::RegistryAuth);

    // One look that lasts longer than a token: the listing of many manifests.
    docker_config(folder.path(), &auths(&server, "writer", SECRET));
    let usage: RegistryUsage = dockline.json(&["du", name]).expect_success().read();
    assert_eq!(usage.repositories.len(), 2);
    assert!(usage.repositories.iter().all(|it| it.unique_bytes == 0 && it.shared_bytes > 0), "{usage:?}");
}

/// A large layer on a slow line, and a token that the registry takes back in the middle of it.
#[test]
fn a_token_that_ends_in_the_middle_of_a_layer_costs_no_push() {
    if !lab::requires(HOST) {
        return;
    }
    let host = RegistryHost::start();
    let folder = tempfile::tempdir().unwrap();
    let users = [("writer", SECRET)];
    let tokens = TokenServer::start_with_early_ends(folder.path(), &users, |_, _| &["pull", "push"], 2);
    let address = host.address().to_string();
    let mut registry = Registry::at(&address, 5001);
    let tls = registry.certificates(&format!("IP:{address}"));
    registry.start(&tokens.registry_settings(), &tls, |program| host.inside(program));
    host.limit_link("60mbit");
    let dockline = person(folder.path());
    let name = unique_registry_name("cr");
    let name = name.as_str();
    let ca = registry.path("ca.pem").display().to_string();
    dockline.run(&["add", name, "--url", &format!("https://{address}:5001"), "--ca", &ca]).expect_success();
    docker_config(folder.path(), &auths(&format!("{address}:5001"), "writer", SECRET));

    // 40 MB that nothing packs: five seconds and more, in requests of which each has a token.
    let image = folder.path().join("large.tar");
    lab::write_image(&image, "amd64", 40_000_000);
    let target = format!("{name}/team/app:v1");
    let view: TransferView =
        dockline.json(&["push", &image.display().to_string(), &target]).expect_success().read();
    let given = tokens.given().iter().filter(|given| given.ends_with("team/app:pull,push")).count();
    assert!(given >= 2, "{:?}", tokens.given());
    let daemon = registry.daemon.as_ref().unwrap();
    let refused = daemon.log().lines().filter(|line| is_refused_piece(line)).count();
    assert!(refused >= 1, "no piece of the layer was refused:\n{}", daemon.log());
    // A piece that was refused is sent again, and no more than that.
    assert!(view.sent < 40_000_000 + (refused as u64 + 1) * (7 << 20), "{} bytes", view.sent);
    let back = folder.path().join("back.tar").display().to_string();
    dockline.run(&["pull", &target, "--output", &back]).expect_success();
}

fn is_refused_piece(line: &str) -> bool {
    line.contains("http.request.method=PATCH") && line.contains("authorizing")
        || line.contains("\"PATCH ") && line.contains("\" 401 ")
}

/// Nothing is kept anywhere: the person is asked, again after a typing error, and the push goes on.
#[test]
fn a_person_at_a_terminal_is_asked_for_the_login() {
    if !lab::requires(&[HERE, &[Need::Program("script")]].concat()) {
        return;
    }
    let mut registry = Registry::new(free_port());
    let auth = registry.htpasswd();
    registry.here(&auth);
    let folder = tempfile::tempdir().unwrap();
    let dockline = person(folder.path()).with_environment([("DOCKLINE_LOG", "info")]);
    let name = unique_registry_name("cr");
    dockline.run(&["add", name.as_str(), "--url", &registry.url()]).expect_success();
    let image = sample_image(folder.path());
    let target = format!("{name}/app:v1");
    let mut terminal = Terminal::start(&dockline.command(&["push", &image, &target]));
    let server = format!("127.0.0.1:{}", registry.port);
    for (wrong, secret) in [("", "a typing error"), ("Wrong. ", SECRET)] {
        terminal.wait_for(&format!("{wrong}{server} wants a login. User name (empty: give up)"));
        for key in "me".chars() {
            terminal.press(key);
            // It is shown, and so it has been read.
            terminal.wait_for(&key.to_string());
        }
        terminal.press('\n');
        terminal.wait_for(&format!("Password or token of me at {server} (empty: give up)"));
        terminal.type_secret(secret);
    }
    assert!(terminal.wait().success(), "{}", terminal.shown());
    assert!(!terminal.shown().contains(SECRET), "the secret is shown");
    // Only for that command.
    assert_eq!(dockline.json(&["ls", name.as_str()]).error().code, Code::RegistryAuth);
}

/// Another repository's layer would be there to be taken, but not by this login.
#[test]
fn a_layer_that_may_not_be_taken_from_another_repository_is_sent() {
    if !lab::requires(HERE) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let users = [("alice", "alices-secret"), ("bob", "bobs-secret")];
    let tokens = TokenServer::start(
        folder.path(),
        &users,
        |user, repository| match (user, repository) {
            (Some("alice"), "a/app") | (Some("bob"), "b/app") => &["pull", "push"],
            _ => &[],
        },
        60,
    );
    let mut registry = Registry::new(free_port());
    registry.here(&tokens.registry_settings());
    let dockline = person(folder.path());
    let name = unique_registry_name("cr");
    let name = name.as_str();
    dockline.run(&["add", name, "--url", &registry.url()]).expect_success();
    let server = format!("127.0.0.1:{}", registry.port);
    let image = sample_image(folder.path());
    let push = |target: &str| dockline.json(&["push", &image, &format!("{name}/{target}")]);
    docker_config(folder.path(), &auths(&server, "alice", "alices-secret"));
    push("a/app:v1").expect_success();
    assert_eq!(push("b/app:v1").error().code, Code::RegistryDenied);
    docker_config(folder.path(), &auths(&server, "bob", "bobs-secret"));
    let view: TransferView = push("b/app:v1").expect_success().read();
    assert!(view.layers.iter().all(|layer| layer.state == LayerState::Done), "{:?}", view.layers);
    assert!(
        tokens.given().iter().any(|given| given.contains("repository:a/app:pull")),
        "it was not asked for"
    );
}

/// What a keyring does not let go is not forgotten, whoever asks: Dockline, or Docker by its helper.
#[test]
fn a_locked_keyring_keeps_a_login_and_says_so() {
    if !lab::requires(&[HERE, &[Need::Keyring]].concat()) {
        return;
    }
    let mut registry = Registry::new(free_port());
    let auth = registry.htpasswd();
    registry.here(&auth);
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = Keyring::start();
    let dockline = Dockline::new()
        .with_environment(keyring.environment())
        .with_environment([("DOCKER_CONFIG", folder.path().join("docker"))]);
    let name = unique_registry_name("cr");
    let name = name.as_str();
    dockline.run(&["add", name, "--url", &registry.url()]).expect_success();
    let server = format!("127.0.0.1:{}", registry.port);
    let typed = |text: &str| {
        let file = folder.path().join("typed");
        fs::write(&file, text).unwrap();
        fs::File::open(file).unwrap()
    };
    let mut login = dockline.command(&["login", name, "-u", "me", "--password-stdin"]);
    let told = login.stdin(typed(SECRET)).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(keyring_has(&keyring));

    let program = dockline.folder().join("bin/docker-credential-dockline");
    std::os::unix::fs::symlink(dockline_program(), &program).unwrap();
    let helper = |action: &str| {
        let mut command = Command::new(&program);
        command.arg(action).env_clear().stdin(typed(&server));
        let surroundings = dockline.command(&[]);
        command.envs(surroundings.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let told = command.output().unwrap();
        (told.status.success(), String::from_utf8_lossy(&told.stdout).into_owned())
    };
    assert!(helper("get").1.contains(SECRET));

    keyring.kill();
    keyring.start_locked();
    let refused = dockline.json(&["logout", name]).error();
    assert_eq!(refused.code, Code::Keyring, "{refused:?}");
    for action in ["get", "erase"] {
        let (succeeded, words) = helper(action);
        assert!(!succeeded && words.contains(&server) && words.contains("keyring"), "{action}: {words}");
        assert!(!words.contains("not found"), "{words}");
    }

    keyring.kill();
    keyring.start_unlocked();
    assert!(keyring_has(&keyring), "it was to stay");
    assert!(helper("get").1.contains(SECRET) && helper("list").1.contains(&server));
    // Nor does it stay where secrets are not used any more.
    let config = dockline.config_file();
    let settings = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{settings}\n[settings]\nkeyring = false\n")).unwrap();
    dockline.run(&["logout", name]).expect_success();
    assert!(!keyring_has(&keyring));
    assert_eq!(helper("list"), (true, "{}\n".to_owned()));
}

fn keyring_has(keyring: &Keyring) -> bool {
    keyring.secrets_of("dockline").iter().any(|item| item.secret.contains(SECRET))
}

#[test]
fn a_team_file_with_a_warning_is_asked_about_at_a_terminal() {
    if !lab::requires(&[Need::Program("script")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let dockline = person(folder.path());
    let file = folder.path().join("team.toml");
    let entry = "name = \"cr.boss.example\"\nssh = [\"me@prod\"]\nremote = \"attacker.example:80\"\n";
    fs::write(&file, format!("dockline-team = 1\n[[registry]]\n{entry}")).unwrap();
    let file = file.display().to_string();
    for (key, names) in [('n', 0), ('y', 1)] {
        let mut command = dockline.command(&["team", "import", &file]);
        command.env("DOCKLINE_LOG", "off");
        let mut terminal = Terminal::start(&command);
        terminal.wait_for("on to attacker.example:80");
        terminal.wait_for("another machine.");
        terminal.wait_for("Add what there is a warning about, too?");
        terminal.press(key);
        assert_eq!(terminal.wait().success(), names == 1, "{}", terminal.shown());
        let listed = dockline.json(&["list"]).expect_success().value();
        assert_eq!(listed.as_array().unwrap().len(), names);
    }
}

/// Amazon ECR's way in: a helper of the cloud's by the registry's bare name, and a password that lasts for hours.
#[test]
fn a_password_that_a_clouds_helper_renews_is_taken_at_once() {
    if !lab::requires(HERE) {
        return;
    }
    let mut registry = Registry::new(free_port());
    let auth = registry.htpasswd();
    registry.let_in("AWS", "token-of-the-morning");
    registry.here(&auth);
    let folder = tempfile::tempdir().unwrap();
    let dockline = person(folder.path());
    let name = unique_registry_name("ecr");
    let name = name.as_str();
    dockline.run(&["add", name, "--url", &registry.url()]).expect_success();
    let server = format!("127.0.0.1:{}", registry.port);
    let (secret, heard) = (folder.path().join("secret"), folder.path().join("heard"));
    let helper = dockline.folder().join("bin/docker-credential-ecr-login");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = get ] || exit 1\n(cat; echo) >> '{}'\n\
         printf '{{\"ServerURL\":\"\",\"Username\":\"AWS\",\"Secret\":\"%s\"}}' \"$(cat '{}')\"\n",
        heard.display(),
        secret.display()
    );
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    docker_config(folder.path(), &format!(r#"{{"credHelpers":{{"{server}":"ecr-login"}}}}"#));
    fs::write(&secret, "token-of-the-morning").unwrap();

    // An agent that lives longer than the password.
    let _agent = dockline.agent();
    let image = sample_image(folder.path());
    dockline.run(&["push", &image, &format!("{name}/app:v1")]).expect_success();
    assert_eq!(dockline.run(&["ls", name]).expect_success().stdout, "app\n");
    let lines = fs::read_to_string(&heard).unwrap();
    assert!(lines.lines().all(|line| line == server) && !lines.is_empty(), "{lines}");
    registry.let_in("AWS", "token-of-the-evening");
    fs::write(&secret, "token-of-the-evening").unwrap();
    assert_eq!(dockline.run(&["ls", name]).expect_success().stdout, "app\n");
    dockline.run(&["push", &image, &format!("{name}/app:v2")]).expect_success();

    // Logged out by hand, in the file that Docker keeps: whoever runs on is out as well.
    docker_config(folder.path(), "{}");
    let until = Instant::now() + Duration::from_secs(20);
    while dockline.json(&["ls", name]).status == Some(0) {
        assert!(Instant::now() < until, "the agent stays logged in");
    }
    assert_eq!(dockline.json(&["ls", name]).error().code, Code::RegistryAuth);
    // And in again.
    docker_config(folder.path(), &auths(&server, "AWS", "token-of-the-evening"));
    assert_eq!(dockline.run(&["ls", name]).expect_success().stdout, "app\n");
}

#[test]
fn certificates_are_judged_and_shown() {
    if !lab::requires(HERE) {
        return;
    }
    let mut registry = Registry::new(free_port());
    let tls = registry.certificates("DNS:localhost");
    let tls =
        tls.replace("tls: {", &format!("tls: {{clientcas: ['{}'], ", registry.path("ca.pem").display()));
    registry.start("", &tls, |program| Command::new(program));
    let folder = tempfile::tempdir().unwrap();
    let dockline = person(folder.path());
    let file = |name: &str| registry.path(name).display().to_string();
    let (ca, certificate, key) = (file("ca.pem"), file("client.pem"), file("client.key"));
    let url = |host: &str| format!("https://{host}:{}", registry.port);
    let own = ["--client-certificate", certificate.as_str(), "--client-key", key.as_str()];
    let add = |label: &str, url: &str, more: &[&str]| {
        let name = unique_registry_name(label);
        dockline.run(&[&["add", name.as_str(), "--url", url][..], more].concat()).expect_success();
        name
    };
    let stranger = add("a", &url("localhost"), &[]);
    let unknown = dockline.json(&["ls", stranger.as_str()]).error();
    assert_eq!(unknown.code, Code::CertificateUntrusted, "{unknown:?}");
    let nameless = add("b", &url("localhost"), &["--ca", &ca]);
    let without = dockline.json(&["ls", nameless.as_str()]).error();
    assert_eq!(without.code, Code::ClientCertificateNeeded, "{without:?}");
    let other = add("c", &url("127.0.0.1"), &[&["--ca", ca.as_str()][..], &own[..]].concat());
    let misnamed = dockline.json(&["ls", other.as_str()]).error();
    assert_eq!(misnamed.code, Code::CertificateUntrusted, "{misnamed:?}");
    assert!(misnamed.message.contains("another name"), "{misnamed:?}");
    let right = add("d", &url("localhost"), &[&["--ca", ca.as_str()][..], &own[..]].concat());
    let image = sample_image(folder.path());
    dockline.run(&["push", &image, &format!("{right}/app:v1")]).expect_success();
    assert_eq!(dockline.run(&["ls", right.as_str()]).expect_success().stdout, "app\n");
}

#[test]
fn tls_behind_a_tunnel_is_found_out() {
    if !lab::requires(HOST) {
        return;
    }
    let host = RegistryHost::start();
    let name = unique_registry_name("cr");
    let mut registry = Registry::new(5001);
    let tls = registry.certificates(&format!("DNS:{name}"));
    registry.start("", &tls, |program| host.inside(program));
    let folder = tempfile::tempdir().unwrap();
    let dockline = person(folder.path());
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &["--remote", "127.0.0.1:5001"]);
    let unknown = dockline.json(&["ls", name.as_str()]).error();
    assert_eq!(unknown.code, Code::CertificateUntrusted, "{unknown:?}");
    // Docker's own folder for a registry's certificates serves Dockline, too.
    let certs = folder.path().join("docker/certs.d").join(format!("{name}:5000"));
    fs::create_dir_all(&certs).unwrap();
    fs::copy(registry.path("ca.pem"), certs.join("ca.crt")).unwrap();
    let image = sample_image(folder.path());
    dockline.run(&["push", &image, &format!("{name}/app:v1")]).expect_success();
    assert_eq!(dockline.run(&["ls", name.as_str()]).expect_success().stdout, "app\n");
}

#[test]
fn ten_thousand_tags_are_listed_and_one_is_deleted() {
    if !lab::requires(HERE) {
        return;
    }
    let mut registry = Registry::new(free_port());
    registry.here("");
    let folder = tempfile::tempdir().unwrap();
    let dockline = person(folder.path());
    let name = unique_registry_name("cr");
    let name = name.as_str();
    dockline.run(&["add", name, "--url", &registry.url()]).expect_success();
    let image = sample_image(folder.path());
    dockline.run(&["push", &image, &format!("{name}/app:v1")]).expect_success();
    dockline.run(&["push", &image, &format!("{name}/other:v1")]).expect_success();
    // From where no tunnel leads, and to there.
    dockline.run(&["copy", &format!("{name}/app:v1"), &format!("{name}/copied:v1")]).expect_success();
    assert_eq!(dockline.run(&["ls", &format!("{name}/copied")]).expect_success().stdout, "v1\n");
    let plan = dockline.json(&["rm", &format!("{name}/app:v1"), "--plan"]).expect_success();
    assert_eq!(plan.value()["tags"], serde_json::json!(["v1"]));
    // As the registry keeps them (distribution, `registry/storage/paths.go`): all name the same image.
    let tags = registry.path("storage/docker/registry/v2/repositories/app/_manifests/tags");
    let link = fs::read(tags.join("v1/current/link")).unwrap();
    for tag in 0..9_999 {
        let folder = tags.join(format!("t{tag:05}/current"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("link"), &link).unwrap();
    }
    let began = Instant::now();
    let listed = dockline.run(&["ls", &format!("{name}/app")]).expect_success();
    let lines: std::collections::BTreeSet<&str> = listed.stdout.lines().collect();
    assert_eq!((lines.len(), listed.stdout.lines().count()), (10_000, 10_000));
    eprintln!("10,000 tags listed in {:?}", began.elapsed());
    // A reader who has enough is no failure.
    let mut few = dockline.command(&["ls", &format!("{name}/app")]);
    let mut few =
        few.env_remove("DOCKLINE_LOG").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(few.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ended = few.wait_with_output().unwrap();
    assert_eq!((first.as_str(), ended.status.code()), ("t00000\n", Some(141)));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    let plan = dockline.run(&["rm", &format!("{name}/app:v1"), "--plan"]).expect_success().stdout;
    assert!(plan.contains(" and 9990 more\n") && plan.len() < 1000, "{plan}");
    dockline.run(&["rm", &format!("{name}/other:v1"), "--yes"]).expect_success();
    assert_eq!(
        dockline.json(&["inspect", &format!("{name}/other:v1")]).error().code,
        Code::ReferenceNotFound
    );
    let left = dockline.json(&["inspect", &format!("{name}/app:t00007")]).expect_success();
    assert_eq!(left.value()["manifest"]["layers"].as_array().unwrap().len(), 6);
}
