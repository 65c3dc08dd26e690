//! What hosts put up with, and what Dockline puts up with: limits, refusals, impatience, and a person who takes their
//! time.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Answer, Code, LeaseHolder, Question, RegistryName, TrafficLimits, TunnelState};
use dockline_tunnel::{Ask, Nobody, SecretId, Tunnel, TunnelConfig};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet,
    keys::{Algorithm, PrivateKey},
    server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey},
};
use secrecy::SecretString;
use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant, SystemTime},
};
use support::{Lab, Person, Sshd, echo_server, remote, round_trip, secret, until};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

/// Answers the first question only after the server has given up.
struct Slow {
    sshd: Arc<Sshd>,
    answer: Answer,
    asked: Mutex<Vec<Question>>,
}

#[async_trait::async_trait]
impl Ask for Slow {
    async fn ask(&self, _: &RegistryName, question: Question) -> Option<Answer> {
        self.asked.lock().unwrap().push(question);
        // The end of another's process is nothing that could be waited for; OpenSSH's log does not tell of it any more.
        while self.sshd.sessions() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(self.answer.clone())
    }
    async fn recall(&self, _: &SecretId) -> Option<SecretString> {
        None
    }
    async fn remember(&self, _: &SecretId, _: &SecretString) {}
    async fn forget(&self, _: &SecretId) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_wait_for_a_person_is_dialled_again() {
    need_sshd!();
    let lab = Lab::new();
    lab.keygen("locked", "ed25519", "open sesame");
    let sshd = Arc::new(lab.sshd("a", "LoginGraceTime 1").await);
    fs::copy(lab.path("locked.pub"), lab.path("a-authorized")).unwrap();
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("locked"));
    let answer = secret("open sesame", false);
    let slow = Arc::new(Slow { sshd: sshd.clone(), answer, asked: Mutex::default() });
    let tunnel = Tunnel::start(config, slow.clone()).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let mut views = tunnel.watch();
    let watching = tokio::spawn(async move {
        let mut states = Vec::new();
        while views.changed().await.is_ok() {
            states.push(views.borrow_and_update().state.clone());
        }
        states
    });
    tunnel.up(&lease).await.unwrap();
    assert_eq!(slow.asked.lock().unwrap().len(), 1, "nothing is asked twice");
    drop(lease);
    tunnel.stop().await;
    let states = watching.await.unwrap();
    assert!(!states.iter().any(|state| matches!(state, TunnelState::Reconnecting { .. })), "{states:?}");
}

async fn up(config: TunnelConfig) -> (Tunnel, dockline_tunnel::Lease) {
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    (tunnel, lease)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_key_is_judged_again_at_each_exchange_of_keys() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    fs::write(lab.path("config"), "RekeyLimit 1M\n").unwrap();
    let address = config.spec.listen();
    let (tunnel, _lease) = up(config).await;
    let data = vec![7; 3 << 20];
    // Whoever was trusted at the start needs nobody's trust again.
    lab.known_hosts("");
    assert_eq!(round_trip(address, &data).await.unwrap(), data);
    assert_eq!(sshd.logins(), 1);
    let line = sshd.known_hosts_line();
    lab.known_hosts(&format!("{line}@revoked {line}"));
    let cut = round_trip(address, &data).await;
    assert!(cut.is_err(), "a revoked key carries nothing on");
    let view = until(&tunnel, |view| matches!(view.state, TunnelState::Failed { .. })).await;
    let TunnelState::Failed { error } = view.state else { unreachable!() };
    assert_eq!(error.code, Code::HostKeyRevoked);
    tunnel.stop().await;
}

/// The figure says when a silent server is asked, not when it counts as gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_session_that_is_rarely_asked_lives_on() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.ssh.keepalive = Some(Duration::from_secs(60));
    let (tunnel, _lease) = up(config).await;
    let ended = until(&tunnel, |view| !matches!(view.state, TunnelState::Up { .. }));
    // Longer than a server may be silent that was asked as early as usual.
    let ended = tokio::time::timeout(Duration::from_millis(9_500), ended).await;
    assert!(ended.is_err(), "{:?}", ended.unwrap().state);
    assert_eq!(sshd.logins(), 1);
    tunnel.stop().await;
}

/// A server that says what OpenSSH's says who will not have somebody, and how often that was.
async fn turning_away(words: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let turned = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            turned.fetch_add(1, SeqCst);
            let _ = stream.write_all(words.as_bytes()).await;
        }
    });
    (address, count)
}

/// OpenSSH 9.8's sshd writes this line and hangs up while it enforces `PerSourcePenalties`; Debian 12 has 9.2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_turns_us_away_is_quoted_and_left_alone() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    let (away, count) = turning_away("Not allowed at this time\r\n").await;
    config.spec.ssh.port = Some(away.port());
    config.patience = Duration::ZERO;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.up(&lease).await.unwrap_err();
    assert!(error.message.contains("“Not allowed at this time”"), "{error:?}");
    assert!(error.hint.unwrap().contains("PerSourcePenalties"));
    // Programs that come meanwhile do not bring the next dial forward.
    let _program = TcpStream::connect(address).await.unwrap();
    let view = until(&tunnel, |view| view.leases.len() == 2).await;
    let TunnelState::Reconnecting { retry_at, .. } = view.state else { panic!("{:?}", view.state) };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    assert!(retry_at.0 > now + 500, "it is dialled again {} ms from now", retry_at.0.saturating_sub(now));
    assert_eq!(count.load(SeqCst), 1);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_limits_of_sshd_cost_no_connection() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "MaxSessions 1\nMaxStartups 1").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let data = vec![9; 200_000];
    let trips = (0..12).map(|_| round_trip(address, &data));
    for carried in futures::future::join_all(trips).await {
        assert_eq!(carried.unwrap(), data);
    }
    tunnel.stop().await;
}

/// A server with room for one channel in a session, which echoes.
struct Narrow {
    open: usize,
    most: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    failure: ChannelOpenFailure,
}

impl server::Handler for Narrow {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.open >= 1 {
            self.refused.fetch_add(1, SeqCst);
            reply.reject(self.failure.clone()).await;
        } else {
            self.open += 1;
            self.most.fetch_max(self.open, SeqCst);
            reply.accept().await;
        }
        Ok(())
    }

    async fn data(&mut self, id: ChannelId, data: &[u8], session: &mut Session) -> Result<(), russh::Error> {
        session.data(id, data.to_vec())
    }

    async fn channel_eof(&mut self, id: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        self.open -= 1;
        session.eof(id)?;
        session.close(id)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_channel_teaches_the_hosts_limit() {
    for failure in [ChannelOpenFailure::ResourceShortage, ChannelOpenFailure::AdministrativelyProhibited] {
        let lab = Lab::new();
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let public = key.public_key().to_openssh().unwrap();
        let server_config = Arc::new(server::Config {
            keys: vec![key],
            methods: MethodSet::from(&[MethodKind::PublicKey][..]),
            ..server::Config::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (most, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, told) = (most.clone(), refused.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let handler = Narrow {
                    open: 0,
                    most: counted.clone(),
                    refused: told.clone(),
                    failure: failure.clone(),
                };
                let config = server_config.clone();
                tokio::spawn(async move {
                    if let Ok(session) = server::run_stream(config, stream, handler).await {
                        let _ = session.await;
                    }
                });
            }
        });
        let mut config = lab.bare_config("127.0.0.1:1".parse().unwrap()).await;
        config.spec.ssh.port = Some(port);
        lab.known_hosts(&format!("[127.0.0.1]:{port} {public}\n"));
        // So that nothing but waiting is left.
        config.pool.sessions = 2;
        let address = config.spec.listen();
        let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
        let data = vec![3; 100_000];
        let trips = (0..8).map(|_| round_trip(address, &data));
        for carried in futures::future::join_all(trips).await {
            assert_eq!(carried.unwrap(), data);
        }
        assert_eq!(most.load(SeqCst), 1);
        let learnt = refused.load(SeqCst);
        assert!((1..=4).contains(&learnt), "{learnt} were refused: a limit that is known is kept");
        tunnel.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_for_all_connections_together_and_changes_under_them() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    for limits in
        [TrafficLimits { up: Some(1_000_000), down: None }, TrafficLimits { up: None, down: Some(1_000_000) }]
    {
        config.spec.limits = limits;
        let (address, spec) = (config.spec.listen(), config.spec.clone());
        let (tunnel, _lease) = up(config.clone()).await;
        let data = vec![5; 1_000_000];
        let begun = Instant::now();
        let (one, two) = tokio::join!(round_trip(address, &data), round_trip(address, &data));
        assert!(one.unwrap() == data && two.unwrap() == data);
        // Two megabytes at one a second, less the burst and what is in the buffers on the way.
        let took = begun.elapsed().as_secs_f64();
        assert!(took > 1.4, "{limits:?}: {took} s");
        tunnel.adjust(&dockline_model::RegistrySpec { limits: TrafficLimits::default(), ..spec });
        let begun = Instant::now();
        let more = vec![6; 20_000_000];
        assert!(round_trip(address, &more).await.unwrap() == more);
        assert!(begun.elapsed() < Duration::from_secs(15), "20 MB without a limit");
        tunnel.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_will_not_answer_is_not_asked_again() {
    need_sshd!();
    let lab = Lab::new();
    lab.keygen("locked", "ed25519", "open sesame");
    let sshd = lab.sshd("a", "").await;
    fs::copy(lab.path("locked.pub"), lab.path("a-authorized")).unwrap();
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("locked"));
    let person = Person::answering([]);
    let tunnel = Tunnel::start(config, person.clone()).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    assert_eq!(tunnel.up(&lease).await.unwrap_err().code, Code::SshAuth);
    assert_eq!(person.asked().len(), 1);
    tunnel.stop().await;
}
