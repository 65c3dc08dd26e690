//! Each fault, and that nothing else changes what passes.

use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PATIENCE: Duration = Duration::from_secs(10);

/// Both ends of a connection through a relay.
async fn connected(relay: &Relay, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let near = TcpStream::connect(relay.address()).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    (near, far)
}

async fn relay() -> (Relay, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let relay = Relay::start(listener.local_addr().unwrap()).await.unwrap();
    (relay, listener)
}

async fn read_all(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it ends")?;
    Ok(all)
}

async fn nothing_comes(stream: &mut TcpStream) {
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut byte)).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn a_plain_relay_carries_everything_and_both_ends() {
    let (relay, listener) = relay().await;
    let (mut near, mut far) = connected(&relay, &listener).await;
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut from_near, mut to_far) = near.split();
    let sending = async {
        to_far.write_all(&sent).await.unwrap();
        to_far.shutdown().await.unwrap();
    };
    let ((), received) = tokio::join!(sending, async { read_all(&mut far).await.unwrap() });
    assert!(received == sent);
    // The other way is open still.
    far.write_all(b"thanks").await.unwrap();
    far.shutdown().await.unwrap();
    let mut answer = Vec::new();
    from_near.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"thanks");
    relay.open().wait_for(|open| *open == 0).await.unwrap();
    assert_eq!((relay.carried(Way::Up), relay.carried(Way::Down)), (3_000_000, 6));
}

#[tokio::test]
async fn a_delay_delays_and_does_not_limit() {
    let (relay, listener) = relay().await;
    let (mut near, mut far) = connected(&relay, &listener).await;
    relay.set_links(Link::new(Duration::from_millis(30), Some(125_000_000)));
    let began = Instant::now();
    near.write_all(b"x").await.unwrap();
    far.read_u8().await.unwrap();
    far.write_all(b"x").await.unwrap();
    near.read_u8().await.unwrap();
    let round_trip = began.elapsed();
    assert!(round_trip >= Duration::from_millis(60), "{round_trip:?}");

    // Twelve megabytes are 96 ms of the link; waiting for each other's answers they would take seconds.
    let began = Instant::now();
    let sending = async {
        near.write_all(&vec![7; 12_000_000]).await.unwrap();
        near.shutdown().await.unwrap();
    };
    let ((), received) = tokio::join!(sending, async { read_all(&mut far).await.unwrap() });
    assert_eq!(received.len(), 12_000_000);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(126), "{took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn all_connections_share_the_rate() {
    let (relay, listener) = relay().await;
    let (mut first, mut first_far) = connected(&relay, &listener).await;
    let (mut second, mut second_far) = connected(&relay, &listener).await;
    relay.set_links(Link::new(Duration::ZERO, Some(2_000_000)));
    let began = Instant::now();
    let send = async |stream: &mut TcpStream| {
        stream.write_all(&[7; 250_000]).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let ((), (), one, two) = tokio::join!(
        send(&mut first),
        send(&mut second),
        read_all(&mut first_far),
        read_all(&mut second_far)
    );
    assert_eq!((one.unwrap().len(), two.unwrap().len()), (250_000, 250_000));
    // Half a megabyte at two a second.
    assert!(began.elapsed() >= Duration::from_millis(245), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_stall_loses_nothing_and_hits_later_connections_too() {
    let (relay, listener) = relay().await;
    let (mut near, mut far) = connected(&relay, &listener).await;
    relay.inflict(Fault::Stall);
    near.write_all(b"late").await.unwrap();
    near.shutdown().await.unwrap();
    nothing_comes(&mut far).await;
    let (mut later, mut later_far) = connected(&relay, &listener).await;
    later_far.write_all(b"later").await.unwrap();
    later_far.shutdown().await.unwrap();
    nothing_comes(&mut later).await;
    relay.mend();
    assert_eq!(read_all(&mut far).await.unwrap(), b"late");
    assert_eq!(read_all(&mut later).await.unwrap(), b"later");
}

#[tokio::test]
async fn what_is_swallowed_is_gone() {
    let (relay, listener) = relay().await;
    let (mut near, mut far) = connected(&relay, &listener).await;
    relay.arm(Trigger::connection(Way::Up, 3), Fault::Swallow, Scope::Connection);
    // Connections from before are not meant.
    near.write_all(b"whole").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(read_all(&mut far).await.unwrap(), b"whole");
    let (mut near, mut far) = connected(&relay, &listener).await;
    near.write_all(b"whole").await.unwrap();
    relay.struck().wait_for(|count| *count == 1).await.unwrap();
    near.shutdown().await.unwrap();
    let mut some = [0; 3];
    far.read_exact(&mut some).await.unwrap();
    assert_eq!(&some, b"who");
    nothing_comes(&mut far).await;
    relay.mend();
    assert_eq!(read_all(&mut far).await.unwrap(), b"");
    assert!(!relay.disarm());
}

#[tokio::test]
async fn a_reset_is_one_at_both_ends_at_the_byte_it_was_set_to() {
    let (relay, listener) = relay().await;
    let (mut near, mut far) = connected(&relay, &listener).await;
    near.write_all(b"before").await.unwrap();
    far.read_exact(&mut [0; 6]).await.unwrap();
    relay.arm(Trigger::total(Way::Down, 0), Fault::Reset, Scope::Path);
    far.write_all(b"x").await.unwrap();
    for stream in [&mut near, &mut far] {
        assert_eq!(read_all(stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    relay.open().wait_for(|open| *open == 0).await.unwrap();
    assert_eq!(relay.carried(Way::Down), 0);
}

#[tokio::test]
async fn a_connection_can_be_reset_before_its_first_byte() {
    let (relay, listener) = relay().await;
    relay.arm(Trigger::connection(Way::Up, 0), Fault::Reset, Scope::Connection);
    let (mut near, mut far) = connected(&relay, &listener).await;
    for stream in [&mut near, &mut far] {
        assert_eq!(read_all(stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    // Once is once.
    let (mut near, mut far) = connected(&relay, &listener).await;
    near.write_all(b"x").await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), b'x');
}

#[tokio::test]
async fn a_truncated_connection_ends_cleanly_at_the_byte() {
    let (relay, listener) = relay().await;
    relay.arm(Trigger::connection(Way::Up, 4), Fault::Truncate, Scope::Connection);
    let (mut near, mut far) = connected(&relay, &listener).await;
    near.write_all(b"truncated").await.unwrap();
    assert_eq!(read_all(&mut far).await.unwrap(), b"trun");
    assert_eq!(read_all(&mut near).await.unwrap(), b"");
    drop((near, far));
    relay.open().wait_for(|open| *open == 0).await.unwrap();
}

#[tokio::test]
async fn resets_and_refusals_of_the_ends_are_passed_on() {
    let (relay, listener) = relay().await;
    let (near, mut far) = connected(&relay, &listener).await;
    near.set_zero_linger().unwrap();
    drop(near);
    assert_eq!(read_all(&mut far).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    drop(listener);
    let mut near = TcpStream::connect(relay.address()).await.unwrap();
    assert_eq!(read_all(&mut near).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}
