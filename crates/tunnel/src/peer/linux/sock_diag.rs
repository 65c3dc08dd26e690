//! One question to the kernel over netlink: who has the socket with these two ends? (sock_diag(7))

use super::{super::PeerError, Row};
use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET, AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, SocketId, StateFlags},
};
use netlink_sys::{Socket, protocols::NETLINK_SOCK_DIAG};
use std::{io, net::SocketAddr};

const ASKING: &str = "sock_diag";
/// `INET_DIAG_NOCOOKIE`: any socket with these ends (linux/inet_diag.h).
const ANY: [u8; 8] = [0xff; 8];

/// The socket whose own end is `own` and whose other end is `far`, of this network namespace.
pub(super) fn socket(own: SocketAddr, far: SocketAddr) -> Result<Option<Row>, PeerError> {
    let failed = |source| PeerError::Ask { asking: ASKING, source };
    let id = SocketId {
        source_port: own.port(),
        destination_port: far.port(),
        // A socket of the IPv6 kind that is connected to an IPv4 address is found among IPv4's.
        source_address: own.ip().to_canonical(),
        destination_address: far.ip().to_canonical(),
        interface_id: 0,
        cookie: ANY,
    };
    let request = InetRequest {
        family: if id.source_address.is_ipv4() { AF_INET } else { AF_INET6 },
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: id,
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);

    let socket = Socket::new(NETLINK_SOCK_DIAG).map_err(failed)?;
    // The kernel puts its answer into the queue before the sending returns, so nothing is ever waited for.
    socket.set_non_blocking(true).map_err(failed)?;
    socket.send(&bytes, 0).map_err(failed)?;
    // What is asked for is 72 bytes and a few attributes.
    let mut answer = Vec::with_capacity(4096);
    let (_, sender) = socket.recv_from(&mut answer, 0).map_err(failed)?;
    if sender.port_number() != 0 {
        // Not the kernel: another program.
        return Err(PeerError::Answer { asking: ASKING });
    }
    read(&answer, own, far)
}

/// Reads the answer to a question for one socket.
fn read(answer: &[u8], own: SocketAddr, far: SocketAddr) -> Result<Option<Row>, PeerError> {
    let unreadable = |_| PeerError::Answer { asking: ASKING };
    let message = NetlinkMessage::<SockDiagMessage>::deserialize(answer).map_err(unreadable)?;
    match message.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
            let header = response.header;
            let end = |address: std::net::IpAddr, port| SocketAddr::new(address.to_canonical(), port);
            let is = |ours: SocketAddr, theirs| end(ours.ip(), ours.port()) == theirs;
            // Without such a connection the kernel answers with whoever listens at `own`.
            let same = is(own, end(header.socket_id.source_address, header.socket_id.source_port))
                && is(far, end(header.socket_id.destination_address, header.socket_id.destination_port));
            Ok(same.then(|| Row { uid: header.uid, inode: header.inode.into() }))
        }
        NetlinkPayload::Error(error) => {
            let source = error.to_io();
            if source.kind() == io::ErrorKind::NotFound {
                Ok(None)
            } else {
                Err(PeerError::Ask { asking: ASKING, source })
            }
        }
        // The library may add kinds.
        NetlinkPayload::InnerMessage(_)
        | NetlinkPayload::Done(_)
        | NetlinkPayload::Noop
        | NetlinkPayload::Overrun(_)
        | _ => Err(PeerError::Answer { asking: ASKING }),
    }
}
