//! Connections by the thousand, ended in every order, and made over a path that damages the handshake.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::LeaseHolder;
use dockline_tunnel::{Nobody, Tunnel};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{fs, io, net::SocketAddr, sync::Arc, time::Duration};
use support::{Lab, echo_server, is_idle, remote, round_trip, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::{Handle, Runtime},
    task::JoinHandle,
};

/// For everything that should take milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// One end of a carried connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Client = 0,
    Server = 1,
}

impl End {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What an end does next.
#[derive(Debug, Clone, Copy)]
enum Act {
    Write(usize),
    /// Ends its own direction. The other end must hear of it before anything else happens, if `heard`.
    Shutdown {
        heard: bool,
    },
    /// Waits until everything that was written to it is there.
    CatchUp,
}

fn acts() -> impl Strategy<Value = Vec<(End, Act)>> {
    let end = prop_oneof![Just(End::Client), Just(End::Server)];
    let act = prop_oneof![
        // Now and then more than sshd's window, 2 MiB.
        4 => prop_oneof![8 => 1..5_000_usize, 2 => 5_000..300_000_usize, 1 => 2_000_000..3_000_000_usize]
            .prop_map(Act::Write),
        2 => any::<bool>().prop_map(|heard| Act::Shutdown { heard }),
        1 => Just(Act::CatchUp),
    ];
    prop::collection::vec((end, act), 0..10)
}

/// How a connection is over after its acts.
#[derive(Debug, Clone, Copy)]
enum Over {
    /// Who has not ended its direction does so, this one first.
    Ended(End),
    /// This one resets.
    Reset(End),
}

/// What came to an end, and how that ended.
type Heard = (Vec<u8>, io::Result<()>);

/// An end at work: what it has written, and what it has heard once its peer has ended.
struct Side {
    to: Option<OwnedWriteHalf>,
    heard: JoinHandle<Heard>,
    arrived: tokio::sync::watch::Receiver<usize>,
    written: Vec<u8>,
}

impl Side {
    fn new(stream: TcpStream) -> Self {
        let (from, to) = stream.into_split();
        let (progress, arrived) = tokio::sync::watch::channel(0);
        Self { to: Some(to), heard: tokio::spawn(hear(from, progress)), arrived, written: Vec::new() }
    }

    async fn shutdown(&mut self) {
        if let Some(mut to) = self.to.take() {
            to.shutdown().await.unwrap();
            // Dropped, the half would do the same; it is kept so that only this ends it.
            to.forget();
        }
    }
}

async fn hear(mut from: OwnedReadHalf, progress: tokio::sync::watch::Sender<usize>) -> Heard {
    let mut all = Vec::new();
    loop {
        match from.read_buf(&mut all).await {
            Ok(0) => return (all, Ok(())),
            Ok(_) => progress.send_replace(all.len()),
            Err(error) => return (all, Err(error)),
        };
    }
}

/// Both ends of a connection go through `acts`; panics where one hears something else than the other said.
async fn play(address: SocketAddr, listener: &TcpListener, acts: Vec<(End, Act)>, over: Over) {
    let client = TcpStream::connect(address).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let mut sides = [Side::new(client), Side::new(server)];
    for (number, (end, act)) in acts.into_iter().enumerate() {
        let other = end.other() as usize;
        let mine = &mut sides[end as usize];
        match act {
            Act::Write(count) => {
                if let Some(to) = &mut mine.to {
                    let bytes: Vec<u8> = (0..count).map(|n| (n % 251 + number) as u8).collect();
                    to.write_all(&bytes).await.unwrap();
                    mine.written.extend(bytes);
                }
            }
            Act::Shutdown { heard } => {
                mine.shutdown().await;
                if heard {
                    // The handle's result is for later; that the task has ended is what counts here.
                    while !sides[other].heard.is_finished() {
                        tokio::task::yield_now().await;
                    }
                }
            }
            Act::CatchUp => {
                let wanted = sides[other].written.len();
                sides[end as usize].arrived.wait_for(|count| *count >= wanted).await.unwrap();
            }
        }
    }
    let [mut client, mut server] = sides;
    match over {
        Over::Ended(first) => {
            for end in [first, first.other()] {
                match end {
                    End::Client => client.shutdown().await,
                    End::Server => server.shutdown().await,
                }
            }
            for (heard, said) in [(client.heard, server.written), (server.heard, client.written)] {
                let (bytes, ended) = heard.await.unwrap();
                ended.unwrap();
                assert!(bytes == said, "{} bytes of {}", bytes.len(), said.len());
            }
        }
        Over::Reset(end) => {
            let (resets, stays) = match end {
                End::Client => (client, server),
                End::Server => (server, client),
            };
            // Both halves of the stream must go for the reset to be sent.
            resets.heard.abort();
            let _ = resets.heard.await;
            if let Some(to) = resets.to {
                to.as_ref().set_zero_linger().unwrap();
                to.forget();
            }
            // However it hears of it, it hears of it, and nothing that was not said.
            let (bytes, _) = stays.heard.await.unwrap();
            assert!(resets.written.starts_with(&bytes));
        }
    }
}

/// Ends of both directions are carried in every order, at once, and with everything that was said before.
#[test]
fn half_close_in_every_order() {
    need_sshd!();
    let runtime = Runtime::new().unwrap();
    let lab = Lab::new();
    let (sshd, tunnel, address, listener) = runtime.block_on(async {
        let sshd = lab.sshd("a", "").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = lab.config(&sshd, remote(listener.local_addr().unwrap())).await;
        let address = config.spec.listen();
        (sshd, Tunnel::start(config, Arc::new(Nobody)).await, address, listener)
    });
    let end = prop_oneof![Just(End::Client), Just(End::Server)];
    let over = (end, prop::bool::weighted(0.2))
        .prop_map(|(end, resets)| if resets { Over::Reset(end) } else { Over::Ended(end) });
    // Not made smaller: what a failed case has left behind would fail those after it.
    let config = Config { cases: 150, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(acts(), over), |(acts, over)| {
        runtime.block_on(async {
            tokio::time::timeout(PATIENCE, play(address, &listener, acts, over))
                .await
                .map_err(|_| TestCaseError::fail(format!("it hangs: {:?}", tunnel.view())))
        })
    });
    runtime.block_on(async {
        until(&tunnel, |view| view.leases.is_empty()).await;
        tunnel.stop().await;
    });
    drop(sshd);
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until no more is left than there was; connections take a moment to end at all their ends.
async fn until_left(what: &str, count: impl Fn() -> usize, before: usize) {
    let waiting = async {
        while count() > before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{} {what} where {before} were before", count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_leave_nothing_behind() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    // Once through, so that what is made once is there.
    round_trip(address, b"first").await.unwrap();
    tunnel.disconnect(true).await;
    until(&tunnel, is_idle).await;
    let (files, tasks_before) = (open_files(), tasks());

    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    for batch in 0..100_u32 {
        let connections = (0..100_u32).map(|number| async move {
            let said = [number as u8; 100];
            if number % 10 == 9 {
                // A program that is killed in the middle.
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_zero_linger().unwrap();
                stream.write_all(&said).await.unwrap();
                if batch % 2 == 0 {
                    stream.read_u8().await.unwrap();
                }
            } else {
                assert_eq!(round_trip(address, &said).await.unwrap(), said);
            }
        });
        futures::future::join_all(connections).await;
    }
    until(&tunnel, |view| view.leases.len() == 1).await;
    drop(lease);
    tunnel.disconnect(true).await;
    until(&tunnel, is_idle).await;
    until_left("tasks", tasks, tasks_before).await;
    until_left("open files", open_files, files).await;
    tunnel.stop().await;
}

/// sshd answers a client whose first bytes were lost in plain words, which are no packet. That is no reason to give up:
/// the connection that made the tunnel dial is carried by the next dial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_handshake_is_tried_again() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    let way = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, sshd_port) = (way.local_addr().unwrap().port(), sshd.port);
    config.spec.ssh.port = Some(port);
    lab.known_hosts(&sshd.known_hosts_line().replace(&sshd_port.to_string(), &port.to_string()));
    tokio::spawn(async move {
        let (mut damaged, _) = way.accept().await.unwrap();
        damaged.write_all(b"SSH-2.0-OpenSSH_9.2\r\nInvalid SSH identification string.\r\n").await.unwrap();
        while let Ok((mut stream, _)) = way.accept().await {
            let mut far = TcpStream::connect(("127.0.0.1", sshd_port)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut far).await });
        }
    });
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let carried = tokio::time::timeout(PATIENCE, round_trip(address, b"all the same")).await;
    assert_eq!(carried.unwrap().unwrap(), b"all the same", "{:?}", tunnel.view());
    tunnel.stop().await;
}
