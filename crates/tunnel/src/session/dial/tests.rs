//! A server without strict key exchange, dialled by a machine that would rather have ChaCha20.

use super::*;
use crate::ask::Nobody;
use russh::{
    Preferred, kex,
    keys::{Algorithm, PrivateKey},
    server::{self, Auth},
};
use std::{borrow::Cow, path::Path};
use tokio::net::TcpListener;

struct Open;

impl server::Handler for Open {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }
}

/// The port of one that has these ciphers; its key is known in `folder`.
async fn old_server(folder: &Path, ciphers: &'static [cipher::Name]) -> u16 {
    let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
    let public = key.public_key().to_openssh().unwrap();
    let config = Arc::new(server::Config {
        keys: vec![key],
        preferred: Preferred {
            kex: Cow::Borrowed(&[kex::CURVE25519]),
            cipher: Cow::Borrowed(ciphers),
            ..Preferred::default()
        },
        ..server::Config::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    std::fs::write(folder.join("known_hosts"), format!("[127.0.0.1]:{port} {public}\n")).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let config = config.clone();
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, stream, Open).await {
                    let _ = session.await;
                }
            });
        }
    });
    port
}

fn dialer(folder: &Path, port: u16) -> Dialer {
    let ssh = SshEnvironment {
        home_ssh: folder.join("ssh"),
        known_hosts: vec![folder.join("known_hosts")],
        ..SshEnvironment::default()
    };
    let target = format!("u@127.0.0.1:{port}").parse().unwrap();
    let surroundings = Arc::new(Surroundings::new());
    Dialer::new("a.b".parse().unwrap(), target, ssh, Arc::new(Nobody), surroundings, Arc::default())
        .without_aes()
}

#[tokio::test]
async fn gcm_is_taken_where_chacha20_would_be_weak() {
    let folder = tempfile::tempdir().unwrap();
    let port = old_server(folder.path(), &[cipher::CHACHA20_POLY1305, cipher::AES_256_GCM]).await;
    let dialer = dialer(folder.path(), port);
    dialer.dial(false).await.unwrap().close().await;
    assert!(dialer.must_be_gcm.load(Ordering::Relaxed));
    dialer.dial(false).await.unwrap().close().await;
}

#[tokio::test]
async fn a_server_with_nothing_better_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let port = old_server(folder.path(), &[cipher::CHACHA20_POLY1305]).await;
    let Err(error) = dialer(folder.path(), port).dial(false).await else { panic!("it was taken") };
    assert!(matches!(error, TunnelError::WeakAlgorithm { .. }), "{error}");
}
