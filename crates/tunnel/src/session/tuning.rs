//! The library's settings.
//!
//! Why it is tuned as it is:
//!
//! - The TCP stream is ours: `TCP_NODELAY`, keepalive and `TCP_USER_TIMEOUT`. The library's own keepalive cannot
//!   notice a dead path while uploads fill the socket; the kernel's timeout can, and [`pulse`](super::pulse) where there is no
//!   socket of ours (jump hosts, ProxyCommand).
//! - AES-GCM comes first where the processor does it in hardware: it is the fastest both sides have. ChaCha20 and
//!   encrypt-then-MAC are taken only with strict key exchange (CVE-2023-48795).
//! - Our side asks for new keys every 16 GiB, not every 1 GiB: RFC 4344 §3.2 allows 2^32 blocks, and nothing moves
//!   while keys are exchanged.
//! - A channel's receive window begins at 1 to 4 MiB, by the path's round trip, and grows while it bounds a download. No
//!   further: sshd reads ahead as much as the window allows, and copies its whole buffer for every 16 KiB that it grows
//!   by. It is granted as the program reads, so it bounds what we hold for a program that does not.

use super::host_key::HostKeyAlgorithms;
use russh::{Limits, Preferred, cipher, client, kex, mac};
use std::{borrow::Cow, time::Duration};

/// Nothing heard for this long: ask the server whether it is there.
pub(super) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
/// Unanswered questions before the session is given up: 3 × 3 s, within the 10 s a dead path may go unnoticed.
const KEEPALIVE_LIMIT: usize = 2;
/// The last resort, for a server that falls silent while somebody logs in: it is not listened for then. A server may have
/// to ask somebody else first (a push to a telephone), and sshd gives a login two minutes (`LoginGraceTime`).
pub(super) const INACTIVITY_TIMEOUT: Duration = Duration::from_secs(150);
/// The least receive window of a channel, in bytes.
const WINDOW: u32 = 1 << 20;
/// The largest: 1 Gbit/s over 250 ms.
const LARGEST_WINDOW: u32 = 32 << 20;
/// What all windows of a session may grow to together: the memory that programs which stop reading can cost.
const TOTAL_WINDOW: u32 = 64 << 20;
/// Bytes between key exchanges that we begin.
const REKEY_BYTES: u64 = 16 << 30;
/// No more often than this, whatever is configured: an exchange costs a round trip and a signature.
const LEAST_REKEY_BYTES: u64 = 1 << 20;
const REKEY_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The library's settings for a session whose host keys are wanted in the order of `host_keys`.
/// `rekey_bytes`: what the person's configuration says about new keys.
pub(super) fn client_config(
    host_keys: HostKeyAlgorithms,
    rekey_bytes: Option<u64>,
    keepalive: Option<Duration>,
    ciphers: &'static [cipher::Name],
) -> client::Config {
    let keepalive = keepalive.unwrap_or(KEEPALIVE_INTERVAL);
    let rekey_bytes = rekey_bytes.unwrap_or(REKEY_BYTES).max(LEAST_REKEY_BYTES);
    let rekey_bytes = usize::try_from(rekey_bytes).unwrap_or(1 << 30);
    client::Config {
        limits: Limits {
            rekey_write_limit: rekey_bytes,
            rekey_read_limit: rekey_bytes,
            rekey_time_limit: REKEY_TIME,
        },
        window_size: WINDOW,
        maximum_window_size: LARGEST_WINDOW,
        total_window_size: TOTAL_WINDOW,
        preferred: Preferred {
            kex: Cow::Borrowed(&[
                kex::MLKEM768X25519_SHA256,
                kex::CURVE25519,
                kex::CURVE25519_PRE_RFC_8731,
                kex::DH_GEX_SHA256,
                kex::DH_G18_SHA512,
                kex::DH_G16_SHA512,
                kex::DH_G14_SHA256,
                kex::EXTENSION_SUPPORT_AS_CLIENT,
                kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
            ]),
            key: Cow::Owned(host_keys.keys),
            host_key_certificates: Cow::Owned(host_keys.certificates),
            cipher: Cow::Borrowed(ciphers),
            mac: Cow::Borrowed(&[
                mac::HMAC_SHA256_ETM,
                mac::HMAC_SHA512_ETM,
                mac::HMAC_SHA256,
                mac::HMAC_SHA512,
            ]),
            compression: Cow::Borrowed(&[russh::compression::NONE]),
        },
        // An idle session has nothing but the answers to our questions in it.
        inactivity_timeout: Some(INACTIVITY_TIMEOUT.max(keepalive * 3)),
        keepalive_interval: Some(keepalive),
        keepalive_max: KEEPALIVE_LIMIT,
        nodelay: true,
        ..client::Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inactivity(keepalive: Option<u64>) -> Duration {
        let host_keys = HostKeyAlgorithms { keys: Vec::new(), certificates: Vec::new() };
        let keepalive = keepalive.map(Duration::from_secs);
        client_config(host_keys, None, keepalive, &[]).inactivity_timeout.unwrap()
    }

    #[test]
    fn a_login_may_take_as_long_as_sshd_lets_it() {
        let grace = Duration::from_secs(120);
        assert!(inactivity(None) > grace && inactivity(Some(1)) > grace);
    }

    #[test]
    fn a_session_is_asked_before_it_counts_as_inactive() {
        for seconds in [1, 30, 60, 300] {
            assert!(inactivity(Some(seconds)) > Duration::from_secs(2 * seconds), "{seconds}");
        }
    }
}
