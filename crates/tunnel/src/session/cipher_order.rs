//! Which cipher is wanted first: the one this machine is fast at.

use russh::cipher::{self, Name};

/// With AES in hardware, GCM is several times as fast as anything else both sides have, and a 128-bit key is enough.
const WITH_AES: &[Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_128_CTR,
];

/// Without, ChaCha20 is, and AES in software is slow; it stays for servers that have no ChaCha20.
const WITHOUT_AES: &[Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::AES_256_CTR,
    cipher::AES_128_CTR,
];

/// Most wanted first.
pub(super) const fn order(has_aes: bool) -> &'static [Name] {
    if has_aes { WITH_AES } else { WITHOUT_AES }
}

/// Whether the processor has instructions for AES and for GCM's multiplication both; one alone is not fast.
pub(super) fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        std::arch::is_x86_feature_detected!("aes") && std::arch::is_x86_feature_detected!("pclmulqdq")
    }
    #[cfg(target_arch = "aarch64")]
    {
        std::arch::is_aarch64_feature_detected!("aes") && std::arch::is_aarch64_feature_detected!("pmull")
    }
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_cipher_comes_first_and_none_is_lost() {
        assert_eq!(order(true)[0], cipher::AES_128_GCM);
        assert_eq!(order(false)[0], cipher::CHACHA20_POLY1305);
        assert!(order(true).iter().all(|name| order(false).contains(name)));
        assert_eq!(order(true).len(), order(false).len());
    }
}
