//! The extended attributes of a file, which go over to the one that takes its place. (On Linux the access list and the
//! SELinux label are among them.)

use crate::Platform;
use rustix::io::Errno;
use std::{fs::File, io};

/// A Linux attribute list and value are at most this long (xattr(7)); macOS's hosts file has none as long.
const LIMIT: usize = 64 * 1024;

/// Gives `new` the attributes of `old`.
pub fn copy(old: &File, new: &File) -> io::Result<()> {
    let mut names = vec![0u8; LIMIT];
    let length = match rustix::fs::flistxattr(old, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    };
    let mut value = vec![0u8; LIMIT];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if is_the_systems(Platform::current(), name) {
            continue;
        }
        let length = rustix::fs::fgetxattr(old, name, &mut value[..])?;
        match rustix::fs::fsetxattr(new, name, &value[..length], rustix::fs::XattrFlags::empty()) {
            Ok(()) => {}
            Err(errno) if may_be_left_out(Platform::current(), name, errno) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// macOS 13 and later note in this one which program wrote a file, and let nobody else do so.
fn is_the_systems(platform: Platform, name: &[u8]) -> bool {
    platform == Platform::MacOs && name == b"com.apple.provenance"
}

/// Whether the file may do without an attribute that could not be set. On macOS those of the system's own say nothing
/// about access (that is in the mode and the access list); anywhere else one may be a label that keeps others out.
fn may_be_left_out(platform: Platform, name: &[u8], errno: Errno) -> bool {
    platform == Platform::MacOs
        && name.starts_with(b"com.apple.")
        && matches!(errno, Errno::PERM | Errno::ACCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_macos_keeps_to_itself_does_not_end_a_change() {
        use Platform::{Linux, MacOs};
        assert!(is_the_systems(MacOs, b"com.apple.provenance"));
        assert!(!is_the_systems(MacOs, b"com.apple.quarantine"));
        assert!(!is_the_systems(Linux, b"com.apple.provenance"));
        for (platform, name, errno, may) in [
            (MacOs, "com.apple.macl", Errno::PERM, true),
            (MacOs, "com.apple.macl", Errno::ACCESS, true),
            (MacOs, "com.apple.macl", Errno::NOSPC, false),
            (MacOs, "org.example.label", Errno::PERM, false),
            (Linux, "com.apple.macl", Errno::PERM, false),
            (Linux, "security.selinux", Errno::PERM, false),
        ] {
            assert_eq!(may_be_left_out(platform, name.as_bytes(), errno), may, "{name} {errno:?}");
        }
    }
}
