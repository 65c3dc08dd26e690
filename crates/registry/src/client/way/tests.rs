//! Tests of [`super`].

use super::*;
use crate::Credentials;
use async_trait::async_trait;
use dockline_model::UiError;
use std::{net::SocketAddr, path::PathBuf, sync::Mutex};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

#[derive(Debug)]
struct Me;

#[async_trait]
impl crate::CredentialSource for Me {
    async fn find(&self) -> Result<Option<Credentials>, UiError> {
        Ok(Some(Credentials { user: "me".to_owned(), secret: "s3cret".into() }))
    }

    async fn ask(&self, _: bool) -> Result<Option<Credentials>, UiError> {
        Ok(None)
    }

    async fn accepted(&self, _: &Credentials) {}
}

/// What one connection began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Tls,
    Question,
    Login,
}

/// Speaks plain HTTP alone and wants a login, as whoever sits in the registry's place would.
async fn plain_registry() -> (SocketAddr, Arc<Mutex<Vec<Heard>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let all = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let all = all.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..read]).to_ascii_lowercase();
                    let (what, answer) = if buffer[0] == 0x16 {
                        (Heard::Tls, "400 Bad Request")
                    } else if text.contains("authorization: basic") {
                        (Heard::Login, "200 OK")
                    } else {
                        (Heard::Question, "401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\"")
                    };
                    all.lock().unwrap().push(what);
                    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).await.is_err() || what == Heard::Tls {
                        return;
                    }
                }
            });
        }
    });
    (address, heard)
}

fn config(address: SocketAddr) -> ClientConfig {
    ClientConfig { credentials: Some(Arc::new(Me)), ..ClientConfig::new(address, "cr.boss.org:5000") }
}

#[tokio::test]
async fn on_the_hosts_loopback_plain_http_is_the_first_that_is_tried() {
    let (address, heard) = plain_registry().await;
    Client::new(config(address)).unwrap().ping().await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [Heard::Question, Heard::Login]);
}

#[tokio::test]
async fn whoever_takes_the_place_of_a_registry_with_tls_is_told_no_password() {
    let (address, heard) = plain_registry().await;
    let spoken = SpokenTls::default();
    let before = Way::new(&ClientConfig { spoken_tls: spoken.clone(), ..config(address) }).unwrap();
    before.has_answered(&"http://127.0.0.1/v2/".parse().unwrap());
    assert!(!spoken.is_known(), "plain HTTP is no TLS");
    before.has_answered(&"https://cr.boss.org/v2/".parse().unwrap());
    let config = ClientConfig { spoken_tls: spoken.clone(), ..config(address) };
    let error = Client::new(config).unwrap().ping().await.unwrap_err();
    assert!(error.to_string().contains("has spoken TLS before"), "{error}");
    assert!(heard.lock().unwrap().iter().all(|what| *what == Heard::Tls), "{heard:?}");
}

#[test]
fn a_lost_question_beside_an_answer_in_tls_makes_no_plain_registry() {
    let way = Way::new(&config(([127, 0, 0, 1], 9).into())).unwrap();
    way.speak_tls(&config(([127, 0, 0, 1], 9).into())).unwrap();
    way.speak_plain();
    assert!(!way.is_tls());
    way.has_answered(&"https://cr.boss.org/v2/".parse().unwrap());
    assert!(way.is_tls());
    way.speak_plain();
    assert!(way.is_tls());
}

#[tokio::test]
async fn a_question_that_is_asked_again_goes_as_the_registry_speaks_now() {
    let (address, heard) = plain_registry().await;
    let client = Client::new(config(address)).unwrap();
    let made = client.get(client.url("/v2/"));
    client.way.speak_tls(&client.config).unwrap();
    client.way.has_answered(&"https://cr.boss.org/v2/".parse().unwrap());
    client.send(crate::Operation::Ping, made).await.unwrap_err();
    assert!(heard.lock().unwrap().iter().all(|what| *what == Heard::Tls), "{heard:?}");
}

#[test]
fn whoever_has_certificates_for_a_registry_expects_tls_of_it() {
    let path = || PathBuf::from("ca.crt");
    let none = tls::TlsFiles::default();
    assert!(!none.is_set());
    assert!(tls::TlsFiles { authority: Some(path()), ..none.clone() }.is_set());
    let dockers = tls::TlsFiles { more_authorities: vec![path()], ..none.clone() };
    assert!(!dockers.is_set(), "the folder may be left over");
    assert!(tls::TlsFiles { identity: Some((path(), path())), ..none }.is_set());
}

#[test]
fn docker_hub_has_names_of_its_own() {
    let config = |url: &str| ClientConfig {
        url: Some(url.parse().unwrap()),
        ..ClientConfig::new(([127, 0, 0, 1], 9).into(), "docker.io")
    };
    let hub = Client::new(config("https://docker.io")).unwrap();
    for (path, there) in [
        ("/v2/", "/v2/"),
        ("/v2/app/manifests/v1", "/v2/library/app/manifests/v1"),
        ("/v2/app/blobs/uploads/", "/v2/library/app/blobs/uploads/"),
        ("/v2/me/app/tags/list?n=1", "/v2/me/app/tags/list?n=1"),
        ("/v2/me/blobs/app/manifests/v1", "/v2/me/blobs/app/manifests/v1"),
    ] {
        assert_eq!(hub.url(path).as_str(), format!("https://registry-1.docker.io{there}"));
    }
    let nexus = Client::new(config("https://n.org:8443/repository/docker")).unwrap();
    assert_eq!(
        nexus.url("/v2/app/tags/list").as_str(),
        "https://n.org:8443/repository/docker/v2/app/tags/list"
    );
}
