//! Registries as they are rented: Docker Hub, with a token server and a store of blobs under names of their own, and Nexus,
//! with all of it under a path. Real docker-registry behind a real nginx that has their names, in a hosts file of a
//! workstation's own; their own programs are not to be had here.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use dockline_model::{Code, LayerState, TransferState, TransferView};
use dockline_registry::sample;
use dockline_tests::lab::{
    self, Authority, Daemon, Dockline, Need, Outcome, TokenServer, Workstation, free_port, run,
};
use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

const NEEDS: &[Need] = &[
    Need::Root,
    Need::Registry,
    Need::Program("nginx"),
    Need::Program("htpasswd"),
    Need::Program("openssl"),
];
const SECRET: &str = "s3cret-7a1fe0c9";
const PATIENCE: Duration = Duration::from_secs(60);
const HUB: &str = "registry-1.docker.io";
const HUBS_TOKENS: &str = "auth.docker.io";
const HUBS_BLOBS: &str = "production.cloudflare.docker.com";
const NEXUS: &str = "nexus.boss.org";

/// A machine whose hosts file leads the houses' names to an nginx of ours.
struct Street {
    _workstation: Arc<Workstation>,
    folder: tempfile::TempDir,
    address: Ipv4Addr,
    authority: Authority,
    nginx: Option<Daemon>,
    registry: Option<Daemon>,
    dockline: Dockline,
}

impl Street {
    fn new(names: &[&str]) -> Self {
        let workstation = Workstation::start();
        let folder = tempfile::tempdir().unwrap();
        // One of this test's own, so that every house can be at port 443.
        static NEXT: AtomicU8 = AtomicU8::new(91);
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, NEXT.fetch_add(1, Ordering::Relaxed), high, low);
        let hosts = names.iter().map(|name| format!("{address} {name}\n")).collect::<String>();
        fs::write(workstation.hosts_path(), workstation.hosts() + &hosts).unwrap();
        let all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let authority = Authority::new(folder.path(), &all);
        let dockline = Dockline::on(&workstation).with_environment([
            ("DOCKLINE_LOG", "trace".into()),
            ("DOCKLINE_KEYRING", "off".into()),
            ("DOCKER_CONFIG", folder.path().join("docker").into_os_string()),
        ]);
        Self { _workstation: workstation, folder, address, authority, nginx: None, registry: None, dockline }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// docker-registry; its port.
    fn start_registry(&mut self, more: &str) -> u16 {
        let (port, storage) = (free_port(), self.path("storage"));
        fs::create_dir_all(&storage).unwrap();
        let settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n\
             http:\n  addr: 127.0.0.1:{port}\n{more}",
            storage.display()
        );
        fs::write(self.path("registry.yml"), settings).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(self.path("registry.yml"));
        let daemon = Daemon::spawn("docker-registry", command);
        daemon.wait_for_line("listening on", Duration::from_secs(20));
        self.registry = Some(daemon);
        port
    }

    /// nginx, with these `server` sections; `LISTEN` in them is where and with which certificate.
    fn start_nginx(&mut self, servers: &str) {
        let at = self.folder.path().display();
        let listen = format!(
            "listen {}:443 ssl; ssl_certificate {}; ssl_certificate_key {}; proxy_http_version 1.1; \
             proxy_request_buffering off; proxy_set_header Host $http_host; \
             proxy_set_header X-Forwarded-Proto https;",
            self.address,
            self.authority.server_certificate().display(),
            self.authority.server_key().display()
        );
        let settings = format!(
            "daemon off; user root; pid {at}/pid; error_log stderr notice; events {{}}\n\
             http {{ log_format told '$host $request_method $uri $status login=[$http_authorization] range=[$http_range]';\n\
             access_log {at}/log told; client_max_body_size 0; default_type application/octet-stream;\n\
             map $request_method $piece {{ PATCH 1; default ''; }}\n\
             limit_req_zone $piece zone=pieces:1m rate=2r/s;\n\
             client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
             {} }}\n",
            servers.replace("LISTEN", &listen)
        );
        fs::write(self.path("nginx.conf"), settings).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(self.folder.path()).arg("-c").arg(self.path("nginx.conf"));
        let nginx = Daemon::spawn("nginx", command);
        nginx.wait_for_line("start worker process", PATIENCE);
        self.nginx = Some(nginx);
    }

    fn log(&self) -> Vec<String> {
        fs::read_to_string(self.path("log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Whether a pull has noted some megabytes of a layer in its journal.
    fn has_journal_of_a_part(&self) -> bool {
        let is_journal = |path: &PathBuf| path.extension().is_some_and(|it| it == "part-journal");
        let files = fs::read_dir(self.folder.path()).unwrap().flatten().map(|entry| entry.path());
        let text: String =
            files.filter(is_journal).filter_map(|path| fs::read_to_string(path).ok()).collect();
        let noted = text.lines().filter_map(|line| line.split_once(' ')?.1.parse::<u64>().ok());
        noted.max().is_some_and(|bytes| bytes > 4_000_000)
    }

    fn add(&self, name: &str, url: &str) {
        let ca = self.authority.certificate().display().to_string();
        self.dockline.run(&["add", name, "--url", url, "--ca", &ca]).expect_success();
    }

    /// As `docker login` leaves it.
    fn log_in(&self, server: &str) {
        use base64::Engine as _;
        let auth = base64::prelude::BASE64_STANDARD.encode(format!("me:{SECRET}"));
        fs::create_dir_all(self.path("docker")).unwrap();
        let text = format!(r#"{{"auths":{{"{server}":{{"auth":"{auth}"}}}}}}"#);
        fs::write(self.path("docker/config.json"), text).unwrap();
    }

    fn push(&self, archive: &str, target: &str) -> TransferView {
        done(self.dockline.json(&["push", archive, target]))
    }
}

#[track_caller]
fn done(outcome: Outcome) -> TransferView {
    assert!(!outcome.stderr.contains(SECRET), "a secret is told");
    let view: TransferView = outcome.expect_success().read();
    assert!(matches!(view.state, TransferState::Done { .. }), "{:?}", view.state);
    view
}

fn small_image(folder: &Path) -> String {
    let path = folder.join("small.tar");
    sample::write_sample(&path).unwrap();
    path.display().to_string()
}

fn large_image(folder: &Path, bytes: u64) -> String {
    let path = folder.join("large.tar");
    lab::write_image(&path, "amd64", bytes);
    path.display().to_string()
}

/// Nothing that was sent to `host` had a login with it.
#[track_caller]
fn was_told_no_login(log: &[String], host: &str) {
    let there: Vec<&String> = log.iter().filter(|line| line.starts_with(&format!("{host} "))).collect();
    assert!(!there.is_empty(), "nobody was at {host}:\n{}", log.join("\n"));
    assert!(there.iter().all(|line| line.contains("login=[-]")), "{there:#?}");
}

#[test]
fn docker_hub_has_its_tokens_and_its_blobs_elsewhere() {
    if !lab::requires(NEEDS) {
        return;
    }
    let mut street = Street::new(&[HUB, HUBS_TOKENS, HUBS_BLOBS]);
    let tokens = TokenServer::start(
        street.folder.path(),
        &[("me", SECRET)],
        |user, repository| match (user, repository) {
            (Some("me"), _) => &["pull", "push"],
            (_, "library/app") => &["pull"],
            _ => &[],
        },
        300,
    );
    // The registry itself sends readers of blobs away, once they are let in.
    let auth = tokens.registry_settings_behind(&format!("https://{HUBS_TOKENS}/token"));
    let store = format!(
        "middleware: {{storage: [{{name: redirect, options: {{baseurl: 'https://{HUBS_BLOBS}/'}}}}]}}\n"
    );
    let port = street.start_registry(&(auth + &store));
    let storage = street.path("storage").display().to_string();
    street.start_nginx(&format!(
        "server {{ server_name {HUB}; LISTEN
           location = /v2/_catalog {{ return 404; }}
           location ~ ^/v2/me/plain/blobs/sha256 {{
             if ($request_method = GET) {{ return 307 http://{HUBS_BLOBS}/plain; }} proxy_pass http://127.0.0.1:{port}; }}
           location ~ ^/v2/me/ring/blobs/sha256 {{
             if ($request_method = GET) {{ return 307 https://{HUBS_BLOBS}/ring; }} proxy_pass http://127.0.0.1:{port}; }}
           location / {{ proxy_pass http://127.0.0.1:{port}; }} }}
         server {{ server_name {HUBS_TOKENS}; LISTEN location /token {{ proxy_pass http://{tokens}/auth; }} }}
         server {{ server_name {HUBS_BLOBS}; LISTEN
           # As S3: a second way in is an error.
           if ($http_authorization) {{ return 400; }}
           location /ring {{ return 307 https://{HUBS_BLOBS}/ring; }}
           location / {{ root {storage}; limit_rate 6m; }} }}",
        tokens = tokens.address(),
    ));
    street.add("docker.io", "https://docker.io");
    street.log_in("https://index.docker.io/v1/");
    let (dockline, image) = (&street.dockline, small_image(street.folder.path()));

    street.push(&image, "docker.io/app:v1");
    assert!(
        tokens.given().contains(&"me repository:library/app:pull,push".to_owned()),
        "{:?}",
        tokens.given()
    );
    assert!(street.path("storage/docker/registry/v2/repositories/library/app").is_dir());
    let view = street.push(&image, "docker.io/me/other:v1");
    let mounted = |state: &LayerState| *state == LayerState::Mounted { from: "app".to_owned() };
    assert!(view.layers.iter().all(|layer| mounted(&layer.state)), "{:?}", view.layers);
    let both = "me repository:me/other:pull,push repository:library/app:pull";
    assert!(tokens.given().contains(&both.to_owned()), "{:?}", tokens.given());
    assert_eq!(dockline.run(&["ls", "docker.io/app"]).expect_success().stdout, "v1\n");
    assert_eq!(dockline.json(&["ls", "docker.io"]).error().code, Code::CatalogueRefused);
    dockline.run(&["inspect", "docker.io/app:v1"]).expect_success();
    let back = |name: &str| street.path(name).display().to_string();
    done(dockline.json(&["pull", "docker.io/app:v1", "--output", &back("small-back.tar")]));
    was_told_no_login(&street.log(), HUBS_BLOBS);

    // Without TLS not even the question is sent, and a ring ends.
    for repository in ["plain", "ring"] {
        street.push(&image, &format!("docker.io/me/{repository}:v1"));
        let target = format!("docker.io/me/{repository}:v1");
        let error = dockline.json(&["pull", &target, "--output", &back(repository)]).error();
        assert_eq!(error.code, Code::RegistryFailed, "{error:?}");
        assert!(error.message.contains(HUBS_BLOBS), "{error:?}");
        assert!(!street.path(repository).exists());
    }

    // Killed in the middle of a layer: the store is asked for the rest of it alone.
    street.push(&large_image(street.folder.path(), 12_000_000), "docker.io/large:v1");
    let arguments = ["pull", "docker.io/large:v1", "--output", &back("large-back.tar")];
    let pull = Daemon::spawn("dockline pull", dockline.command(&arguments));
    let begin = Instant::now();
    while !street.has_journal_of_a_part() {
        assert!(begin.elapsed() < PATIENCE && pull.is_running(), "{}", pull.log());
        std::thread::yield_now();
    }
    pull.kill();
    done(dockline.json(&arguments));
    let log = street.log();
    assert!(
        log.iter().any(|line| line.starts_with(HUBS_BLOBS) && line.contains(" 206 login=[-] range=[bytes=")),
        "{}",
        log.join("\n")
    );
    was_told_no_login(&log, HUBS_BLOBS);

    // Nobody in particular may read what is official.
    fs::write(street.path("docker/config.json"), "{}").unwrap();
    done(dockline.json(&["pull", "docker.io/app:v1", "--output", &back("anonymous.tar")]));
    assert_eq!(
        dockline.json(&["pull", "docker.io/me/other:v1", "--output", &back("refused.tar")]).error().code,
        Code::RegistryAuth
    );
}

#[test]
fn nexus_has_its_registries_under_paths() {
    if !lab::requires(NEEDS) {
        return;
    }
    let mut street = Street::new(&[NEXUS]);
    fs::write(street.path("htpasswd"), run("htpasswd", &["-Bbn", "me", SECRET])).unwrap();
    let auth =
        format!("auth: {{htpasswd: {{realm: nexus, path: '{}'}}}}\n", street.path("htpasswd").display());
    let port = street.start_registry(&auth);
    street.start_nginx(&format!(
        "server {{ server_name {NEXUS}; LISTEN
           location /repository/docker/ {{
             # Whole requests, as Nexus takes them, and no more of a layer than some pieces a second.
             proxy_request_buffering on; limit_req zone=pieces burst=100;
             proxy_pass http://127.0.0.1:{port}/;
             proxy_redirect https://{NEXUS}/v2/ https://{NEXUS}/repository/docker/v2/; }}
           location / {{ default_type text/html; return 200 '<html>Sonatype Nexus Repository</html>'; }} }}"
    ));
    let dockline = &street.dockline;
    street.log_in(NEXUS);
    let image = small_image(street.folder.path());

    // The path was forgotten: that is what is said, and no login goes to a page.
    street.add(NEXUS, &format!("https://{NEXUS}"));
    let error = dockline.json(&["push", &image, &format!("{NEXUS}/team/app:v1")]).error();
    assert!(error.message.contains("web pages"), "{error:?}");
    was_told_no_login(&street.log(), NEXUS);
    dockline.run(&["remove", NEXUS, "--yes"]).expect_success();

    street.add(NEXUS, &format!("https://{NEXUS}/repository/docker"));
    street.push(&image, &format!("{NEXUS}/team/app:v1"));
    assert!(street.path("storage/docker/registry/v2/repositories/team/app").is_dir());
    let view = street.push(&image, &format!("{NEXUS}/other:v1"));
    assert!(view.layers.iter().all(|it| matches!(it.state, LayerState::Mounted { .. })), "{:?}", view.layers);
    assert_eq!(dockline.run(&["ls", NEXUS]).expect_success().stdout, "other\nteam/app\n");
    assert_eq!(dockline.run(&["ls", &format!("{NEXUS}/team/app")]).expect_success().stdout, "v1\n");
    let back = street.path("back.tar").display().to_string();
    done(dockline.json(&["pull", &format!("{NEXUS}/team/app:v1"), "--output", &back]));

    // Killed in the middle of a layer: what the registry has of it is not sent again.
    let large = large_image(street.folder.path(), 30_000_000);
    let target = format!("{NEXUS}/large:v1");
    let arguments = ["push", &large, &target];
    let push = Daemon::spawn("dockline push", dockline.command(&arguments));
    let is_piece =
        |line: &&String| line.contains(" PATCH /repository/docker/v2/large/") && line.contains(" 202 ");
    let journal = || -> Vec<Vec<u8>> {
        let files =
            fs::read_dir(dockline.home().join("state/pushes/uploads")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read(file.path()).ok()).collect()
    };
    // Six pieces are there, the first ones small, and the push has noted the sixth: registry 2.8 gives up an upload whose
    // last state nobody has.
    let (begin, mut before) = (Instant::now(), Vec::new());
    loop {
        assert!(begin.elapsed() < PATIENCE && push.is_running(), "{}", push.log());
        let now = journal();
        if street.log().iter().filter(is_piece).count() < 6 {
            before = now;
        } else if now != before {
            break;
        }
        std::thread::yield_now();
    }
    push.kill();
    let view = done(dockline.json(&arguments));
    // Without a tunnel no piece is above 4 MiB: more than 12 MB of the 30 are there.
    assert!(view.sent < 18_000_000, "{} bytes were sent again", view.sent);
    assert_eq!(dockline.run(&["ls", &format!("{NEXUS}/large")]).expect_success().stdout, "v1\n");
}
