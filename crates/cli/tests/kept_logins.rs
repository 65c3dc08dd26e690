//! What is done with logins: where a team file would have them go, and what a keyring that cannot be reached keeps.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod home;

use dockline_model::{Code, ImportPlan, RegistryView};
use home::{Home, Ran};
use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

/// A host that one trusts, whose sshd passes on to another machine.
const PASSED_ON: &str = "dockline-team = 1\n[[registry]]\nname = \"cr.boss.example\"\n\
    ssh = [\"me@prod.boss.example\", \"me@two.boss.example\"]\njump = \"gate\"\n\
    remote = \"attacker.example:80\"\n[[registry]]\nname = \"b.boss.example\"\nurl = \"https://b.boss.example\"\n";
const WAYS: &str = "  + cr.boss.example by ssh me@prod.boss.example, or me@two.boss.example, through gate, on to \
    attacker.example:80\n  + b.boss.example at https://b.boss.example, without a tunnel\n";
const WARNINGS: [&str; 2] = [
    "What is pushed to cr.boss.example goes on from me@prod.boss.example, me@two.boss.example to \
     attacker.example:80, another machine.",
    "The login that is kept for cr.boss.example:5000 will be given to whoever answers at the end of this way.",
];

#[test]
fn a_team_file_that_would_take_a_login_elsewhere_is_asked_about() {
    let home = Home::new();
    fs::write(home.path("team.toml"), PASSED_ON).unwrap();
    fs::create_dir(home.path(".docker")).unwrap();
    // base64 of me:p:w
    let login = r#"{"auths":{"cr.boss.example:5000":{"auth":"bWU6cDp3"}}}"#;
    fs::write(home.path(".docker/config.json"), login).unwrap();
    let file = home.path("team.toml").display().to_string();
    let import = ["team", "import", file.as_str()];
    let with = |more: &[&'static str]| [&import[..], more].concat();
    let listed = || home.json::<Vec<RegistryView>>(&["list"]).len();

    for (arguments, status) in [(with(&["--plan"]), 0), (with(&[]), 11)] {
        let ran = home.run(&arguments).expect(status);
        assert_eq!(ran.stdout, format!("{WAYS}2 registries will be added.\n"));
        for warning in WARNINGS {
            assert!(ran.stderr.contains(&format!("warning: {warning}\n")), "{}", ran.stderr);
        }
        assert_eq!(ran.stderr.contains("nobody-to-ask"), status != 0, "{}", ran.stderr);
        assert_eq!(listed(), 0);
    }
    // A program gets the plan, and then what it should do.
    let ran = home.run(&with(&["--json"])).expect(11);
    let error = ran.error();
    assert_eq!(error.code, Code::NobodyToAsk);
    assert!(error.hint.is_some_and(|hint| hint.contains("--yes")));
    let plan: ImportPlan = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(plan.entries[0].warnings, WARNINGS);
    assert!(plan.entries[1].warnings.is_empty());
    assert_eq!(home.error(&with(&["--plan", "--yes"]), 2).code, Code::InvalidArgument);
    assert_eq!(listed(), 0);

    // What there is no warning about needs no answer.
    let other = home.run(&with(&["b.boss.example"])).expect(0);
    let way = "  + b.boss.example at https://b.boss.example, without a tunnel\n";
    assert_eq!((other.stdout, other.stderr), (format!("{way}1 registry added.\n"), String::new()));
    let rest = home.run(&with(&["--yes"])).expect(0);
    assert!(rest.stdout.ends_with("1 registry added, 1 is here already.\n"), "{}", rest.stdout);
    assert!(rest.stderr.contains(WARNINGS[0]), "{}", rest.stderr);
    assert_eq!(listed(), 2);
}

/// Dockline's list says that somebody is logged in.
fn logged_in(home: &Home, server: &str) {
    fs::create_dir_all(home.path("dockline/state")).unwrap();
    fs::write(home.path("dockline/state/logins.json"), format!(r#"{{"{server}":"me"}}"#)).unwrap();
}

fn list(home: &Home) -> String {
    fs::read_to_string(home.path("dockline/state/logins.json")).unwrap()
}

/// Away from the keyring of whoever runs the tests: by the switch, or by a session bus that nobody is at.
fn away(mut command: Command, is_off: bool) -> Command {
    match is_off {
        true => command.env("DOCKLINE_KEYRING", "off"),
        false => command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus"),
    };
    command
}

/// The bus is Linux's alone.
fn ways_of_being_away() -> impl Iterator<Item = bool> {
    [true, false].into_iter().filter(|is_off| *is_off || cfg!(target_os = "linux"))
}

#[test]
fn a_logout_that_leaves_the_secret_in_the_keyring_is_none() {
    for is_off in ways_of_being_away() {
        let home = Home::new();
        home.run(&["add", "cr.boss.example", "--ssh", "a@h"]).expect(0);
        if !is_off {
            // Whoever wants a secret gone does not want it to stay because secrets are not used any more.
            let mut config = fs::read_to_string(home.config_file()).unwrap();
            config += "\n[settings]\nkeyring = false\n";
            fs::write(home.config_file(), config).unwrap();
        }
        let logout = ["logout", "cr.boss.example", "--json"];
        let run = || Ran::new(&logout, &away(home.command(&logout), is_off).output().unwrap());
        run().expect(0);
        logged_in(&home, "cr.boss.example:5000");
        let error = run().expect(11).error();
        assert_eq!(error.code, Code::Keyring, "{error:?}");
        assert!(error.message.contains("is still in this system's keyring"), "{error:?}");
        assert_eq!(error.hint.unwrap().contains("DOCKLINE_KEYRING=off"), is_off);
        assert_eq!(list(&home), r#"{"cr.boss.example:5000":"me"}"#);
    }
}

#[cfg(unix)]
#[test]
fn dockers_helper_tells_a_keyring_that_is_locked_from_one_that_has_nothing() {
    let home = Home::new();
    let program = home.path("bin/docker-credential-dockline");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dockline"), &program).unwrap();
    let helper = |action: &str, server: &str, is_off: bool| {
        let mut command = Command::new(&program);
        command
            .arg(action)
            .env_clear()
            .env("HOME", home.path(""))
            .env("DOCKLINE_HOME", home.path("dockline"));
        let mut child = away(command, is_off).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(server.as_bytes()).unwrap();
        Ran::new(&[action, server], &child.wait_with_output().unwrap())
    };
    logged_in(&home, "cr.boss.example:5000");
    for is_off in ways_of_being_away() {
        // Docker goes on without a login where there is none, and ends at any other error.
        let nothing = "credentials not found in native keychain\n";
        assert_eq!(helper("get", "other.example", is_off).expect(1).stdout, nothing);
        helper("erase", "other.example", is_off).expect(0);
        let got = helper("get", "cr.boss.example:5000", is_off).expect(1).stdout;
        assert_eq!(got == nothing, is_off, "{got}");
        assert_eq!(got.contains("locked or does not answer"), !is_off, "{got}");
        let erased = helper("erase", "https://cr.boss.example:5000", is_off).expect(1).stdout;
        assert!(erased.contains("is still in this system's keyring"), "{erased}");
        assert_eq!(list(&home), r#"{"cr.boss.example:5000":"me"}"#);
    }
}
