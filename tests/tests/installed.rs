//! The package, installed with dpkg(1) on a machine of the test's own: what it brings, a person who types a password into
//! polkit's own dialogue and gets what they saw, and a removal that leaves nothing.
#![cfg(target_os = "linux")]

use dockline_tests::lab::{
    self, Daemon, Dockerd, Dockline, Finished, Need, Person, RegistryHost, Terminal, Workstation, try_run,
};
use std::{fs, sync::Arc, time::Duration};

const NEEDS: &[Need] = &[
    Need::Root,
    Need::Sshd,
    Need::Registry,
    Need::Dockerd,
    Need::Package,
    Need::Program("dpkg"),
    Need::Program("dbus-daemon"),
    Need::Program("pkexec"),
    Need::File("/usr/lib/polkit-1/polkitd"),
    Need::Program("script"),
];
const PASSWORD: &str = "correct-horse-4711";
const OURS: &str = "the workstation's files are ours";
const SOON: Duration = Duration::from_secs(20);

/// Nobody sits at this machine, as logind would know it; this stands for somebody who does. What is asked for then is the
/// action's own `auth_admin_keep`, and who counts as an administrator is Debian's rule.
const SOMEBODY_SITS_HERE: &str = r#"
polkit.addRule(function(action, subject) {
    if (action.id == "org.dockline.helper" && subject.user == "ann") return polkit.Result.AUTH_ADMIN_KEEP;
});
"#;

/// A machine with the package, and polkit on a bus of its own.
struct Installed {
    workstation: Arc<Workstation>,
    // Ends before the bus that it is on.
    _polkit: Daemon,
    _bus: Daemon,
}

impl Installed {
    fn start() -> Self {
        let workstation = Workstation::start();
        for folder in ["/usr", "/var/lib/dpkg", "/var/cache", "/var/log", "/run/dbus"] {
            fs::create_dir_all(folder).expect("root may make it");
            workstation.has_own(folder);
        }
        dpkg(&workstation, &["--install", &lab::package_file().display().to_string()]).expect_success();
        let rule = workstation.path("/etc/polkit-1/rules.d/10-somebody-sits-here.rules");
        fs::write(rule, SOMEBODY_SITS_HERE).expect(OURS);
        let mut bus = workstation.command("dbus-daemon");
        bus.args(["--system", "--nofork", "--nopidfile", "--print-address"]);
        let bus = Daemon::spawn("dbus-daemon", bus);
        bus.wait_for_line("unix:", SOON);
        let polkit = Daemon::spawn("polkitd", workstation.command("/usr/lib/polkit-1/polkitd"));
        polkit.wait_for_line("Acquired the name", SOON);
        Self { workstation, _polkit: polkit, _bus: bus }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Finished {
        try_run(self.workstation.command(program).args(arguments))
    }
}

/// dpkg(1) as a package manager starts it, dependencies and all.
fn dpkg(workstation: &Workstation, arguments: &[&str]) -> Finished {
    try_run(workstation.command("dpkg").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

#[test]
fn a_package_brings_everything_a_password_lets_it_change_things_and_its_removal_leaves_nothing() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let installed = Installed::start();
    let workstation = &installed.workstation;
    brings_everything(&installed);

    let ann = Person::on(workstation);
    ann.may_administer(PASSWORD);
    let dockerd = Dockerd::start(workstation);
    let socket = dockerd.endpoint().trim_start_matches("unix://").to_owned();
    ann.owns(socket.as_ref());
    let dockline = Dockline::of(&ann)
        .with_program("/usr/bin/dockline")
        .with_engine(dockerd.endpoint())
        // A screen to show a dialogue on; polkit's agent asks at the terminal, where nothing else has registered.
        .with_environment([("DISPLAY", ":77"), ("SSH_CONNECTION", "")]);
    let name = dockline.add(&host);
    let agent = dockline.agent();
    let before = workstation.hosts();

    // The wrong password: nothing is done, and it is said so.
    let (done, said) = set_up_with(&ann, &dockline, "wrong");
    assert!(!done, "{said}");
    assert!(said.contains("permission-denied"), "{said}");
    assert_eq!(workstation.hosts(), before);

    let (done, said) = set_up_with(&ann, &dockline, PASSWORD);
    assert!(done, "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    assert!(workstation.hosts().contains(name.as_str()));
    let image = format!("{name}:5000/team/app:v1");
    dockerd.build_image(&image, &[100]);
    dockerd.run_docker(&["push", &image]);
    assert!(host.manifest_digest("team/app", "v1").is_some());
    let log = fs::read_to_string(workstation.path("/var/lib/dockline/journal/log"))
        .expect("the helper keeps a log");
    assert!(log.contains(" uid=29321 hosts "), "{log}");

    // The same version once more (an upgrade is the same to dpkg) leaves the settings alone.
    dpkg(workstation, &["--install", &lab::package_file().display().to_string()]).expect_success();
    assert!(workstation.hosts().contains(name.as_str()));

    drop(agent);
    dpkg(workstation, &["--remove", "dockline"]).expect_success();
    assert_eq!(workstation.hosts(), before);
    for left in [
        "/usr/bin/dockline",
        "/usr/bin/dockline-helper",
        "/usr/share/polkit-1/actions/org.dockline.helper.policy",
    ] {
        assert!(!workstation.path(left).exists(), "{left} is left");
    }
    dpkg(workstation, &["--purge", "dockline"]).expect_success();
    let left: Vec<_> = fs::read_dir(workstation.path("/var/lib/dockline")).expect(OURS).flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Has Dockline ask for leave, and Ann type this into polkit's agent. (The one inside pkexec cannot be used without a
/// session of logind's: polkitd takes it for root's and what it answers for Ann's.) Whether it was done, and what both
/// terminals showed.
fn set_up_with(ann: &Person, dockline: &Dockline, password: &str) -> (bool, String) {
    let mut setup = Terminal::start(&dockline.command(&["setup"]));
    setup.wait_for("Make these changes?");
    // It closes the descriptor once it is registered (pkttyagent(1)), and `cat` ends then.
    let registered = format!(
        "(pkttyagent --process {} --notify-fd 3 3>&1 >/dev/tty 2>&1 &) | cat; echo the agent is there; exec sleep infinity",
        setup.pid()
    );
    let mut shell = ann.command("sh");
    shell.args(["-c", &registered]);
    let mut agent = Terminal::start(&shell);
    agent.wait_for("the agent is there");
    setup.press('y');
    agent.wait_for("Dockline changes system settings");
    agent.type_secret(password);
    agent.wait_for("AUTHENTICATION");
    // The agent shows how it went before it tells polkitd, so it has to outlive what was asked for.
    let done = setup.wait().success();
    (done, format!("{}\n{}", setup.shown(), agent.shown()))
}

fn brings_everything(installed: &Installed) {
    // Every file is what the package says it is.
    let verified = dpkg(&installed.workstation, &["--verify", "dockline"]).expect_success();
    assert_eq!(verified.stdout, "");
    let modes =
        installed.run("stat", &["--format", "%a %U:%G", "/usr/bin/dockline", "/usr/bin/dockline-helper"]);
    assert_eq!(modes.expect_success().stdout, "755 root:root\n755 root:root\n");
    let version = format!("dockline {}", env!("CARGO_PKG_VERSION"));
    for (program, arguments, says) in [
        ("/usr/bin/dockline", &["--version"][..], version.as_str()),
        ("/usr/bin/dockline-desktop", &["--version"], "dockline-desktop "),
        // Through Docker's own command line.
        ("docker", &["dockline", "--version"], version.as_str()),
        ("/usr/bin/docker-credential-dockline", &["version"], "docker-credential-dockline "),
        (
            "bash",
            &["-c", ". /usr/share/bash-completion/completions/dockline; complete -p dockline"],
            "dockline",
        ),
    ] {
        let said = installed.run(program, arguments).expect_success().stdout;
        assert!(said.contains(says), "{program} {arguments:?}: {said}");
    }
    // polkit has read the action: nobody from elsewhere, an administrator's password at the screen.
    let action = installed
        .run("pkaction", &["--action-id", "org.dockline.helper", "--verbose"])
        .expect_success()
        .stdout;
    let field = |name: &str| {
        let line = action.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {action}")).trim().to_owned()
    };
    assert_eq!(field("implicit any:"), "no");
    assert_eq!(field("implicit inactive:"), "no");
    assert_eq!(field("implicit active:"), "auth_admin_keep");
    assert!(action.contains("/usr/bin/dockline-helper"), "{action}");
}
