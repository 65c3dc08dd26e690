//! Passphrases and passwords: asked for at a real terminal, kept in a real keyring, and nowhere else.

use dockline_model::{Code, RegistryName};
use dockline_tests::{
    desktop::{KeptSecret, Keyring},
    lab::{self, Dockline, Need, RegistryHost, RegistryHostOptions, Terminal, run, unique_registry_name},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Keyring, Need::Program("script")];

const PASSPHRASE: &str = "first-passphrase-5b1e90c4";
const OTHER: &str = "other-passphrase-a07d33f8";
const OFFER: &str = "Keep it in this system's keyring?";

/// A registry host, a person with an encrypted key for it, and the way there.
struct Scene {
    host: RegistryHost,
    dockline: Dockline,
    name: RegistryName,
    key: PathBuf,
}

impl Scene {
    fn new(keyring: Option<&Keyring>) -> Self {
        let host = RegistryHost::start();
        let dockline = Dockline::new()
            .with_environment([("DOCKLINE_LOG", "trace")])
            .with_environment(keyring.map(Keyring::environment).unwrap_or_default());
        let key = dockline.ssh_folder().join("id_boss");
        fs::copy(host.identity(), &key).expect("the folder is ours");
        set_passphrase(&key, "", PASSPHRASE);
        let name = unique_registry_name("cr");
        dockline.trust(&host.known_hosts_line());
        dockline.add_as(&name, &host, &["--identity", &key.display().to_string()]);
        Self { host, dockline, name, key }
    }

    fn terminal(&self) -> Terminal {
        // What people see: the log is another matter.
        let mut command = self.dockline.command(&["connect", self.name.as_str()]);
        command.env("DOCKLINE_LOG", "off");
        Terminal::start(&command)
    }

    fn question(&self) -> String {
        format!("Passphrase for {} (empty: give up)", self.key.display())
    }

    /// Connects in a terminal where the passphrase must be asked for; `keep` answers the offer, which is not made
    /// where it is `None`. Returns what was shown.
    #[track_caller]
    fn connect_asked(&self, passphrase: &str, keep: Option<bool>) -> String {
        let mut terminal = self.terminal();
        terminal.wait_for(&self.question());
        terminal.type_secret(passphrase);
        if let Some(keep) = keep {
            terminal.wait_for(OFFER);
            terminal.press(if keep { 'y' } else { 'n' });
        }
        terminal.wait_for("Connected to");
        nowhere_among_processes(passphrase);
        terminal.interrupt();
        assert!(terminal.wait().success(), "{}", terminal.shown());
        let shown = terminal.shown();
        assert!(!shown.contains(passphrase), "the passphrase was shown:\n{shown}");
        assert_eq!(shown.contains(OFFER), keep.is_some(), "{shown}");
        shown
    }

    /// Connects in a terminal without being asked anything.
    #[track_caller]
    fn connect_unasked(&self) {
        let mut terminal = self.terminal();
        terminal.wait_for("Connected to");
        terminal.interrupt();
        assert!(terminal.wait().success(), "{}", terminal.shown());
        assert!(!terminal.shown().contains("Passphrase"), "{}", terminal.shown());
    }

    /// The one item that the keyring should have.
    #[track_caller]
    fn expect_kept(&self, keyring: &Keyring, passphrase: &str) {
        let kept = keyring.secrets_of("dockline");
        let [KeptSecret { label, attributes, secret }] = &kept[..] else { panic!("one item: {kept:?}") };
        let key = self.key.display();
        assert_eq!(secret, passphrase);
        assert_eq!(*label, format!("Dockline: passphrase of {key}"));
        assert_eq!(attributes["username"], format!("passphrase:{key}"));
    }
}

#[test]
fn a_passphrase_is_typed_once_and_recalled_by_the_next_owner() {
    if !lab::requires(NEEDS) {
        return;
    }
    let keyring = Keyring::start();
    let scene = Scene::new(Some(&keyring));
    scene.connect_asked(PASSPHRASE, Some(true));
    scene.expect_kept(&keyring, PASSPHRASE);
    assert_eq!(scene.host.logins(), 1);

    // Another owner, and no terminal anywhere.
    let agent = scene.dockline.agent();
    let connected = scene.dockline.json(&["connect", scene.name.as_str()]).expect_success();
    assert_eq!(scene.host.logins(), 2);
    let status = scene.dockline.json(&["status"]).expect_success();

    nowhere_among_processes(PASSPHRASE);
    nowhere_in_files(PASSPHRASE, scene.dockline.folder());
    nowhere_in_files(PASSPHRASE, keyring.folder());
    let log = agent.daemon().log();
    assert!(log.contains("TRACE") && log.contains("zbus"), "this log tells too little:\n{log}");
    for text in [&log, &connected.stdout, &connected.stderr, &status.stdout, &status.stderr] {
        assert!(!text.contains(PASSPHRASE), "{text}");
    }
}

#[test]
fn a_kept_passphrase_that_is_wrong_is_forgotten_and_asked_for_again() {
    if !lab::requires(NEEDS) {
        return;
    }
    let keyring = Keyring::start();
    let scene = Scene::new(Some(&keyring));
    scene.connect_asked(PASSPHRASE, Some(true));

    set_passphrase(&scene.key, PASSPHRASE, OTHER);
    scene.connect_asked(OTHER, Some(false));
    assert_eq!(
        keyring.secrets_of("dockline"),
        [],
        "the wrong one is forgotten, the right one was not to be kept"
    );
    scene.connect_asked(OTHER, Some(true));
    scene.expect_kept(&keyring, OTHER);

    // With nobody to ask it is a failure that says what is missing.
    set_passphrase(&scene.key, OTHER, PASSPHRASE);
    let outcome = scene.dockline.json(&["connect", scene.name.as_str()]);
    let error = outcome.expect_status(Code::SshAuth.exit_status().into()).error();
    let text = format!("{error:?}");
    assert!(text.contains(&scene.key.display().to_string()) && text.contains("passphrase"), "{text}");
    assert_eq!(keyring.secrets_of("dockline"), []);

    // A slip of the finger is no reason to start over.
    let mut terminal = scene.terminal();
    terminal.wait_for(&scene.question());
    terminal.type_secret(OTHER);
    terminal.wait_for(OFFER);
    terminal.press('y');
    terminal.wait_for(&format!("Wrong. {}", scene.question()));
    terminal.type_secret(PASSPHRASE);
    terminal.wait_for(OFFER);
    terminal.press('y');
    terminal.wait_for("Connected to");
    scene.expect_kept(&keyring, PASSPHRASE);
}

#[test]
fn where_there_is_no_keyring_it_is_asked_for_and_none_is_spoken_of() {
    if !lab::requires(NEEDS) {
        return;
    }
    // Neither a session bus, nor a keyring on it, nor one that anybody could unlock.
    let scene = Scene::new(None);
    expect_calm(&scene.connect_asked(PASSPHRASE, None));

    let mut keyring = Keyring::not_running();
    let scene = Scene::new(Some(&keyring));
    expect_calm(&scene.connect_asked(PASSPHRASE, None));

    keyring.start_unlocked();
    scene.connect_asked(PASSPHRASE, Some(true));
    keyring.kill();
    keyring.start_locked();
    expect_calm(&scene.connect_asked(PASSPHRASE, None));
    keyring.kill();
    keyring.start_unlocked();
    scene.connect_unasked();
}

#[test]
fn an_owner_finds_a_keyring_that_starts_late_or_again() {
    if !lab::requires(NEEDS) {
        return;
    }
    let mut keyring = Keyring::not_running();
    let scene = Scene::new(Some(&keyring));
    let agent = scene.dockline.agent();
    let connect = || scene.dockline.json(&["connect", scene.name.as_str()]);
    let disconnect = || scene.dockline.json(&["disconnect", scene.name.as_str(), "--force"]).expect_success();
    connect().expect_status(Code::SshAuth.exit_status().into());

    keyring.start_unlocked();
    let mut terminal = scene.terminal();
    terminal.wait_for(&scene.question());
    terminal.type_secret(PASSPHRASE);
    terminal.wait_for(OFFER);
    terminal.press('y');
    terminal.wait_for("Connected to");
    assert!(terminal.wait().success(), "the agent keeps it open: {}", terminal.shown());
    disconnect();

    keyring.kill();
    keyring.start_unlocked();
    let recall = || {
        // The same passphrase, but another text: what the agent has decrypted is of no use to it.
        set_passphrase(&scene.key, PASSPHRASE, PASSPHRASE);
        connect().expect_success();
        disconnect();
    };
    recall();
    assert_eq!(scene.host.logins(), 2);

    // And lets go of it again each time.
    let process = PathBuf::from(format!("/proc/{}", agent.daemon().pid()));
    let count = |part: &str| fs::read_dir(process.join(part)).unwrap().count();
    let (files, threads) = (count("fd"), count("task"));
    for _ in 0..6 {
        recall();
    }
    let now = (count("fd"), count("task"));
    assert!(
        now.0 < files + 6 && now.1 < threads + 6,
        "{files} files and {threads} threads have become {now:?}"
    );
}

#[test]
fn a_keyring_that_the_settings_turn_off_is_neither_read_nor_offered() {
    if !lab::requires(NEEDS) {
        return;
    }
    let keyring = Keyring::start();
    let scene = Scene::new(Some(&keyring));
    scene.connect_asked(PASSPHRASE, Some(true));

    let config = scene.dockline.config_file();
    let settings = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{settings}\n[settings]\nkeyring = false\n")).unwrap();
    expect_calm(&scene.connect_asked(PASSPHRASE, None));
    scene.dockline.json(&["connect", scene.name.as_str()]).expect_status(Code::SshAuth.exit_status().into());
    scene.expect_kept(&keyring, PASSPHRASE);

    fs::write(&config, settings).unwrap();
    scene.connect_unasked();
}

#[test]
fn a_password_is_kept_recalled_and_forgotten() {
    if !lab::requires(NEEDS) || !lab::requires(&[Need::Program("openssl")]) {
        return;
    }
    let (keyring, password) = (Keyring::start(), "password-of-root-77c2");
    let options =
        RegistryHostOptions { password: Some(password.to_owned()), ..RegistryHostOptions::default() };
    let host = RegistryHost::with(options);
    let dockline = Dockline::new().with_environment(keyring.environment());
    let name = unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.run(&["add", name.as_str(), "--ssh", &host.destination()]).expect_success();
    let question = format!("Password for {} (empty: give up)", host.destination());

    let mut terminal = Terminal::start(&dockline.command(&["connect", name.as_str()]));
    terminal.wait_for(&question);
    terminal.type_secret("not-the-password");
    terminal.wait_for(OFFER);
    terminal.press('y');
    terminal.wait_for(&format!("Wrong. {question}"));
    terminal.type_secret(password);
    terminal.wait_for(OFFER);
    terminal.press('y');
    terminal.wait_for("Connected to");
    nowhere_among_processes(password);
    terminal.interrupt();
    assert!(terminal.wait().success());
    let kept = keyring.secrets_of("dockline");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].secret, password);
    assert_eq!(kept[0].attributes["username"], format!("password:{}", host.destination()));
    assert_eq!(kept[0].label, format!("Dockline: password of {}", host.destination()));

    let agent = dockline.agent();
    dockline.json(&["connect", name.as_str()]).expect_success();
    drop(agent);
    assert_eq!(host.sshd().count("Accepted password"), 2);
    nowhere_in_files(password, dockline.folder());
}

fn set_passphrase(key: &Path, before: &str, after: &str) {
    run("ssh-keygen", &["-q", "-p", "-f", &key.display().to_string(), "-P", before, "-N", after]);
}

/// Nothing that a person without a keyring need worry about.
#[track_caller]
fn expect_calm(shown: &str) {
    let lower = shown.to_lowercase();
    for word in ["keyring", "warn", "error", "fail", "secret", "d-bus", "dbus"] {
        assert!(!lower.contains(word), "“{word}” is frightening:\n{shown}");
    }
}

/// Arguments and environments are there for others to read.
#[track_caller]
fn nowhere_among_processes(secret: &str) {
    for process in fs::read_dir("/proc").expect("Linux has /proc").flatten() {
        for part in ["cmdline", "environ"] {
            let text = fs::read(process.path().join(part)).unwrap_or_default();
            assert!(!contains(&text, secret), "{} of {}", part, process.path().display());
        }
    }
}

#[track_caller]
fn nowhere_in_files(secret: &str, folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder is ours").flatten() {
        let (path, kind) = (entry.path(), entry.file_type().expect("the folder is ours"));
        if kind.is_dir() {
            nowhere_in_files(secret, &path);
        } else if kind.is_file() {
            assert!(!contains(&fs::read(&path).expect("the folder is ours"), secret), "{}", path.display());
        }
    }
}

fn contains(text: &[u8], secret: &str) -> bool {
    text.windows(secret.len()).any(|window| window == secret.as_bytes())
}
