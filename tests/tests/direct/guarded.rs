//! An engine behind a guard that lets no containers be made, as docker-socket-proxy is: its layers cannot be read by
//! themselves, so the image is exported, which can be read just once.

use super::{NEEDS, done};
use dockline_model::Road;
use dockline_tests::lab::{self, Daemon, Need, Workplace, free_port, unique_registry_name};
use std::{fs, path::Path, process::Command, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);

fn docker_registry(folder: &Path) -> (Daemon, u16) {
    let (port, storage) = (free_port(), folder.join("storage"));
    fs::create_dir_all(&storage).unwrap();
    let settings = format!(
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
        storage.display()
    );
    fs::write(folder.join("registry.yml"), settings).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(folder.join("registry.yml"));
    let daemon = Daemon::spawn("docker-registry", command);
    daemon.wait_for_line("listening on", PATIENCE);
    (daemon, port)
}

/// The guard before `engine`, at a socket of its own, and a proxy before the registry at `port` that takes ten megabytes
/// of a layer in pieces and knows nothing of it then: what was read at the beginning is gone by that time.
fn nginx(folder: &Path, engine: &str, port: u16) -> (Daemon, u16) {
    let (at, proxy) = (folder.display(), free_port());
    let engine = engine.strip_prefix("unix://").unwrap();
    let settings = format!(
        "daemon off; user root; pid {at}/pid; error_log stderr notice; events {{}}\n\
         http {{ log_format told '$request_method $uri $status'; access_log {at}/log told;\n\
         client_max_body_size 0; proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off;\n\
         client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;\n\
         fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
         map $request_method:$http_content_range $is_late {{ default 0; '~^PATCH:[1-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]' 1; }}\n\
         server {{ listen unix:{at}/docker.sock;\n\
         location ~ /containers/create {{ return 403; }}\n\
         location / {{ proxy_set_header Host docker; proxy_pass http://unix:{engine}:; }} }}\n\
         server {{ listen 127.0.0.1:{proxy};\n\
         location / {{ if ($is_late) {{ return 404; }}\n\
         proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:{port}; }} }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), settings).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    let nginx = Daemon::spawn("nginx", command);
    nginx.wait_for_line("start worker process", PATIENCE);
    (nginx, proxy)
}

#[test]
fn an_export_of_which_a_piece_is_refused_is_taken_again_and_goes_whole() {
    if !lab::requires(&[NEEDS, &[Need::Program("nginx")]].concat()) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let (_registry, port) = docker_registry(folder.path());
    let (_nginx, port) = nginx(folder.path(), &dockerd.endpoint(), port);
    let dockline = dockline.with_engine(format!("unix://{}", folder.path().join("docker.sock").display()));
    let name = unique_registry_name("cr");
    let address = format!("127.0.0.1:{port}");
    dockline.run(&["add", name.as_str(), "--url", &format!("http://{address}")]).expect_success();
    let id = dockerd.build_image("app:v1", &[30_000, 100]);

    let (view, _) = done(dockline.json(&["push", "app:v1", name.as_str(), "--direct"]));
    assert_eq!(view.road, Road::Direct);
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    let count = |wanted: fn(&str) -> bool| log.lines().filter(|line| wanted(line)).count();
    assert!(count(|line| line.ends_with("/containers/create 403")) > 0, "{log}");
    assert!(count(|line| line.starts_with("PATCH ") && line.ends_with(" 404")) > 0, "{log}");
    // The first is broken off.
    assert_eq!(count(|line| line.contains("/images/") && line.contains("/get ")), 2, "{log}");

    dockerd.run_docker(&["rmi", "--force", "app:v1"]);
    let pulled = format!("{address}/app:v1");
    dockerd.run_docker(&["pull", "--quiet", &pulled]);
    assert_eq!(dockerd.image_id(&pulled), Some(id));
}
