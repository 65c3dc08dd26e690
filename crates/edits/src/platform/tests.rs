//! Each system's and each engine's files.

use super::*;

#[cfg(unix)]
#[test]
fn a_persons_own_links_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let home = base.join("home");
    for made in ["home", "dotfiles/docker"] {
        std::fs::create_dir_all(base.join(made)).unwrap();
    }
    symlink("../dotfiles/docker", home.join(".docker")).unwrap();
    let paths = Paths::user(&home, &home.join(".config"), &base);
    let intent = Intent::DaemonJson { daemon: Daemon::Desktop, insecure: Default::default() };
    assert_eq!(paths.file(&intent), base.join("dotfiles/docker/daemon.json"));
    symlink(base.join("kept.json"), base.join("dotfiles/docker/daemon.json")).unwrap();
    assert_eq!(paths.file(&intent), base.join("kept.json"), "a link to a file that is not there yet");
    // One that leads round in a circle is left for the writer to refuse.
    std::fs::remove_file(home.join(".docker")).unwrap();
    symlink(".docker", home.join(".docker")).unwrap();
    assert_eq!(paths.file(&intent), home.join(".docker/daemon.json"));
}

#[test]
fn each_system_has_its_hosts_file() {
    let none = |_: &str| None;
    assert_eq!(hosts_file(Platform::Linux, none), Path::new("/etc/hosts"));
    // macOS's /etc is a link, and no link is followed.
    assert_eq!(hosts_file(Platform::MacOs, none), Path::new("/private/etc/hosts"));
    assert_eq!(
        hosts_file(Platform::Windows, |name| (name == "SystemRoot").then(|| r"D:\Win".into())),
        Path::new(r"D:\Win\System32\drivers\etc\hosts")
    );
    assert_eq!(hosts_file(Platform::Windows, none), Path::new(r"C:\Windows\System32\drivers\etc\hosts"));
}

#[test]
fn the_journal_is_where_administrators_alone_write() {
    let none = |_: &str| None;
    assert_eq!(journal_folder(Platform::Linux, none), Path::new("/var/lib/dockline/journal"));
    assert_eq!(journal_folder(Platform::Windows, none), Path::new(r"C:\ProgramData\Dockline\journal"));
    assert_eq!(Paths::beside(Path::new("/tmp/x/hosts")).journal, Path::new("/tmp/x/hosts.dockline-journal"));
}

/// The table of engines and files, row by row; docs/platforms.md has the sources.
#[test]
fn each_engine_has_its_files() {
    let linux = Paths::user(Path::new("/h"), Path::new("/h/.config"), Path::new("/s"));
    let linux = Paths { platform: Platform::Linux, root: "/".into(), ..linux };
    let mac = Paths { platform: Platform::MacOs, ..linux.clone() };
    let windows = Paths { platform: Platform::Windows, root: "C:/".into(), ..linux.clone() };
    let daemon = |daemon| Intent::DaemonJson { daemon, insecure: [].into() };
    let authority: Authority = "cr.boss.org:5000".parse().unwrap();
    let certificate =
        |folder| Intent::RegistryCertificate { folder, authority: authority.clone(), certificate: None };
    let trust =
        |store| Intent::SystemTrust { store, name: "cr.boss.org".parse().unwrap(), certificate: None };
    let rancher = Intent::RancherProvisioning { insecure: [].into() };
    for (paths, intent, file) in [
        (&linux, daemon(Daemon::Native), "/etc/docker/daemon.json"),
        (&linux, daemon(Daemon::Rootless), "/h/.config/docker/daemon.json"),
        (&mac, daemon(Daemon::Desktop), "/h/.docker/daemon.json"),
        (&mac, daemon(Daemon::OrbStack), "/h/.orbstack/config/docker.json"),
        (&windows, daemon(Daemon::Windows), "C:/ProgramData/docker/config/daemon.json"),
        (&linux, certificate(CertificateFolder::Docker), "/etc/docker/certs.d/cr.boss.org:5000/ca.crt"),
        (
            &windows,
            certificate(CertificateFolder::Docker),
            "C:/ProgramData/docker/certs.d/cr.boss.org5000/ca.crt",
        ),
        (
            &linux,
            certificate(CertificateFolder::DockerRootless),
            "/h/.config/docker/certs.d/cr.boss.org:5000/ca.crt",
        ),
        (&mac, certificate(CertificateFolder::DockerDesktop), "/h/.docker/certs.d/cr.boss.org:5000/ca.crt"),
        (&linux, certificate(CertificateFolder::Podman), "/etc/containers/certs.d/cr.boss.org:5000/ca.crt"),
        (
            &linux,
            certificate(CertificateFolder::PodmanRootless),
            "/h/.config/containers/certs.d/cr.boss.org:5000/ca.crt",
        ),
        (
            &linux,
            Intent::RegistryHosts {
                folder: CertificateFolder::Docker,
                authority: authority.clone(),
                address: None,
            },
            "/etc/docker/certs.d/cr.boss.org:5000/hosts.toml",
        ),
        (&linux, trust(TrustStore::Debian), "/usr/local/share/ca-certificates/dockline-cr.boss.org.crt"),
        (&linux, trust(TrustStore::Fedora), "/etc/pki/ca-trust/source/anchors/dockline-cr.boss.org.pem"),
        (
            &linux,
            trust(TrustStore::Arch),
            "/etc/ca-certificates/trust-source/anchors/dockline-cr.boss.org.crt",
        ),
        (
            &mac,
            trust(TrustStore::MacOs),
            "/Library/Application Support/Dockline/certificates/cr.boss.org.pem",
        ),
        (&windows, trust(TrustStore::Windows), "C:/ProgramData/Dockline/certificates/cr.boss.org.pem"),
        (
            &linux,
            Intent::RegistriesConf { scope: Scope::System, insecure: [].into() },
            "/etc/containers/registries.conf.d/dockline.conf",
        ),
        (
            &linux,
            Intent::RegistriesConf { scope: Scope::User, insecure: [].into() },
            "/h/.config/containers/registries.conf.d/dockline.conf",
        ),
        (&mac, Intent::BuilderConfig { registries: [].into() }, "/h/.docker/buildx/buildkitd.default.toml"),
        (
            &mac,
            Intent::ColimaYaml { profile: "default".into(), insecure: [].into() },
            "/h/.colima/default/colima.yaml",
        ),
        (&linux, rancher.clone(), "/h/.local/share/rancher-desktop/lima/_config/override.yaml"),
        (&mac, rancher.clone(), "/h/Library/Application Support/rancher-desktop/lima/_config/override.yaml"),
        (&windows, rancher, "/h/AppData/Local/rancher-desktop/provisioning/dockline.start"),
    ] {
        assert_eq!(paths.file(&intent), Path::new(file), "{}", intent.id());
    }
    let told = Paths { daemon_json: Some("/x/d.json".into()), ..linux };
    assert_eq!(told.file(&daemon(Daemon::Native)), Path::new("/x/d.json"));
}

#[cfg(unix)]
#[test]
fn the_snaps_settings_are_those_of_its_revision() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let snap = base.join("var/snap/docker");
    std::fs::create_dir_all(&snap).unwrap();
    let paths = Paths { root: base.clone(), ..Paths::system() };
    let intent = Intent::DaemonJson { daemon: Daemon::Snap, insecure: [].into() };
    for (target, folder) in [
        (None, Some("current")),
        (Some("2932"), Some("2932")),
        (Some("x1"), Some("x1")),
        (Some("../../etc"), None),
        (Some("/etc"), None),
        (Some("x"), None),
        (Some("2932/.."), None),
        (Some("common"), None),
    ] {
        if let Some(target) = target {
            drop(std::fs::remove_file(snap.join("current")));
            symlink(target, snap.join("current")).unwrap();
        }
        let file = snap.join(folder.unwrap_or("current")).join("config/daemon.json");
        assert_eq!(paths.file(&intent), file, "{target:?}");
        assert_eq!(paths.objection(&intent).is_none(), folder.is_some(), "{target:?}");
    }
}

#[test]
fn colimas_home_is_found_as_colima_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let (home, config) = (base.join("home"), base.join("home/.config"));
    std::fs::create_dir_all(&config).unwrap();
    let user = Paths::user(&home, &config, &base);
    let intent = Intent::ColimaYaml { profile: "work".into(), insecure: [].into() };
    let file = |platform| Paths { platform, ..user.clone() }.file(&intent);
    // There is none yet: where it would make one.
    assert_eq!(file(Platform::Linux), config.join("colima/work/colima.yaml"));
    assert_eq!(file(Platform::MacOs), home.join(".colima/work/colima.yaml"));
    std::fs::create_dir(config.join("colima")).unwrap();
    assert_eq!(file(Platform::MacOs), config.join("colima/work/colima.yaml"));
    // One in the home folder wins, and what the engine's socket tells wins over all.
    std::fs::create_dir(home.join(".colima")).unwrap();
    assert_eq!(file(Platform::Linux), home.join(".colima/work/colima.yaml"));
    assert_eq!(file(Platform::MacOs), home.join(".colima/work/colima.yaml"));
    let told = Paths { colima: Some(base.join("told")), ..user };
    assert_eq!(told.file(&intent), base.join("told/work/colima.yaml"));
}

#[test]
fn no_path_of_macos_leads_through_its_links() {
    let mac = Paths { platform: Platform::MacOs, root: "/".into(), ..Paths::system() };
    let podman = Intent::RegistriesConf { scope: Scope::System, insecure: [].into() };
    let docker = Intent::DaemonJson { daemon: Daemon::Native, insecure: [].into() };
    let certificate = |folder| Intent::RegistryCertificate {
        folder,
        authority: "cr.boss.org:5000".parse().unwrap(),
        certificate: None,
    };
    for intent in
        [podman, docker, certificate(CertificateFolder::Docker), certificate(CertificateFolder::Podman)]
    {
        assert!(mac.file(&intent).starts_with("/private/etc"), "{}", mac.file(&intent).display());
    }
    // A stand-in for the system's files has no such link.
    let stand_in = Paths { root: "/s".into(), ..mac };
    assert_eq!(
        stand_in.file(&certificate(CertificateFolder::Docker)),
        Path::new("/s/etc/docker/certs.d/cr.boss.org:5000/ca.crt")
    );
}

#[test]
fn the_machines_own_journal_is_told_apart() {
    assert!(Paths::system().journal_is_system());
    // An engine that was told of another daemon.json does not make it another journal.
    let told = Paths { daemon_json: Some("/x/d.json".into()), ..Paths::system() };
    assert!(told.journal_is_system() && !told.are_system());
    assert!(!Paths::beside(Path::new("/tmp/x/hosts")).journal_is_system());
    assert!(!Paths::user(Path::new("/h"), Path::new("/h/.config"), Path::new("/s")).journal_is_system());
}
