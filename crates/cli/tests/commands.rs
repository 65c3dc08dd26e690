//! What needs no host: help, wrong use, the configuration, the hosts file, completions.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod home;

use dockline_model::{Code, HostsView, RegistrySpec, RegistryView, Snapshot};
use home::Home;
use std::fs;

const COMMANDS: [&str; 13] = [
    "add",
    "list",
    "remove",
    "connect",
    "disconnect",
    "status",
    "push",
    "pull",
    "images",
    "hosts",
    "agent",
    "demo",
    "completions",
];

#[test]
fn every_command_explains_itself() {
    let home = Home::new();
    let all = home.run(&["--help"]).expect(0).stdout;
    for command in COMMANDS {
        assert!(all.contains(&format!("\n  {command} ")), "{command} is not listed:\n{all}");
        let help = home.run(&[command, "--help"]).expect(0).stdout;
        assert!(help.contains(&format!("Usage: dockline {command}")), "{help}");
        assert!(help.contains("--json"), "{help}");
        assert_eq!(help, home.run(&["help", command]).expect(0).stdout);
    }
    let codes = home.run(&["help", "exit-codes"]).expect(0).stdout;
    assert!(codes.contains("130  stopped (Ctrl-C)") && codes.contains("141  "), "{codes}");
    assert!(home.run(&["--version"]).expect(0).stdout.starts_with("dockline "));
}

#[test]
fn wrong_use_is_status_2_in_both_tongues() {
    let home = Home::new();
    for arguments in [
        &["nonsense"][..],
        &["add", "registry", "--ssh", "a@h"],
        &["add", "a.org", "--ssh", "-oX"],
        &["push"],
    ] {
        let ran = home.run(arguments).expect(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("error:"), "{}", ran.stderr);
        assert_eq!(home.error(arguments, 2).code, Code::InvalidArgument);
    }
}

/// As in `dockline list 2>&1 | head -0`.
#[test]
fn whoever_hangs_up_gets_no_panic() {
    let home = Home::new();
    for (arguments, expected) in
        [(&["list"][..], 141), (&["completions", "bash"], 141), (&["connect", "nobody.example"], 2)]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = home.command(arguments);
        let status = command.stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(expected), "{arguments:?}");
    }
    // As in `dockline ls cr.boss.org/app | head`: nothing has failed.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = home.command(&["list"]).stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}

#[test]
fn a_registry_is_added_listed_and_removed() {
    let home = Home::new();
    assert!(home.run(&["list"]).expect(0).stdout.contains("dockline add"));
    let name = home.registry.as_str();
    let shouted = name.to_uppercase();
    let add = ["add", &shouted, "--ssh", "dockercr@88.88.88.88:2222", "--linger", "30"];
    let spec: RegistrySpec = home.json(&add);
    assert_eq!(spec.name.as_str(), name);
    assert!(spec.address.is_loopback() && spec.port == 5000 && spec.linger_seconds == 30);

    let listed: Vec<RegistryView> = home.json(&["list"]);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].spec, spec);
    assert!(home.run(&["list"]).expect(0).stdout.contains(&format!("{name}  idle")));
    let snapshot: Snapshot = home.json(&["status"]);
    assert_eq!(snapshot.registries[0].spec, spec);
    let text = home.run(&["status", name]).expect(0).stdout;
    assert!(text.contains("ssh dockercr@88.88.88.88:2222, then 127.0.0.1:5000"), "{text}");

    assert_eq!(home.error(&add, 2).code, Code::RegistryExists);
    let config = fs::read_to_string(home.config_file()).unwrap();
    assert!(config.contains("dockercr@88.88.88.88:2222"), "{config}");

    home.run(&["remove", name]).expect(0);
    assert!(home.json::<Vec<RegistryView>>(&["list"]).is_empty());
}

#[test]
fn a_key_file_that_is_not_there_is_not_written_down() {
    let home = Home::new();
    let error = home.error(&["add", "a.example", "--ssh", "a@h", "--identity", "/nowhere/key"], 4);
    assert_eq!(error.code, Code::SshKeyUnusable);
    assert!(home.json::<Vec<RegistryView>>(&["list"]).is_empty());
}

#[test]
fn an_unknown_registry_is_status_2_everywhere() {
    let home = Home::new();
    home.run(&["add", "a.example", "--ssh", "a@h"]).expect(0);
    for command in [
        &["connect", "other.example"][..],
        &["disconnect", "other.example"],
        &["status", "other.example"],
        &["remove", "other.example"],
        &["push", "app:v1", "other.example"],
        &["pull", "other.example/app:v1"],
    ] {
        assert_eq!(home.error(command, 2).code, Code::RegistryUnknown, "{command:?}");
        let text = home.run(command).expect(2).stderr;
        assert!(text.contains("error[registry-unknown]:") && text.contains("hint:"), "{text}");
    }
}

#[test]
fn a_broken_configuration_names_its_line() {
    let home = Home::new();
    fs::create_dir_all(home.path("dockline")).unwrap();
    let broken = "[[registry]]\nname = \"cr.boss.org\"\nssh = \"a@h\"\nport = \"many\"\n";
    fs::write(home.config_file(), broken).unwrap();
    for command in [
        &["list"][..],
        &["status"],
        &["connect", "cr.boss.org"],
        &["push", "app", "cr.boss.org"],
        &["add", "b.example", "--ssh", "a@h"],
    ] {
        let error = home.error(command, 3);
        assert_eq!(error.code, Code::ConfigInvalid, "{command:?}");
        assert!(error.message.contains("config.toml") && error.message.contains('4'), "{}", error.message);
    }
    assert_eq!(fs::read_to_string(home.config_file()).unwrap(), broken, "it was left alone");
}

#[test]
fn no_engine_and_no_archive_are_said_so() {
    let home = Home::new();
    home.run(&["add", "a.example", "--ssh", "a@h"]).expect(0);
    assert_eq!(home.error(&["push", "absent.tar", "a.example"], 9).code, Code::FileIo);
    assert_eq!(home.error(&["push", "app:v1", "a.example"], 7).code, Code::EngineUnavailable);
    assert_eq!(home.error(&["images"], 7).code, Code::EngineUnavailable);
}

#[test]
fn the_hosts_file_is_shown_changed_and_restored() {
    let home = Home::new();
    let before = fs::read(home.path("hosts")).unwrap();
    let spec: RegistrySpec = home.json(&["add", "cr.boss.org", "--ssh", "a@h"]);
    let line = format!("{}\tcr.boss.org", spec.address);

    let shown = home.run(&["hosts"]).expect(11).stdout;
    assert!(shown.contains(&format!("+{line}")), "{shown}");
    assert_eq!(home.run(&["hosts", "--plan"]).expect(0).stdout, shown);
    let unasked = home.run(&["hosts", "--json"]).expect(11);
    assert_eq!(unasked.error().code, Code::NobodyToAsk);
    let planned: HostsView = serde_json::from_str(unasked.stdout.lines().next().unwrap()).unwrap();
    assert!(!planned.satisfied, "the plan comes before the error");
    let plan: HostsView = home.json(&["hosts", "--plan"]);
    assert!(!plan.satisfied && plan.diff.contains(&line));
    // Nobody said yes.
    assert_eq!(home.error(&["hosts", "--apply"], 11).code, Code::NobodyToAsk);
    assert_eq!(fs::read(home.path("hosts")).unwrap(), before);

    let after: HostsView = home.json(&["hosts", "--apply", "--yes"]);
    assert!(after.satisfied, "{after:?}");
    assert!(fs::read_to_string(home.path("hosts")).unwrap().contains(&line));
    assert!(home.run(&["hosts"]).expect(0).stdout.contains("needs no change"));
    assert!(home.json::<Vec<RegistryView>>(&["list"])[0].alias_ready);

    home.run(&["hosts", "--undo", "--yes"]).expect(0);
    assert_eq!(fs::read(home.path("hosts")).unwrap(), before);
}

#[test]
fn a_registry_without_a_tunnel_is_edited_as_one() {
    let home = Home::new();
    let url = "http://127.0.0.1:9/";
    let shown = home.run(&["add", "n.boss.example", "--url", url]).expect(0).stdout;
    assert!(shown.contains("Added n.boss.example: http://127.0.0.1:9, without a tunnel."), "{shown}");
    let before = fs::read(home.config_file()).unwrap();
    for option in [
        &["--ssh", "a@b"][..],
        &["--port", "5001"],
        &["--linger", "3"],
        &["--keep-open", "true"],
        &["--jump", "gate"],
        &["--remote", "127.0.0.1:5001"],
        &["--address", "127.77.9.9"],
    ] {
        let error = home.error(&[&["edit", "n.boss.example"], option].concat(), 2);
        let sentence = format!("n.boss.example has no tunnel, so {} means nothing here.", option[0]);
        assert_eq!((error.code, error.message), (Code::InvalidArgument, sentence));
    }
    assert_eq!(fs::read(home.config_file()).unwrap(), before);
    let shown = home.run(&["edit", "n.boss.example", "--rename", "m.boss.example"]).expect(0).stdout;
    assert_eq!(shown, "m.boss.example: http://127.0.0.1:9, without a tunnel.\n");
    assert!(home.run(&["list"]).expect(0).stdout.contains("m.boss.example"));

    let mut agent = home::Running::start(home.command(&["agent"]));
    assert!(agent.line().contains("ready"));
    assert_eq!(agent.line(), "  m.boss.example  http://127.0.0.1:9, without a tunnel\n");
}

#[test]
fn of_a_team_file_only_what_was_named_is_told_of() {
    let home = Home::new();
    let file = home.path("team.toml");
    fs::write(
        &file,
        "dockline-team = 1\n[[registry]]\nname = \"b.boss.example\"\nssh = [\"h\"]\n\
         [[registry]]\nname = \"c.boss.example\"\nssh = [\"h\"]\n",
    )
    .unwrap();
    let import = ["team", "import", file.to_str().unwrap()];
    let named = |more: &[&str]| home.run(&[&import[..], &["b.boss.example"], more].concat()).expect(0).stdout;
    let listed = || home.json::<Vec<RegistryView>>(&["list"]).len();
    assert_eq!(named(&["--plan"]), "  + b.boss.example by ssh h\n1 registry will be added.\n");
    assert_eq!(listed(), 0);
    let unknown = [&import[..], &["d.boss.example", "--plan"]].concat();
    assert_eq!(home.error(&unknown, 2).code, Code::RegistryUnknown);
    assert_eq!(named(&[]), "  + b.boss.example by ssh h\n1 registry added.\n");
    assert_eq!(listed(), 1);
    let all = home.run(&import).expect(0).stdout;
    assert!(all.ends_with("1 registry added, 1 is here already.\n"), "{all}");
}

#[test]
fn a_shipped_image_is_not_called_by_an_address_and_nobody_is_dialled_for_that() {
    let home = Home::new();
    let error = home.error(&["ship", "app", "--as", "[fd00::1]:5000/x", "nobody.invalid"], 2);
    assert_eq!(error.code, Code::ReferenceInvalid);
    assert!(home.json::<Snapshot>(&["status"]).transfers.is_empty());
}

#[test]
fn a_name_taken_in_the_hosts_file_is_refused_with_its_line() {
    let home = Home::new();
    fs::write(home.path("hosts"), "127.0.0.1 localhost\n127.0.0.1 cr.boss.org\n").unwrap();
    home.run(&["add", "cr.boss.org", "--ssh", "a@h"]).expect(0);
    let error = home.error(&["hosts", "--apply", "--yes"], 10);
    assert_eq!(error.code, Code::HostsRefused);
    assert!(error.message.contains("line 2"), "{}", error.message);
}

#[test]
fn completions_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.run(&["completions", shell]).expect(0).stdout;
        for command in COMMANDS {
            assert!(script.contains(command), "{shell} lacks {command}");
        }
    }
}

#[cfg(unix)]
#[test]
fn docker_finds_a_plugin_in_it() {
    let home = Home::new();
    let plugin = home.path("docker-dockline");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dockline"), &plugin).unwrap();
    let called = |arguments: &[&str]| {
        let output = std::process::Command::new(&plugin).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let metadata: serde_json::Value = serde_json::from_str(&called(&["docker-cli-plugin-metadata"])).unwrap();
    assert_eq!(metadata["SchemaVersion"], "0.1.0");
    assert!(called(&["dockline", "--version"]).starts_with("dockline "));
}

#[test]
fn colours_are_for_terminals() {
    let home = Home::new();
    home.run(&["add", "cr.boss.org", "--ssh", "a@h"]).expect(0);
    for command in [&["status"][..], &["hosts"], &["connect", "other.example"]] {
        let ran = home.run(command);
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), "{command:?}");
    }
}
