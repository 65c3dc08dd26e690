//! The languages that the system is set to.

/// Names of languages as the system writes them, the preferred one first, separated by colons; empty if it has none.
#[cfg(target_os = "linux")]
pub fn preferred() -> String {
    // setlocale(3): the first of these variables that is set; `LANGUAGE` is GNU's list of preferences.
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default()
}

/// Names of languages as the system writes them, the preferred one first, separated by colons; empty if it has none.
///
/// Programs that are started by a click have none of Unix' variables: the system itself is asked.
#[cfg(not(target_os = "linux"))]
pub fn preferred() -> String {
    sys_locale::get_locales().collect::<Vec<_>>().join(":")
}
