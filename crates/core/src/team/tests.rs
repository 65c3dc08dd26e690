//! What is exported, what is read back, and what a person is told before it counts.

use super::*;

fn specs(text: &str) -> Vec<RegistrySpec> {
    crate::config::parse(text).unwrap().registries
}

/// Where nobody is logged in.
fn plan(text: &str, present: &[RegistrySpec]) -> Result<ImportPlan, UiError> {
    super::plan(text, present, |_| false)
}

fn verdicts(plan: &ImportPlan) -> Vec<&'static str> {
    let word = |entry: &ImportEntry| match entry.verdict {
        ImportVerdict::Add => "add",
        ImportVerdict::Same => "same",
        ImportVerdict::Conflict { .. } => "conflict",
    };
    plan.entries.iter().map(word).collect()
}

const MINE: &str = "\
    [[registry]]\nname = \"cr.boss.org\"\nssh = [\"a@one\", \"a@two:2222\"]\njump = \"gate\"\n\
    identity = \"/home/me/.ssh/id_secret\"\nlinger-seconds = 60\nport = 5001\naddress = \"127.77.9.9\"\n\
    [[registry]]\nname = \"b.example\"\nssh = \"h\"\nremote = \"/run/r.sock\"\n";

#[test]
fn what_is_exported_comes_back_without_what_is_ones_own() {
    let mine = specs(MINE);
    let text = export(&mine).unwrap();
    assert!(!text.contains("id_secret") && !text.contains("127.77.9.9"), "{text}");
    assert_eq!(verdicts(&plan(&text, &mine).unwrap()), ["same", "same"]);
    let fresh = plan(&text, &[]).unwrap();
    assert_eq!(verdicts(&fresh), ["add", "add"]);
    assert_eq!(fresh.summary, "2 registries will be added.");
    let targets = to_add(&fresh, &[]).unwrap();
    assert_eq!(targets[0].fallbacks.len(), 1);
    assert_eq!(targets[0].ssh.jump.as_deref(), Some("gate"));
    assert_eq!(targets[1].remote, Some("/run/r.sock".parse().unwrap()));
    let one = to_add(&fresh, &["b.example".parse().unwrap()]).unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(fresh.clone().only(&[one[0].name.clone()]).unwrap().summary, "1 registry will be added.");
    let unknown = to_add(&fresh, &["c.example".parse().unwrap()]).unwrap_err();
    assert_eq!(unknown.code, Code::RegistryUnknown);
}

#[test]
fn a_registry_without_a_tunnel_comes_back_without_one() {
    let mine = specs("[[registry]]\nname = \"ghcr.io\"\nurl = \"https://ghcr.io\"\n");
    let text = export(&mine).unwrap();
    assert!(text.contains("url = \"https://ghcr.io\"") && !text.contains("ssh ="), "{text}");
    assert_eq!(verdicts(&plan(&text, &mine).unwrap()), ["same"]);
    let targets = to_add(&plan(&text, &[]).unwrap(), &[]).unwrap();
    assert_eq!(targets[0].url, mine[0].url);
    // The same name behind a tunnel is another registry.
    let tunnelled = specs("[[registry]]\nname = \"ghcr.io\"\nssh = \"ghcr.io\"\n");
    let error = to_add(&plan(&text, &tunnelled).unwrap(), &[]).unwrap_err();
    assert!(error.message.contains("ssh ghcr.io") && error.message.contains("https://ghcr.io"), "{error:?}");
}

#[test]
fn json_reads_as_well() {
    let text = r#"{"dockline-team":1,"registry":[{"name":"cr.boss.org","ssh":["u@h"]}]}"#;
    assert_eq!(verdicts(&plan(text, &[]).unwrap()), ["add"]);
}

#[test]
fn a_registry_that_leads_elsewhere_is_a_conflict_in_a_sentence() {
    let text = "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nssh = [\"other\"]\n";
    let plan = plan(text, &specs(MINE)).unwrap();
    assert_eq!((verdicts(&plan), plan.summary.as_str()), (vec!["conflict"], "1 is to be decided."));
    let error = to_add(&plan, &[]).unwrap_err();
    assert_eq!(error.code, Code::RegistryExists);
    assert!(error.message.contains("ssh h") && error.message.contains("ssh other"), "{error:?}");
}

#[test]
fn what_is_no_team_file_is_refused_in_a_sentence() {
    for text in [
        "",
        "dockline-team = 2\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nssh = []\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nssh = [\"-oProxyCommand=x\"]\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nssh = [\"h\"]\njump = \"-oProxyCommand=x\"\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nssh = [\"h\"]\npassword = \"x\"\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nssh = [\"h\"]\nport = 0\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nssh = [\"h\"]\n\
         [[registry]]\nname = \"b.example\"\nssh = [\"h\"]\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nurl = \"http://b.example\"\n",
        "dockline-team = 1\n[[registry]]\nname = \"b.example\"\nurl = \"https://b.example\"\nssh = [\"h\"]\n",
        "{\"dockline-team\":1,\"registry\":7}",
        "not a file",
    ] {
        let error = plan(text, &[]).unwrap_err();
        assert_eq!(error.code, Code::ConfigInvalid, "{text}");
        assert!(error.message.ends_with('.'), "{error:?}");
    }
}

fn file(entry: &str) -> String {
    format!("dockline-team = 1\n[[registry]]\nname = \"cr.boss.org\"\n{entry}")
}

#[test]
fn a_way_that_goes_on_to_another_machine_is_warned_of() {
    let warnings = |end: &str| {
        let text = file(&format!("ssh = [\"me@prod.boss.org\", \"two\"]\n{end}"));
        plan(&text, &[]).unwrap().entries.remove(0).warnings
    };
    for end in ["attacker.example:80", "10.0.0.1:5000", "[2001:db8::1]:5000", "localhost.attacker.example:80"]
    {
        assert_eq!(
            warnings(&format!("remote = \"{end}\"\n")),
            [format!(
                "What is pushed to cr.boss.org goes on from me@prod.boss.org, two to {end}, another machine."
            )]
        );
    }
    for end in
        ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "LocalHost:80", "/run/r.sock"]
    {
        assert_eq!(warnings(&format!("remote = \"{end}\"\n")), [""; 0], "{end}");
    }
    assert_eq!(warnings(""), [""; 0]);
}

#[test]
fn a_kept_login_that_would_go_there_is_warned_of() {
    let known = |text: &str, present: &[RegistrySpec]| {
        let logged_in = |authority: &str| matches!(authority, "cr.boss.org:5000" | "cr.boss.org");
        super::plan(text, present, logged_in).unwrap()
    };
    let text = file("ssh = [\"h\"]\n");
    let new = known(&text, &[]);
    assert_eq!(
        new.entries[0].warnings,
        [
            "The login that is kept for cr.boss.org:5000 will be given to whoever answers at the end of this way."
        ]
    );
    assert!(new.wants_thought());
    // The same name at another port is another registry, and a login of its own.
    assert!(!known(&file("ssh = [\"h\"]\nport = 5001\n"), &[]).wants_thought());
    // TLS tells who answers there.
    assert!(!known(&file("url = \"https://cr.boss.org\"\n"), &[]).wants_thought());
    // Nothing changes.
    let same = specs("[[registry]]\nname = \"cr.boss.org\"\nssh = \"h\"\n");
    assert_eq!(known(&text, &same).entries[0].warnings, [""; 0]);
    // It helps to decide, and nothing is added.
    let conflict = known(&text, &specs("[[registry]]\nname = \"cr.boss.org\"\nssh = \"other\"\n"));
    assert!(!conflict.wants_thought() && conflict.entries[0].warnings.len() == 1, "{conflict:?}");
}

#[test]
fn a_conflict_tells_of_all_hosts_and_of_those_on_the_way() {
    let present = specs("[[registry]]\nname = \"cr.boss.org\"\nssh = [\"h\", \"i\"]\n");
    let text = file("ssh = [\"h\", \"other\"]\njump = \"gate\"\n");
    let error = to_add(&plan(&text, &present).unwrap(), &[]).unwrap_err();
    assert_eq!(
        error.message,
        "cr.boss.org is configured here and leads to 127.0.0.1:5000 by ssh h, i, at port 5000; in the team file it \
         leads to 127.0.0.1:5000 by ssh h, other through gate, at port 5000."
    );
}
