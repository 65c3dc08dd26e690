//! The reverse direction against real sshd: a port of the host's loopback leads to a registry of this machine.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use dockline_model::{Code, OfferId, OfferSpec, OfferState, OfferView, SshTarget};
use dockline_tunnel::{Nobody, Offer, OfferConfig};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use support::{Lab, Sshd, echo_server, free_port, round_trip, user};
use tokio::net::{TcpListener, TcpStream};

/// `to` is to appear at a free port, which comes back too. Host and client are one machine here.
async fn config(lab: &Lab, sshd: &Sshd, to: SocketAddr) -> (OfferConfig, SocketAddr) {
    let known_hosts = lab.known_hosts(&sshd.known_hosts_line());
    let ssh: SshTarget = format!("{}@127.0.0.1:{}", user(), sshd.port).parse().unwrap();
    let ssh = SshTarget { identity: Some(lab.path("id")), ..ssh };
    let port = free_port().await;
    let config = OfferConfig {
        id: OfferId(1),
        spec: OfferSpec { ssh, port, to },
        name: "cr.test".parse().unwrap(),
        ssh: lab.environment(&known_hosts),
    };
    (config, ([127, 0, 0, 1], port).into())
}

/// An offer that has been asked for.
async fn offered(lab: &Lab, sshd: &Sshd, to: SocketAddr) -> (Offer, SocketAddr) {
    let (config, there) = config(lab, sshd, to).await;
    (Offer::start(config, Arc::new(Nobody)), there)
}

async fn until(offer: &Offer, wanted: impl Fn(&OfferView) -> bool) -> OfferView {
    let mut views = offer.watch();
    let waiting = tokio::time::timeout(Duration::from_secs(20), views.wait_for(|view| wanted(view)));
    match waiting.await {
        Ok(view) => view.unwrap().clone(),
        Err(_) => panic!("the offer stayed at {:?}", offer.view()),
    }
}

fn is_offering(view: &OfferView) -> bool {
    matches!(view.state, OfferState::Offering { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_of_this_machine_appears_on_the_host_and_leaves_nothing_behind() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let (offer, there) = offered(&lab, &sshd, echo_server().await).await;
    offer.ready().await.unwrap();
    let data: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    let (one, two) = tokio::join!(round_trip(there, &data), round_trip(there, b"beside it"));
    assert!(one.unwrap() == data && two.unwrap() == b"beside it");
    let view = until(&offer, |view| view.connections == 0 && view.bytes_up >= 3_000_000).await;
    assert_eq!((view.bytes_up, view.bytes_down), (3_000_009, 3_000_009));

    let mut open = TcpStream::connect(there).await.unwrap();
    until(&offer, |view| view.connections == 1).await;
    offer.stop().await;
    let mut byte = [0];
    let cut = tokio::io::AsyncReadExt::read(&mut open, &mut byte).await;
    assert!(matches!(cut, Ok(0) | Err(_)), "a connection does not outlive the offer");
    assert!(TcpStream::connect(there).await.is_err(), "the host listens no more");
    while sshd.sessions() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_may_not_listen_says_so() {
    need_sshd!();
    let lab = Lab::new();
    let key = std::fs::read_to_string(lab.path("id.pub")).unwrap();
    let authorized = format!("restrict,port-forwarding,permitlisten=\"127.0.0.1:1\" {key}");
    let sshd = lab.sshd_for("a", "", &authorized).await;
    let (offer, there) = offered(&lab, &sshd, echo_server().await).await;
    let error = offer.ready().await.unwrap_err();
    assert_eq!(error.code, Code::ForwardForbidden);
    assert!(error.hint.unwrap().contains(&format!("permitlisten=\"{there}\"")));
    assert!(matches!(offer.view().state, OfferState::Failed { .. }));
    offer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_listened_at_is_enough() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let (config, there) = config(&lab, &sshd, echo_server().await).await;
    let key = std::fs::read_to_string(lab.path("id.pub")).unwrap();
    let authorized =
        format!("restrict,port-forwarding,permitopen=\"127.0.0.1:1\",permitlisten=\"{there}\" {key}");
    std::fs::write(lab.path("a-authorized"), authorized).unwrap();
    let offer = Offer::start(config, Arc::new(Nobody));
    offer.ready().await.unwrap();
    assert_eq!(round_trip(there, b"allowed").await.unwrap(), b"allowed");
    offer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_on_the_host_is_named() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let (config, there) = config(&lab, &sshd, echo_server().await).await;
    let _taken = TcpListener::bind(there).await.unwrap();
    let offer = Offer::start(config, Arc::new(Nobody));
    let error = offer.ready().await.unwrap_err();
    assert_eq!(error.code, Code::PortInUse);
    assert!(error.message.contains(&there.to_string()), "{}", error.message);
    offer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_session_is_dialled_again() {
    need_sshd!();
    let lab = Lab::new();
    let mut sshd = lab.sshd("a", "").await;
    let (offer, there) = offered(&lab, &sshd, echo_server().await).await;
    offer.ready().await.unwrap();
    sshd.kill().await;
    until(&offer, |view| matches!(view.state, OfferState::Reconnecting { .. })).await;
    sshd.start().await;
    until(&offer, is_offering).await;
    assert_eq!(round_trip(there, b"again").await.unwrap(), b"again");
    offer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offered_registry_that_is_not_there_is_said_and_refused() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let absent: SocketAddr = ([127, 0, 0, 1], free_port().await).into();
    let (offer, there) = offered(&lab, &sshd, absent).await;
    offer.ready().await.unwrap();
    assert!(round_trip(there, b"?").await.map_or(true, |answer| answer.is_empty()));
    let error = until(&offer, |view| view.error.is_some()).await.error.unwrap();
    assert_eq!(error.code, Code::RegistryUnreachable);
    assert!(error.message.contains(&absent.to_string()), "{}", error.message);
    let registry = TcpListener::bind(absent).await.unwrap();
    let _visitor = TcpStream::connect(there).await.unwrap();
    registry.accept().await.unwrap();
    until(&offer, |view| view.error.is_none() && is_offering(view)).await;
    offer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handle_that_is_dropped_takes_the_offer_back() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let (offer, there) = offered(&lab, &sshd, echo_server().await).await;
    offer.ready().await.unwrap();
    let mut views = offer.watch();
    drop(offer);
    // The task lets go of the view at its end.
    while views.changed().await.is_ok() {}
    assert!(TcpStream::connect(there).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_goes_through_a_jump_host() {
    need_sshd!();
    let lab = Lab::new();
    let (gate, sshd) = (lab.sshd("gate", "").await, lab.sshd("a", "").await);
    let (mut config, there) = config(&lab, &sshd, echo_server().await).await;
    lab.known_hosts(&(gate.known_hosts_line() + &sshd.known_hosts_line()));
    std::fs::write(lab.path("config"), format!("IdentityFile {}\n", lab.path("id").display())).unwrap();
    config.spec.ssh.jump = Some(format!("{}@127.0.0.1:{}", user(), gate.port));
    let offer = Offer::start(config, Arc::new(Nobody));
    offer.ready().await.unwrap();
    assert_eq!(round_trip(there, b"through the gate").await.unwrap(), b"through the gate");
    assert_eq!((gate.logins(), sshd.logins()), (1, 1));
    // The gate's end is the offer's, until there is a gate again.
    gate.kill_sessions();
    until(&offer, |view| !is_offering(view)).await;
    until(&offer, is_offering).await;
    assert_eq!(round_trip(there, b"again").await.unwrap(), b"again");
    offer.stop().await;
    assert!(TcpStream::connect(there).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_at_any_port_leaves_one_that_is_taken() {
    need_sshd!();
    let lab = Lab::new();
    let mut sshd = lab.sshd("a", "").await;
    let (config, first) = config(&lab, &sshd, echo_server().await).await;
    let _first = TcpListener::bind(first).await.unwrap();
    let offer = Offer::start_at_any(config, 61_000..=u16::MAX, Arc::new(Nobody));
    offer.ready().await.unwrap();
    let second: SocketAddr = ([127, 0, 0, 1], offer.view().spec.port).into();
    assert_ne!(second, first);
    sshd.kill().await;
    // The killed session holds it until its process is gone.
    let taken = async {
        loop {
            match TcpListener::bind(second).await {
                Ok(listener) => return listener,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let _second = tokio::time::timeout(Duration::from_secs(20), taken).await.unwrap();
    sshd.start().await;
    until(&offer, |view| is_offering(view) && view.spec.port != second.port()).await;
    let third: SocketAddr = ([127, 0, 0, 1], offer.view().spec.port).into();
    assert_eq!(round_trip(third, b"again").await.unwrap(), b"again");
    offer.stop().await;
}
