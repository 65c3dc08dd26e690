//! Which way is chosen, and the command lines.

use super::*;
use std::path::Path;

fn situation() -> Situation {
    Situation {
        platform: Platform::Linux,
        paths: Paths::system(),
        may_write: false,
        graphical: false,
        terminal: false,
        pkexec: Some("/usr/bin/pkexec".into()),
        sudo: Some("/usr/bin/sudo".into()),
        helper: Some("/opt/dockline/dockline-helper".into()),
    }
}

fn request() -> HelperRequest {
    HelperRequest::Apply { changes: vec![] }
}

#[test]
fn root_needs_nobody() {
    let root = Situation { may_write: true, helper: None, ..situation() };
    assert_eq!(choose(&root), Elevation::Direct { paths: Paths::system() });
}

#[test]
fn a_dialogue_where_there_is_a_screen_and_sudo_elsewhere() {
    let helper = PathBuf::from("/opt/dockline/dockline-helper");
    let sudo = PathBuf::from("/usr/bin/sudo");
    let screen = Situation { graphical: true, terminal: true, ..situation() };
    assert_eq!(
        choose(&screen),
        Elevation::Pkexec { pkexec: "/usr/bin/pkexec".into(), helper: helper.clone() }
    );
    let no_polkit = Situation { pkexec: None, ..screen };
    assert_eq!(
        choose(&no_polkit),
        Elevation::Sudo { sudo: sudo.clone(), helper: helper.clone(), may_ask: true }
    );
    assert_eq!(choose(&situation()), Elevation::Sudo { sudo, helper: helper.clone(), may_ask: false });
    let bare = Situation { sudo: None, ..situation() };
    assert_eq!(
        choose(&bare),
        Elevation::Impossible { platform: Platform::Linux, helper: Some(helper.clone()) }
    );
    let mac = Situation { platform: Platform::MacOs, graphical: true, ..situation() };
    assert_eq!(choose(&mac), Elevation::Osascript { helper: helper.clone() });
    let windows = Situation { platform: Platform::Windows, ..situation() };
    assert_eq!(choose(&windows), Elevation::RunAs { helper });
    let not_installed = Situation { helper: None, ..situation() };
    assert_eq!(choose(&not_installed), Elevation::Impossible { platform: Platform::Linux, helper: None });
}

#[test]
fn a_display_over_ssh_is_no_place_for_a_dialogue() {
    let local = |name: &str| (name == "DISPLAY").then(|| ":0".into());
    let remote = |name: &str| ["DISPLAY", "SSH_CONNECTION"].contains(&name).then(|| "x".into());
    assert!(situation::is_graphical(Platform::Linux, local));
    assert!(!situation::is_graphical(Platform::Linux, remote));
    assert!(!situation::is_graphical(Platform::Linux, |_| None));
}

#[test]
fn without_any_way_the_person_is_told_what_to_run() {
    let helper = Some(PathBuf::from("/opt/dock line/dockline-helper"));
    let error = run(&request(), &Elevation::Impossible { platform: Platform::Linux, helper }).unwrap_err();
    assert_eq!(error.code, Code::PermissionDenied);
    let hint = error.hint.unwrap();
    assert!(hint.contains(r#"echo '{"verb":"apply","changes":[]}'"#), "{hint}");
    assert!(hint.ends_with("| sudo '/opt/dock line/dockline-helper'"), "{hint}");
    let none = Elevation::Impossible { platform: Platform::Linux, helper: None };
    assert!(run(&request(), &none).unwrap_err().hint.unwrap().contains("DOCKLINE_HELPER"));
}

#[test]
fn macos_and_windows_command_lines_are_quoted() {
    let mac = command::osascript(Path::new("/Applications/Dock Line's/helper"), r#"{"verb":"recover"}"#);
    assert_eq!(
        mac.arguments[1].to_str().unwrap(),
        concat!(
            r#"do shell script "printf %s '{\"verb\":\"recover\"}' | '/Applications/Dock Line'\\''s/helper'; true""#,
            r#" with prompt "Dockline changes system settings." with administrator privileges"#
        )
    );
    let hash = crate::Fingerprint::of(Some(b"{}"));
    let windows = command::run_as(
        Path::new(r"C:\it's\dockline-helper.exe"),
        Path::new(r"C:\Users\Jan O'Hara\Temp\r.json"),
        &hash,
    );
    assert_eq!(
        windows.arguments[3].to_str().unwrap(),
        [
            "$ErrorActionPreference = 'Stop'; try { ",
            r"$p = Start-Process -FilePath 'C:\it''s\dockline-helper.exe'",
            r#" -ArgumentList '--request-file','"C:\Users\Jan O''Hara\Temp\r.json"','"#,
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "' -Verb RunAs -WindowStyle Hidden -Wait -PassThru ",
            "} catch { [Console]::Error.WriteLine($_.Exception.Message); exit 126 }; ",
            "if ($null -eq $p.ExitCode) { exit 125 }; exit $p.ExitCode",
        ]
        .concat()
    );
    assert_eq!(
        command::by_hand(Platform::Windows, Path::new(r"C:\h.exe"), "{}"),
        r"& 'C:\h.exe' --request-hex 7b7d"
    );
}

/// What stands between us and the helper, played by small shell scripts.
#[cfg(unix)]
mod with_programs {
    use super::*;
    use crate::Outcome;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn answers_come_back_and_refusals_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let helper = script(
            folder.path(),
            "helper",
            r#"cat >/dev/null; echo '{"result":"done","outcomes":["replaced"]}'"#,
        );
        let granted = script(folder.path(), "granted", "exec \"$1\"");
        let elevation =
            |pkexec: &PathBuf| Elevation::Pkexec { pkexec: pkexec.clone(), helper: helper.clone() };
        assert_eq!(
            run(&request(), &elevation(&granted)).unwrap(),
            HelperAnswer::Done { outcomes: vec![Outcome::Replaced], steps: vec![] }
        );
        let dismissed = script(folder.path(), "dismissed", "echo 'Request dismissed' >&2; exit 126");
        let error = run(&request(), &elevation(&dismissed)).unwrap_err();
        assert_eq!(error.code, Code::PermissionDenied);
        assert_eq!(
            error.details.as_deref(),
            Some("exit status 126, the dialogue was dismissed; Request dismissed")
        );
        let absent = folder.path().join("absent");
        assert_eq!(run(&request(), &elevation(&absent)).unwrap_err().code, Code::PermissionDenied);
    }

    #[test]
    fn a_helper_that_says_nothing_is_not_taken_for_a_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let helper = script(folder.path(), "helper", "cat >/dev/null");
        for (name, end) in [("silent", "exec \"$1\""), ("broken", "exit 101"), ("killed", "kill -9 $$")] {
            let pkexec = script(folder.path(), name, end);
            let error = run(&request(), &Elevation::Pkexec { pkexec, helper: helper.clone() }).unwrap_err();
            assert_eq!(error.code, Code::FileIo, "{name}");
            assert!(!error.message.contains("nothing was changed"), "{name}: {error}");
        }
    }

    #[test]
    fn the_helpers_own_error_is_passed_on() {
        let folder = tempfile::tempdir().unwrap();
        let json = r#"{"result":"failed","error":{"code":"hosts-changed","message":"It changed."}}"#;
        let helper = script(folder.path(), "helper", &format!("cat >/dev/null; echo '{json}'; exit 1"));
        let sudo = script(folder.path(), "sudo", "shift 2; exec \"$1\"");
        let elevation = Elevation::Sudo { sudo, helper, may_ask: false };
        assert_eq!(run(&request(), &elevation).unwrap_err(), UiError::new(Code::HostsChanged, "It changed."));
    }
}
