//! What `ssh -G` says, read and acted on; the real one where it is there.

use super::*;
use std::path::Path;

fn environment() -> SshEnvironment {
    SshEnvironment { home_ssh: PathBuf::from("/h/.ssh"), ..SshEnvironment::default() }
}

fn read(text: &str, target: &str) -> HostOptions {
    let ssh = environment();
    parse(text, &target.parse().unwrap(), &ssh, &Paths::of_unix(&ssh)).unwrap()
}

#[test]
fn the_output_of_ssh_is_read() {
    let text = "user bob\nhostname 10.0.0.1\nport 2222\nidentitiesonly yes\nidentityfile ~/.ssh/id_%r\n\
                identityfile /keys/a b\nuserknownhostsfile /k1 ~/.ssh/k2\nglobalknownhostsfile none\n\
                proxyjump a@j1:22,j2\nhostkeyalias Alias\nhashknownhosts yes\nconnecttimeout 3\n\
                proxycommand none\nidentityagent none\n";
    let options = read(text, "alias");
    assert_eq!(options.login(), "bob@10.0.0.1:2222");
    assert_eq!(options.identity_files, [Path::new("/h/.ssh/id_bob"), Path::new("/keys/a b")]);
    assert_eq!(options.user_known_hosts, [Path::new("/k1"), Path::new("/h/.ssh/k2")]);
    assert_eq!(options.jumps, ["a@j1:22", "j2"]);
    assert_eq!((options.known_hosts_names().name(), options.principal()), ("alias", "Alias"));
    assert!(options.identities_only && options.hash_known_hosts && options.agent.is_none());
    assert_eq!((options.connect_timeout, options.proxy_command), (Duration::from_secs(3), None));
}

#[test]
fn without_openssh_its_defaults_hold() {
    let options = read("", "bob@h:2222");
    assert_eq!(options.known_hosts_names().name(), "[h]:2222");
    assert_eq!((options.strict_checking, options.methods.len()), (StrictChecking::Ask, 3));
    assert_eq!(options.identity_files[0], Path::new("/h/.ssh/id_ed25519"));
    assert_eq!(options.user_known_hosts[0], Path::new("/h/.ssh/known_hosts"));
}

#[test]
fn trust_and_login_are_as_configured() {
    let text = "hostname h\nstricthostkeychecking accept-new\nrevokedhostkeys ~/.ssh/revoked\n\
                updatehostkeys false\nhostkeyalgorithms ssh-ed25519,rsa-sha2-512\n\
                casignaturealgorithms ssh-ed25519\ncertificatefile ~/.ssh/%r.pub\nuser bob\n\
                certificatefile none\npreferredauthentications password,hostbased,publickey\n\
                pubkeyauthentication false\nnumberofpasswordprompts 1\n";
    let options = read(text, "h");
    assert_eq!(options.strict_checking, StrictChecking::AcceptNew);
    assert_eq!(options.revoked_host_keys.as_deref(), Some(Path::new("/h/.ssh/revoked")));
    assert_eq!(options.host_key_algorithms, ["ssh-ed25519", "rsa-sha2-512"]);
    assert_eq!(options.ca_signature_algorithms, ["ssh-ed25519"]);
    assert_eq!(options.certificate_files, [Path::new("/h/.ssh/bob.pub")]);
    assert_eq!(options.methods, [MethodKind::Password]);
    assert!(!options.update_host_keys && options.password_prompts == 1);
    let off = read("stricthostkeychecking false\n", "h");
    assert_eq!(off.strict_checking, StrictChecking::Ask);
    let on = read("stricthostkeychecking true\n", "h");
    assert_eq!(on.strict_checking, StrictChecking::Yes);
}

#[test]
fn options_cannot_be_smuggled_in() {
    let mut target: SshTarget = "bob@host".parse().unwrap();
    assert!(guard(&target).is_ok());
    let ssh = environment();
    let arguments = arguments(&target, &ssh, &Paths::of_unix(&ssh));
    assert_eq!(arguments[arguments.len() - 2..], ["--", "host"]);
    target.user = Some("-oProxyCommand=id".to_owned());
    assert!(guard(&target).is_err());
}

#[test]
fn a_file_that_could_be_anywhere_is_refused_unless_it_is_not_read() {
    let mut ssh = environment();
    let target = "h".parse().unwrap();
    let windows = |text: &str, ssh: &SshEnvironment| parse(text, &target, ssh, &Paths::of_windows(ssh));
    for key in ["userknownhostsfile", "globalknownhostsfile", "revokedhostkeys"] {
        let text = format!("hostname h\n{key} known\n");
        let refused = parse(&text, &target, &ssh, &Paths::of_unix(&ssh)).unwrap_err();
        assert_eq!(refused, "the path “known” is not absolute", "{key}");
        assert!(windows(&text, &ssh).is_err(), "{key}");
    }
    let text = "hostname h\nuserknownhostsfile C:\\Users\\Bob Smith/.ssh/k C:\\Users\\Bob Smith/.ssh/k2\n\
                globalknownhostsfile __PROGRAMDATA__\\ssh/k\nrevokedhostkeys __PROGRAMDATA__\\ssh/r\n";
    let options = windows(text, &ssh).unwrap();
    assert_eq!(options.user_known_hosts.len(), 2);
    assert_eq!(options.user_known_hosts[0], Path::new("C:\\Users\\Bob Smith/.ssh/k"));
    assert_eq!(options.global_known_hosts, [Path::new("D:\\Program Data\\ssh/k")]);
    assert_eq!(options.revoked_host_keys.as_deref(), Some(Path::new("D:\\Program Data\\ssh/r")));
    ssh.known_hosts = vec!["/given".into()];
    let options = windows("hostname h\nuserknownhostsfile known\n", &ssh).unwrap();
    assert_eq!((options.user_known_hosts, options.global_known_hosts), (vec!["/given".into()], Vec::new()));
}

#[test]
fn what_is_kept_for_a_host_goes_by_the_name_that_its_key_is_known_by() {
    let account = |text: &str| read(&format!("user bob\nhostname 10.0.0.5\n{text}"), "h").account();
    assert_eq!(account(""), "bob@10.0.0.5");
    assert_eq!(account("port 2222\n"), "bob@10.0.0.5:2222");
    assert_eq!(account("hostkeyalias Site-A\n"), "bob@10.0.0.5 (site-a)");
    assert_eq!(account("hostkeyalias site-b\nport 2222\n"), "bob@10.0.0.5:2222 (site-b)");
    assert_eq!(account("hostkeyalias 10.0.0.5\n"), "bob@10.0.0.5");
    assert_eq!(account("hostkeyalias 10.0.0.5\nport 2222\n"), "bob@10.0.0.5:2222 (10.0.0.5)");
}

/// What `ssh -G` itself fills in for another key, which it does not for a key's file.
#[cfg(unix)]
#[tokio::test]
async fn files_of_keys_have_the_names_that_the_real_ssh_would_give_them() {
    if std::process::Command::new("ssh").arg("-V").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Set by cargo for whoever runs tests.
    let pattern = "/keys/${CARGO_PKG_NAME}/%%-%C-%h-%i-%k-%L-%l-%n-%p-%r-%u";
    let config = folder.path().join("config");
    let text = format!(
        "Host one\n HostName 10.0.0.1\n Port 2222\n User bob\nHost two\n HostKeyAlias other\n\
         Host *\n ControlPath {pattern}\n IdentityFile {pattern}\n CertificateFile {pattern}\n"
    );
    std::fs::write(&config, text).unwrap();
    for host in ["one", "two"] {
        let output = std::process::Command::new("ssh").args(["-G", "-F"]).arg(&config).arg(host).output();
        let printed = String::from_utf8(output.unwrap().stdout).unwrap();
        let expected = printed.lines().find_map(|line| line.strip_prefix("controlpath ")).unwrap();
        assert!(!expected.contains("${") && !expected.contains("%C"), "{expected}");
        let ssh =
            SshEnvironment { config: Some(config.clone()), ssh_program: Some("ssh".into()), ..environment() };
        let options = resolve(&host.parse().unwrap(), &ssh).await.unwrap();
        assert_eq!(options.identity_files, [Path::new(expected)]);
        assert_eq!(options.certificate_files, [Path::new(expected)]);
    }
}

#[test]
fn a_jump_host_goes_by_its_name_alone() {
    for (jump, name) in
        [("none", ""), ("a@j1:22,b@j2:2222", "j2"), ("j", "j"), ("u@[::1]:22", "::1"), ("ssh://u@j:1", "j")]
    {
        let options = read(&format!("hostname h\nproxyjump {jump}\nidentityfile /k/%j.\n"), "h");
        assert_eq!(options.identity_files, [PathBuf::from(format!("/k/{name}."))], "{jump}");
    }
}

/// `CanonicalizeHostname` needs the name server, and `Match exec` whatever it likes: the network may be back by the next
/// time.
#[cfg(unix)]
#[tokio::test]
async fn a_failure_of_ssh_is_not_the_last_word() {
    let ssh = SshEnvironment { ssh_program: Some("false".into()), ..environment() };
    let target: SshTarget = "h".parse().unwrap();
    let error = resolve(&target, &ssh).await.unwrap_err();
    assert!(error.is_retriable(), "{error}");
    let no_name = SshTarget { host: "h;id".to_owned(), ..target };
    assert!(!resolve(&no_name, &ssh).await.unwrap_err().is_retriable());
}

#[cfg(unix)]
#[tokio::test]
async fn a_mistake_in_the_configuration_is_the_last_word() {
    if std::process::Command::new("ssh").arg("-V").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let ssh =
        SshEnvironment { config: Some(config.clone()), ssh_program: Some("ssh".into()), ..environment() };
    for text in ["HostNam h\n", "Port\n", "Port many\n", "Port 1 2\n", "Host \"a\n", "HostName %z\n"] {
        std::fs::write(&config, text).unwrap();
        let error = resolve(&"h".parse().unwrap(), &ssh).await.unwrap_err();
        assert!(matches!(error, TunnelError::HostOptions { .. }) && !error.is_retriable(), "{text}: {error}");
    }
}

/// The real `ssh` prints paths without their quotes.
#[cfg(unix)]
#[tokio::test]
async fn paths_with_blanks_come_through_the_real_ssh() {
    if std::process::Command::new("ssh").arg("-V").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    let config = format!(
        "Host blanks\n UserKnownHostsFile \"{}\" \"{}\"\n GlobalKnownHostsFile {}\n \
         RevokedHostKeys \"{}\"\n IdentityFile \"{}\"\nHost relative\n UserKnownHostsFile \"{}\" known\n\
         Host first\n UserKnownHostsFile known\n",
        text("a b/known"),
        text("c  d/known"),
        text("global"),
        text("a b/revoked"),
        text("a b/id"),
        text("a b/known")
    );
    std::fs::write(at("config"), config).unwrap();
    let ssh = SshEnvironment {
        config: Some(at("config")),
        ssh_program: Some("ssh".into()),
        home_ssh: at(".ssh"),
        ..SshEnvironment::default()
    };
    let asked = |host: &str| {
        let (target, ssh) = (host.parse().unwrap(), ssh.clone());
        async move { resolve(&target, &ssh).await }
    };
    let options = asked("blanks").await.unwrap();
    assert_eq!(options.user_known_hosts, [at("a b/known"), at("c  d/known")]);
    assert_eq!(options.global_known_hosts, [at("global")]);
    assert_eq!(
        (options.revoked_host_keys, &options.identity_files[0]),
        (Some(at("a b/revoked")), &at("a b/id"))
    );
    let error = asked("first").await.unwrap_err();
    assert!(matches!(error, TunnelError::HostOptions { .. }) && !error.is_retriable(), "{error}");
    assert!(error.to_string().contains("“known” is not absolute"), "{error}");
    std::fs::create_dir(at("a b")).unwrap();
    std::fs::write(at("a b/known"), "").unwrap();
    let error = asked("relative").await.unwrap_err();
    assert!(error.to_string().contains("may be several"), "{error}");
}

/// `Match exec` hands the names to a shell, so `ssh` must not see such a one: it looks at them by itself only since 9.6.
#[tokio::test]
async fn a_name_that_a_shell_would_run_never_reaches_ssh() {
    let ssh = SshEnvironment { ssh_program: Some("/nowhere/ssh".into()), ..environment() };
    let plain: SshTarget = "bob@h".parse().unwrap();
    assert!(resolve(&plain, &ssh).await.is_ok());
    for target in [
        SshTarget { host: "h;id".to_owned(), ..plain.clone() },
        SshTarget { user: Some("$(id)".to_owned()), ..plain.clone() },
        SshTarget { jump: Some("a,b|id@c".to_owned()), ..plain.clone() },
    ] {
        let error = resolve(&target, &ssh).await.unwrap_err();
        assert!(error.to_string().contains("characters in it that SSH does not allow there"), "{error}");
    }
}
