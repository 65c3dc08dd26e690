//! A registry whose names, histories and messages would take over a terminal: nothing of that gets there.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod home;

use home::{Home, Ran};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::{Command, Stdio},
    thread,
};

/// Renames the window, clears the screen (as 7 and as 8 bits), turns what follows.
const ORDERS: &str = "\x1b]0;owned\x07\x1b[2J\u{9b}2J\u{202e}";

fn digest(content: &str) -> String {
    let mut sum = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    sum.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    let output = sum.wait_with_output().unwrap();
    format!("sha256:{}", String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap())
}

/// Serves one image, `app:v1`, until the test ends. Returns its address.
fn registry() -> String {
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux",
        "config": { "Entrypoint": [format!("/run{ORDERS}")], "User": format!("me{ORDERS}") },
        "rootfs": { "type": "layers", "diff_ids": [digest("layer")] },
        "history": [{ "created_by": format!("RUN one\n{ORDERS}two") }],
    })
    .to_string();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(&config), "size": config.len() },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest("layer"), "size": 5 }],
    })
    .to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(asked) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let path = asked.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
            let tags = serde_json::json!({ "name": "app", "tags": [format!("v1{ORDERS}")] }).to_string();
            let names = serde_json::json!({ "repositories": [format!("app{ORDERS}")] }).to_string();
            let refusal = serde_json::json!({ "errors": [{
                "code": "DENIED", "message": format!("no{ORDERS}"), "detail": format!("because{ORDERS}"),
            }] })
            .to_string();
            let (status, kind, body) = match path.as_str() {
                "/v2/" => ("200 OK", "application/json", "{}"),
                "/v2/_catalog" => ("200 OK", "application/json", names.as_str()),
                "/v2/app/tags/list" => ("200 OK", "application/json", tags.as_str()),
                "/v2/bad/tags/list" => ("403 Forbidden", "application/json", refusal.as_str()),
                path if path.starts_with("/v2/app/manifests/") => {
                    ("200 OK", "application/vnd.oci.image.manifest.v1+json", manifest.as_str())
                }
                path if path.starts_with("/v2/app/blobs/") => {
                    ("200 OK", "application/octet-stream", config.as_str())
                }
                _ => ("404 Not Found", "application/json", "{}"),
            };
            let sent = if asked.starts_with("HEAD") { "" } else { body };
            // Whoever has asked may have gone.
            drop(write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nDocker-Content-Digest: {}\r\n\
                 Connection: close\r\n\r\n{sent}",
                body.len(),
                digest(body)
            ));
        }
    });
    address
}

#[track_caller]
fn expect_harmless(ran: &Ran) {
    for (what, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        let order = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(order, None, "{} of dockline {}:\n{text:?}", what, ran.what);
    }
}

#[test]
fn nothing_from_a_registry_orders_a_terminal_about() {
    let home = Home::new();
    let url = format!("http://{}", registry());
    home.run(&["add", "evil.boss.example", "--url", &url]).expect(0);
    for (arguments, status, shown) in [
        (&["ls", "evil.boss.example/app"][..], 0, "v1␛]0;owned␇␛[2J"),
        (&["inspect", "evil.boss.example/app:v1"], 0, "RUN one␊␛]0;owned␇"),
        (&["ls", "evil.boss.example/bad"], 8, "no␛]0;owned␇"),
    ] {
        let ran = home.run(arguments).expect(status);
        expect_harmless(&ran);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(shown), "{}\n{}", ran.stdout, ran.stderr);
        let json = home.run(&[arguments, &["--json"]].concat()).expect(status);
        expect_harmless(&json);
        assert!(json.last_json().to_string().contains("2J"), "{}", json.stdout);
    }
    expect_harmless(&home.run(&["ls", "evil.boss.example"]).expect(0));
    let json = home.run(&["ls", "evil.boss.example/app", "--json"]).expect(0);
    assert_eq!(json.last_json()["tag"], format!("v1{ORDERS}"), "a program gets the name as it is");
}
