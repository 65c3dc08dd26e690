//! Which names may be handed to `ssh`: it puts them into shell commands (`Match exec` with `%h`, `%n` and `%r`), and
//! those of before OpenSSH 9.6 do not look at them first.

use dockline_model::SshTarget;

/// What a shell would read as more than a word (`ssh_valid_hostname` and `ssh_valid_ruser` of OpenSSH). A user may have
/// `$` and, for a Windows domain, `\` in the name; a comma stands between jump hosts.
const NOT_IN_A_HOST: &str = "'`\"$\\;&<>|(){},";
const NOT_IN_A_USER: &str = "'`\";&<>|(){}";

/// Whether all names of the target may be handed to `ssh`.
pub(super) fn are_plain(target: &SshTarget) -> bool {
    is_plain_hop(target) && target.jump.as_deref().is_none_or(are_plain_hops)
}

fn are_plain_hops(jump: &str) -> bool {
    !jump.contains(char::is_whitespace)
        && jump.split(',').all(|hop| hop.parse::<SshTarget>().is_ok_and(|hop| is_plain_hop(&hop)))
}

fn is_plain_hop(target: &SshTarget) -> bool {
    is_plain(&target.host, NOT_IN_A_HOST)
        && target.user.as_deref().is_none_or(|user| is_plain(user, NOT_IN_A_USER) && !user.ends_with('\\'))
}

/// Blanks are OpenSSH's to allow in a user's name, and nobody has them. What begins with `-` is an option.
fn is_plain(text: &str, forbidden: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || forbidden.contains(c);
    !text.is_empty() && !text.starts_with('-') && !text.contains(is_bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, user: Option<&str>, jump: Option<&str>) -> SshTarget {
        let mut target: SshTarget = "h".parse().unwrap();
        target.host = host.to_owned();
        target.user = user.map(str::to_owned);
        target.jump = jump.map(str::to_owned);
        target
    }

    #[test]
    fn names_that_people_have_are_taken() {
        for host in ["h", "10.0.0.1", "::1", "[::1]", "fe80::1%eth0", "my_host-2.example.org", "büro"] {
            assert!(are_plain(&target(host, None, None)), "{host}");
        }
        for user in ["bob", r"DOMAIN\bob", "bob@example.org", "machine$", "a.b-c_d+e"] {
            assert!(are_plain(&target("h", Some(user), None)), "{user}");
        }
        for jump in ["none", "a", "a,b", "bob@a:2222,[::1]:22", r"ssh://D\bob@a:22/", "fe80::1%eth0"] {
            assert!(are_plain(&target("h", None, Some(jump))), "{jump}");
        }
    }

    #[test]
    fn what_a_shell_or_ssh_would_take_for_more_is_refused() {
        for bad in [
            "",
            "-oProxyCommand=id",
            "a b",
            "a\nb",
            "a;id",
            "a|id",
            "a&id",
            "`id`",
            "$(id)",
            "a<b",
            "a>b",
            "'a",
            "\"a",
            "{a}",
            "a\\",
        ] {
            assert!(!are_plain(&target(bad, None, None)), "host {bad:?}");
            assert!(!are_plain(&target("h", Some(bad), None)), "user {bad:?}");
            for jump in [bad.to_owned(), format!("a,{bad}"), format!("{bad}@a,b"), format!("ssh://{bad}:22")]
            {
                assert!(!are_plain(&target("h", None, Some(&jump))), "jump {jump:?}");
            }
        }
        for host in ["$HOME", "a\\b", "a,b"] {
            assert!(!are_plain(&target(host, None, None)), "{host}");
        }
    }
}
