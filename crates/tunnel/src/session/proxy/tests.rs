//! ProxyCommands of the real `sh` that fail, and what a person learns of it.

use super::*;

#[test]
fn the_last_line_is_kept_and_no_more() {
    let last = |pieces: &[&[u8]]| {
        let mut complaint = Complaint::default();
        pieces.iter().for_each(|piece| complaint.hears(piece));
        assert!(complaint.begun.len() <= LONGEST_LINE && complaint.complete.len() <= LONGEST_LINE);
        complaint.last_line()
    };
    assert_eq!(last(&[]), "");
    assert_eq!(last(&[b"first\nsec", b"ond\r\n\n \n"]), "second");
    assert_eq!(last(&[b"first\nno new\x1b line"]), "no new line");
    assert_eq!(
        last(&[&[b'x'; 5000], &[b'y'; 5000]]).chars().collect::<std::collections::HashSet<_>>().len(),
        1
    );
}

#[test]
fn cmd_gets_the_command_as_it_was_written() {
    let command = r#""C:\Program Files\x.exe" --to "a b" %h"#;
    assert_eq!(arguments_of_cmd(command), r#"/S /C ""C:\Program Files\x.exe" --to "a b" %h""#);
}

#[cfg(unix)]
mod with_sh {
    use super::*;
    use crate::{
        Nobody, SshEnvironment,
        network::Surroundings,
        session::{Session, dial::Dialer},
    };
    use dockline_model::{Code, UiError};

    /// Dials through `command`.
    async fn through(command: &str) -> TunnelError {
        let folder = tempfile::tempdir().unwrap();
        let (config, known_hosts) = (folder.path().join("config"), folder.path().join("known_hosts"));
        std::fs::write(&config, format!("Host *\n ProxyCommand {command}\n")).unwrap();
        let ssh = SshEnvironment {
            home_ssh: folder.path().join(".ssh"),
            config: Some(config),
            known_hosts: vec![known_hosts],
            ssh_program: Some("ssh".into()),
            ..SshEnvironment::default()
        };
        let (target, surroundings) = ("u@h".parse().unwrap(), Arc::new(Surroundings::new()));
        let name = "a.b".parse().unwrap();
        let dialer = Dialer::new(name, target, ssh, Arc::new(Nobody), surroundings, Arc::default());
        let dialled: Result<Session, TunnelError> = dialer.dial(false).await;
        dialled.err().unwrap()
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = through("no-such-program-here %h %p").await;
        assert!(!error.is_retriable() && !error.is_pushed_back(), "{error}");
        let ui = UiError::from(&error);
        assert_eq!(ui.code, Code::SshConfig);
        assert!(ui.message.contains("no-such-program-here"), "{}", ui.message);
        assert!(ui.hint.unwrap().contains("not there"));
    }

    #[tokio::test]
    async fn what_a_program_complains_about_is_told() {
        let error = through("sh -c 'echo first >&2; echo the proxy for %h is shut >&2; exit 3'").await;
        assert_eq!(
            error.to_string(),
            "The ProxyCommand for h ended with status 3 before the SSH session was up; it said “the proxy for h is \
             shut”."
        );
        assert!(error.is_retriable() && error.is_pushed_back());
    }

    #[tokio::test]
    async fn a_server_that_hangs_up_is_not_the_programs_fault() {
        for command in ["true", "sh -c 'echo chatter >&2'"] {
            let error = through(command).await;
            assert!(matches!(error, TunnelError::HandshakeClosed { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn a_program_that_says_much_is_not_stopped_by_it() {
        let error = through("sh -c 'yes shut | head -n 200000 >&2; exit 1'").await;
        assert!(error.to_string().ends_with("it said “shut”."), "{error}");
    }

    /// One that still runs in the background holds the standard error.
    #[tokio::test]
    async fn nobody_waits_for_what_a_program_leaves_behind() {
        let began = std::time::Instant::now();
        let error = through("sh -c 'sleep 20 >/dev/null </dev/null & echo gone >&2; exit 1'").await;
        assert!(error.to_string().contains("it said “gone”"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
