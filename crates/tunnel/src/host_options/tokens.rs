//! What stands for something else in the configuration: `%h`, `${NAME}` (ssh_config(5), TOKENS and ENVIRONMENT
//! VARIABLES). `ssh -G` fills them in for most keys, but not for files of keys and certificates.

use super::{HostOptions, local_user};
use crate::SshEnvironment;
use sha1::{Digest as _, Sha1};
use std::path::Path;

/// The name of a file of `IdentityFile` or `CertificateFile`. What the environment does not have stays as it is; `ssh`
/// ends there.
pub(super) fn of_file(value: &str, options: &HostOptions, ssh: &SshEnvironment) -> String {
    fill_in(value, |token| file_token(token, options, ssh), Some(&|name| std::env::var(name).ok()))
}

/// The same without variables, which not every name of a file may have in it.
pub(super) fn expand(value: &str, options: &HostOptions, ssh: &SshEnvironment) -> String {
    fill_in(value, |token| file_token(token, options, ssh), None)
}

/// `ProxyCommand` with its tokens filled in. Host and user came out of `ssh -G`, which refuses names that a shell
/// would read as more than a word. Variables are the shell's business, and `%` means the same inside of them.
pub(crate) fn proxy_command(command: &str, options: &HostOptions) -> String {
    fill_in(command, |token| connection_token(token, options), None)
}

/// The tokens that need no session.
fn file_token(token: char, options: &HostOptions, ssh: &SshEnvironment) -> Option<String> {
    match token {
        'C' => Some(connection_hash(options)),
        'd' => Some(ssh.home_ssh.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned()),
        'i' => Some(local_user_id()),
        'j' => Some(jump_host(options).to_owned()),
        'k' => Some(options.host_key_alias.clone().unwrap_or_else(|| options.alias.clone())),
        'L' => Some(machine().split('.').next().unwrap_or_default().to_owned()),
        'l' => Some(machine()),
        'u' => Some(local_user()),
        token => connection_token(token, options),
    }
}

/// `%h`, `%n`, `%p` and `%r`, which files of keys and `ProxyCommand` share.
fn connection_token(token: char, options: &HostOptions) -> Option<String> {
    match token {
        'h' => Some(options.host_name.clone()),
        'n' => Some(options.alias.clone()),
        'p' => Some(options.port.to_string()),
        'r' => Some(options.user.clone()),
        _ => None,
    }
}

/// Of `%l%h%p%r%j`; OpenSSH before 9.6 had no `%j`, which makes a difference only where there is a jump host.
fn connection_hash(options: &HostOptions) -> String {
    let mut hash = Sha1::new();
    for part in [&machine(), &options.host_name, &options.port.to_string(), &options.user, jump_host(options)]
    {
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name alone of the jump host that the host itself is reached from.
fn jump_host(options: &HostOptions) -> &str {
    let Some(hop) = options.jumps.last() else { return "" };
    let hop = hop.strip_prefix("ssh://").unwrap_or(hop);
    let place = hop.rsplit_once('@').map_or(hop, |(_, place)| place);
    match place.strip_prefix('[').and_then(|place| place.split_once(']')) {
        Some((address, _)) => address,
        None => place.rsplit_once(':').map_or(place, |(name, _)| name),
    }
}

#[cfg(unix)]
fn local_user_id() -> String {
    nix::unistd::getuid().to_string()
}

/// As Windows' own OpenSSH has it.
#[cfg(windows)]
fn local_user_id() -> String {
    "0".to_owned()
}

#[cfg(unix)]
fn machine() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(windows)]
fn machine() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// The value of a variable.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// From left to right; what is filled in is not looked at again. Where there are no variables, `$` is a character like
/// any other.
fn fill_in(value: &str, token: impl Fn(char) -> Option<String>, variable: Option<Variable<'_>>) -> String {
    let mut filled = String::new();
    let mut rest = value;
    while let Some(at) = rest.find(['%', '$']) {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let named = variable.zip(rest.strip_prefix("${").and_then(|after| after.split_once('}')));
        let (text, after) = if let Some((variable, (name, after))) = named {
            (variable(name), after)
        } else if let Some(after) = rest.strip_prefix("%%") {
            (Some("%".to_owned()), after)
        } else if let Some(letter) = rest.strip_prefix('%').and_then(|after| after.chars().next()) {
            (token(letter), &rest[1 + letter.len_utf8()..])
        } else {
            (None, &rest[1..])
        };
        let as_written = &rest[..rest.len() - after.len()];
        filled.push_str(text.as_deref().unwrap_or(as_written));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in_once_and_the_rest_stays() {
        let token = |token| (token == 'h').then(|| "${A}%h".to_owned());
        let variable = |name: &str| (name == "A").then(|| "%h".to_owned());
        let filled = |value| fill_in(value, token, Some(&variable));
        for (value, expected) in [
            ("/k/%h", "/k/${A}%h"),
            ("${A}/x${A}", "%h/x%h"),
            ("100%% %z %", "100% %z %"),
            ("${B}/${A", "${B}/${A"),
            ("$A $ é%é", "$A $ é%é"),
            ("", ""),
        ] {
            assert_eq!(filled(value), expected, "{value}");
        }
    }

    /// A `ProxyCommand` is for a shell, whose `${…}` may have tokens in it.
    #[test]
    fn where_variables_are_not_ours_tokens_inside_of_them_are_filled_in() {
        let token = |token| match token {
            'h' => Some("box".to_owned()),
            'p' => Some("22".to_owned()),
            _ => None,
        };
        for (value, expected) in [
            ("nc ${VIA:-%h} %p", "nc ${VIA:-box} 22"),
            ("h=%h; nc ${h%%%%.*} %p", "h=box; nc ${h%%.*} 22"),
            ("${h%%.*} ${%h", "${h%.*} ${box"),
            ("$%h$ ${A}", "$box$ ${A}"),
        ] {
            assert_eq!(fill_in(value, token, None), expected, "{value}");
        }
    }
}
