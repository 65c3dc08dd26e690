//! A real browser with a page that wants to write to the registry: through a plain forward it does, through ours it
//! does not even make the tunnel open.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_tunnel::{AccessRules, Nobody, Tunnel, TunnelConfig};
use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{Lab, is_idle, remote};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    process::Command,
    sync::mpsc,
};

/// Everything a page can do without asking anybody, to each of the places it is given; it says when it is through.
const PAGE: &str = r#"<!doctype html><meta charset=utf-8><iframe name=frame></iframe><script>
const places = PLACES;
const loaded = (element) => new Promise((resolve) => { element.onload = element.onerror = resolve; });
async function attack(place) {
  const uploads = place + "/v2/a/blobs/uploads/";
  const quiet = (promise) => promise.catch(() => {});
  await quiet(fetch(uploads + "?by=fetch", { method: "POST", mode: "no-cors", body: "x" }));
  await quiet(fetch(uploads + "?by=preflight", { method: "PUT", headers: { "X-Mine": "1" }, body: "x" }));
  navigator.sendBeacon(uploads + "?by=beacon", "x");
  const image = new Image();
  const shown = loaded(image);
  image.src = place + "/v2/?by=image";
  await shown;
  const socket = new WebSocket(place.replace("http", "ws") + "/v2/?by=socket");
  await new Promise((resolve) => { socket.onerror = socket.onclose = socket.onopen = resolve; });
  const form = document.createElement("form");
  Object.assign(form, { method: "POST", action: uploads + "?by=form", target: "frame" });
  document.body.append(form);
  const frame = document.querySelector("iframe");
  const answered = loaded(frame);
  form.submit();
  await answered;
  const again = loaded(frame);
  frame.src = place + "/v2/?by=visit";
  await again;
}
(async () => {
  for (const place of places) await attack(place);
  await fetch("/done");
})();
</script>"#;

/// A server that notes the first line of each request and accepts it. What it noted comes back.
async fn registry() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let noted = noted.clone();
            tokio::spawn(async move {
                let mut head = vec![0; 8192];
                let length = stream.read(&mut head).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&head[..length]).into_owned();
                noted.lock().unwrap().push(text.lines().next().unwrap_or_default().to_owned());
                let _ = stream
                    .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .await;
            });
        }
    });
    (address, seen)
}

/// The page's own server; a message comes when the page is through.
async fn page(places: &[String]) -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = PAGE.replace("PLACES", &format!("{places:?}"));
    let (done, through) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (page, done) = (page.clone(), done.clone());
            tokio::spawn(async move {
                let mut head = vec![0; 8192];
                let length = stream.read(&mut head).await.unwrap_or(0);
                if head[..length].starts_with(b"GET /done") {
                    let _ = done.send(());
                }
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (address, through)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_in_chromium_writes_through_a_plain_forward_and_not_through_ours() {
    need_sshd!();
    if !std::path::Path::new("/usr/bin/chromium").exists() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "chromium is missing; CI must have it");
        eprintln!("*** SKIPPED: chromium is missing; install it to run this test");
        return;
    }
    let lab = Lab::new();
    let (far, seen) = registry().await;
    let guarded_host = lab.sshd("guarded", "").await;
    let guarded =
        TunnelConfig { access: AccessRules::default(), ..lab.config(&guarded_host, remote(far)).await };
    let port = guarded.spec.port;
    let guarded = Tunnel::start(guarded, Arc::new(Nobody)).await;
    let open_host = lab.sshd("open", "").await;
    let open = lab.config(&open_host, remote(far)).await;
    let open_port = open.spec.port;
    let open = Tunnel::start(open, Arc::new(Nobody)).await;

    let places = [
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        // As a name of the hosts file, and as a page's own name that was made to lead to us.
        format!("http://cr.test:{port}"),
        format!("http://evil.test:{port}"),
    ];
    let (address, mut through) = page(&places).await;
    let browse = async |address: SocketAddr, through: &mut mpsc::UnboundedReceiver<()>| {
        let _browser = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-breakpad"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg("--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")
            .arg(format!("--user-data-dir={}", lab.path("browser").display()))
            .arg(format!("http://{address}/"))
            .env("HOME", lab.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        tokio::time::timeout(Duration::from_secs(60), through.recv()).await.unwrap().unwrap();
    };
    browse(address, &mut through).await;
    assert_eq!(seen.lock().unwrap()[..], [] as [String; 0], "through ours");
    assert!(is_idle(&guarded.view()), "{:?}", guarded.view());
    assert_eq!(guarded_host.logins(), 0);
    guarded.stop().await;

    // The same page does get through where nobody looks, so it was not the page that failed.
    let (address, mut through) = page(&[format!("http://127.0.0.1:{open_port}")]).await;
    browse(address, &mut through).await;
    let seen = seen.lock().unwrap().join("\n");
    for way in ["fetch", "beacon", "form"] {
        assert!(seen.contains(&format!("POST /v2/a/blobs/uploads/?by={way}")), "{way}: {seen}");
    }
    for way in ["image", "socket", "visit"] {
        assert!(seen.contains(&format!("GET /v2/?by={way}")), "{way}: {seen}");
    }
    open.stop().await;
}
