//! Changing the configuration: comments and order survive, and a crash leaves the old file or the new one.

use super::{Config, ConfigError, parse};
use crate::Paths;
use dockline_model::{AddressPoolExhausted, RegistryName, RegistrySpec, RemoteEnd, Target, pick_address};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

const HEADER: &str = "\
# Dockline's configuration. Edit it as you like: it is read again as soon as it is saved.
# Secrets do not belong here; they are kept in the operating system's keyring.

";

/// More people of one machine with the same registry there will not be.
const ADDRESSES_TRIED: usize = 256;

/// Reads the configuration; a file that is not there is an empty one. Blocks.
///
/// # Errors
/// [`ConfigError::Read`], [`ConfigError::Invalid`].
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = read(path)?;
    parse(&text).map_err(|problems| ConfigError::Invalid { path: path.to_owned(), problems })
}

/// Adds a registry, picking an address if it has none. Blocks.
///
/// # Errors
/// [`ConfigError::NameTaken`], [`ConfigError::AddressTaken`], and whatever keeps the file from being read or
/// written. Nothing is written then.
pub fn add(paths: &Paths, target: &Target) -> Result<(RegistrySpec, Config), ConfigError> {
    edit(paths, |config, document| {
        let spec = complete(config, target)?;
        insert(document, &spec)?;
        Ok(spec)
    })
}

/// Takes a registry out. Blocks.
///
/// # Errors
/// [`ConfigError::Unknown`], and whatever keeps the file from being read or written.
pub fn remove(paths: &Paths, name: &RegistryName) -> Result<Config, ConfigError> {
    edit(paths, |config, document| {
        let at = config.registries.iter().position(|spec| spec.name == *name);
        let at = at.ok_or_else(|| ConfigError::Unknown(name.clone()))?;
        take_out(document, at);
        Ok(())
    })
    .map(|((), config)| config)
}

/// Reads, changes, checks and writes under a lock, so that two processes do not undo each other's change.
fn edit<T>(
    paths: &Paths,
    change: impl FnOnce(&Config, &mut DocumentMut) -> Result<T, ConfigError>,
) -> Result<(T, Config), ConfigError> {
    let path = &paths.config_file;
    let _lock = lock(&paths.state_dir.join("config.lock"))?;
    let text = read(path)?;
    let invalid = |problems| ConfigError::Invalid { path: path.clone(), problems };
    let config = parse(&text).map_err(invalid)?;
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| ConfigError::Unwritable(error.to_string()))?;
    keep_addresses(&mut document, &config);
    let outcome = change(&config, &mut document)?;
    let mut written = document.to_string();
    if text.is_empty() {
        written.insert_str(0, HEADER);
    }
    // What is about to be written must read back: a value that does not is refused here, not at the next start.
    let config = parse(&written).map_err(|problems| {
        ConfigError::Unwritable(
            problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "),
        )
    })?;
    replace(path, written.as_bytes()).map_err(|source| ConfigError::Write { path: path.clone(), source })?;
    Ok((outcome, config))
}

fn read(path: &Path) -> Result<String, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

fn lock(path: &Path) -> Result<File, ConfigError> {
    let failed = |source| ConfigError::Write { path: path.to_owned(), source };
    let file = File::options().create(true).write(true).truncate(false).open(path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

/// Where `path` leads: dotfiles are often links, and replacing the link would orphan the real file.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = resolved(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    // `tempfile` makes it with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".config.toml.").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    // The rename itself is on disk only once the folder is; Windows has no such call.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn complete(config: &Config, target: &Target) -> Result<RegistrySpec, ConfigError> {
    if config.registries.iter().any(|spec| spec.name == target.name) {
        return Err(ConfigError::NameTaken(target.name.clone()));
    }
    let taken: BTreeSet<_> = config.registries.iter().map(|spec| spec.address).collect();
    let port = target.port.unwrap_or(RegistrySpec::DEFAULT_PORT);
    let spec = RegistrySpec {
        name: target.name.clone(),
        ssh: target.ssh.clone(),
        remote: target.remote.clone().unwrap_or_default(),
        address: match target.address {
            Some(address) => address,
            None => pick_free(&target.name, taken, port)?,
        },
        port,
        linger_seconds: target.linger_seconds.unwrap_or(RegistrySpec::DEFAULT_LINGER_SECONDS),
        keep_open: target.keep_open,
    };
    match config.registries.iter().find(|other| other.listen() == spec.listen()) {
        Some(other) => Err(ConfigError::AddressTaken { other: other.name.clone(), spec: Box::new(spec) }),
        None => Ok(spec),
    }
}

/// The first address of the name's own order where `port` can be listened at now: another person of this machine may
/// have the same registry. Where a program holds the port on every address, the first of all, since no other would be
/// better; the tunnel says who is in the way.
fn pick_free(
    name: &RegistryName,
    mut taken: BTreeSet<Ipv4Addr>,
    port: u16,
) -> Result<Ipv4Addr, AddressPoolExhausted> {
    let first = pick_address(name, &taken)?;
    let mut address = first;
    for _ in 0..ADDRESSES_TRIED {
        if TcpListener::bind((address, port)).is_ok() {
            return Ok(address);
        }
        taken.insert(address);
        address = pick_address(name, &taken)?;
    }
    Ok(first)
}

/// Writes down the addresses that were picked for registries added by hand: a picked one is kept.
fn keep_addresses(document: &mut DocumentMut, config: &Config) {
    let put = |table: &mut dyn TableLike, spec: &RegistrySpec| {
        if !table.contains_key("address") {
            table.insert("address", value(spec.address.to_string()));
        }
    };
    match document.get_mut("registry") {
        Some(Item::ArrayOfTables(tables)) => {
            tables.iter_mut().zip(&config.registries).for_each(|(table, spec)| put(table, spec));
        }
        Some(Item::Value(Value::Array(array))) => {
            for (entry, spec) in array.iter_mut().zip(&config.registries) {
                if let Some(table) = entry.as_inline_table_mut() {
                    put(table, spec);
                }
            }
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => {}
    }
}

fn insert(document: &mut DocumentMut, spec: &RegistrySpec) -> Result<(), ConfigError> {
    if let Some(Item::Value(Value::Array(array))) = document.get_mut("registry") {
        let mut table = InlineTable::new();
        fill(&mut table, spec)?;
        array.push(table);
        return Ok(());
    }
    let first = document.is_empty();
    let mut table = Table::new();
    fill(&mut table, spec)?;
    table.decor_mut().set_prefix(if first { "" } else { "\n" });
    // Whatever stands at the file's end, comments mostly, stays above the new registry.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    if !trailing.trim().is_empty() {
        let gap = if trailing.ends_with('\n') { "\n" } else { "\n\n" };
        table.decor_mut().set_prefix(format!("{trailing}{gap}"));
        document.set_trailing("");
    } else if first && !trailing.is_empty() {
        document.set_trailing("");
    }
    let tables = document.entry("registry").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    match tables {
        Item::ArrayOfTables(tables) => tables.push(table),
        Item::None | Item::Value(_) | Item::Table(_) => {
            return Err(ConfigError::Unwritable("“registry” is not a list of tables".to_owned()));
        }
    }
    Ok(())
}

fn fill(table: &mut dyn TableLike, spec: &RegistrySpec) -> Result<(), ConfigError> {
    table.insert("name", value(spec.name.as_str()));
    table.insert("ssh", value(spec.ssh.to_string()));
    if let Some(identity) = &spec.ssh.identity {
        let text = identity.to_str().ok_or_else(|| {
            ConfigError::Unwritable(format!("the path {} is not valid UTF-8", identity.display()))
        })?;
        table.insert("identity", value(text));
    }
    if let Some(jump) = &spec.ssh.jump {
        table.insert("jump", value(jump.as_str()));
    }
    if spec.remote != RemoteEnd::default() {
        table.insert("remote", value(spec.remote.to_string()));
    }
    table.insert("address", value(spec.address.to_string()));
    if spec.port != RegistrySpec::DEFAULT_PORT {
        table.insert("port", value(i64::from(spec.port)));
    }
    if spec.linger_seconds != RegistrySpec::DEFAULT_LINGER_SECONDS {
        table.insert("linger-seconds", value(i64::from(spec.linger_seconds)));
    }
    if spec.keep_open {
        table.insert("keep-open", value(true));
    }
    Ok(())
}

fn take_out(document: &mut DocumentMut, at: usize) {
    match document.get_mut("registry") {
        Some(Item::ArrayOfTables(tables)) => {
            let above = tables
                .get(at)
                .and_then(|table| table.decor().prefix())
                .and_then(|prefix| prefix.as_str())
                .unwrap_or_default()
                .to_owned();
            tables.remove(at);
            // Comments that stand right above the registry go with it; those set off by an empty line are about
            // something else (the file's header, most of the time) and stay.
            let kept = above.rfind("\n\n").map_or("", |end| &above[..=end]);
            if kept.trim().is_empty() {
                return;
            }
            if let Some(next) = tables.get_mut(at) {
                let prefix = next.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default();
                let joined = format!("{kept}{prefix}");
                next.decor_mut().set_prefix(joined);
            } else {
                let joined = format!("{}{}", kept, document.trailing().as_str().unwrap_or_default());
                document.set_trailing(joined);
            }
        }
        Some(Item::Value(Value::Array(array))) => {
            array.remove(at);
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths() -> (tempfile::TempDir, Paths) {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::in_folder(home.path());
        paths.prepare().unwrap();
        (home, paths)
    }

    fn target(name: &str) -> Target {
        Target {
            name: name.parse().unwrap(),
            ssh: "dockercr@88.88.88.88".parse().unwrap(),
            remote: None,
            port: None,
            address: None,
            linger_seconds: None,
            keep_open: false,
        }
    }

    #[test]
    fn what_is_added_reads_back_and_is_private() {
        let (_home, paths) = paths();
        let full = Target {
            ssh: dockline_model::SshTarget {
                identity: Some("/home/a \"b\"/.ssh/id".into()),
                jump: Some("a@b,c".to_owned()),
                ..target("x.example").ssh
            },
            remote: Some("/run/r.sock".parse().unwrap()),
            port: Some(5001),
            address: Some([127, 0, 0, 1].into()),
            linger_seconds: Some(0),
            keep_open: true,
            ..target("b.example")
        };
        let (first, _) = add(&paths, &target("cr.boss.org")).unwrap();
        let (second, config) = add(&paths, &full).unwrap();
        assert_eq!(config.registries, [first, second]);
        assert_eq!(load(&paths.config_file).unwrap(), config);
        let text = fs::read_to_string(&paths.config_file).unwrap();
        assert!(text.starts_with(HEADER), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&paths.config_file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let config = remove(&paths, &"cr.boss.org".parse().unwrap()).unwrap();
        assert_eq!(config.registries.len(), 1);
        assert!(fs::read_to_string(&paths.config_file).unwrap().starts_with(HEADER));
    }

    #[test]
    fn names_and_listeners_are_not_taken_twice() {
        let (_home, paths) = paths();
        let (spec, _) = add(&paths, &target("cr.boss.org")).unwrap();
        assert!(matches!(add(&paths, &target("cr.boss.org")), Err(ConfigError::NameTaken(_))));
        let same = Target { address: Some(spec.address), ..target("other.example") };
        assert!(matches!(add(&paths, &same), Err(ConfigError::AddressTaken { .. })));
        let unknown = remove(&paths, &"other.example".parse().unwrap());
        assert!(matches!(unknown, Err(ConfigError::Unknown(_))));
        let public = Target { address: Some([8, 8, 8, 8].into()), ..target("other.example") };
        assert!(matches!(add(&paths, &public), Err(ConfigError::Unwritable(_))));
        assert_eq!(load(&paths.config_file).unwrap().registries.len(), 1);
    }

    #[test]
    fn an_address_that_somebody_listens_at_is_passed_over() {
        let (_home, paths) = paths();
        let wanted = target("passed-over.example");
        let first = pick_address(&wanted.name, &BTreeSet::new()).unwrap();
        let second = pick_address(&wanted.name, &BTreeSet::from([first])).unwrap();
        // A port of the test's own, free at both addresses.
        let here = TcpListener::bind((first, 0)).unwrap();
        let port = here.local_addr().unwrap().port();
        let (spec, _) = add(&paths, &Target { port: Some(port), ..wanted.clone() }).unwrap();
        assert_eq!(spec.address, second);
        remove(&paths, &wanted.name).unwrap();
        drop(here);
        let (spec, _) = add(&paths, &Target { port: Some(port), ..wanted.clone() }).unwrap();
        assert_eq!(spec.address, first);
        remove(&paths, &wanted.name).unwrap();
        let everywhere = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = everywhere.local_addr().unwrap().port();
        let (spec, _) = add(&paths, &Target { port: Some(port), ..wanted }).unwrap();
        assert_eq!(spec.address, first, "none would be better");
    }

    #[test]
    fn a_broken_file_is_left_alone() {
        let (_home, paths) = paths();
        fs::write(&paths.config_file, "[[registry]]\nnam = 1\n").unwrap();
        assert!(matches!(add(&paths, &target("cr.boss.org")), Err(ConfigError::Invalid { .. })));
        assert_eq!(fs::read_to_string(&paths.config_file).unwrap(), "[[registry]]\nnam = 1\n");
    }

    #[test]
    fn a_picked_address_is_written_down_at_the_next_change() {
        let (_home, paths) = paths();
        fs::write(&paths.config_file, "[[registry]]\nname = \"a.b\"\nssh = \"h\" # home\n").unwrap();
        let before = load(&paths.config_file).unwrap().registries[0].clone();
        add(&paths, &target("cr.boss.org")).unwrap();
        let text = fs::read_to_string(&paths.config_file).unwrap();
        assert!(text.contains(&format!("ssh = \"h\" # home\naddress = \"{}\"\n", before.address)), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_file_stays_a_link() {
        let (home, paths) = paths();
        let real = home.path().join("dotfiles.toml");
        fs::write(&real, "# mine\n").unwrap();
        std::os::unix::fs::symlink(&real, &paths.config_file).unwrap();
        add(&paths, &target("cr.boss.org")).unwrap();
        assert!(fs::symlink_metadata(&paths.config_file).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().starts_with("# mine\n"));
    }

    #[test]
    fn two_writers_do_not_undo_each_other() {
        let (_home, paths) = paths();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let paths = &paths;
                scope.spawn(move || add(paths, &target(&format!("r{n}.example"))).unwrap());
            }
        });
        assert_eq!(load(&paths.config_file).unwrap().registries.len(), 8);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn comments_and_order_survive(
            names in proptest::collection::btree_set("[a-z]{1,8}", 1..5),
            comments in proptest::collection::vec("[ -~]{0,20}", 12),
            settings_last in any::<bool>(),
            remove_at in any::<proptest::sample::Index>(),
        ) {
            let (_home, paths) = paths();
            let names: Vec<String> = names.into_iter().rev().map(|name| format!("{name}.example")).collect();
            let mut comment = comments.iter().enumerate().map(|(n, text)| format!("# c{n} {text}\n"));
            let mut next = || comment.next().unwrap_or_default();
            let settings = format!("[settings]\n{}keyring = false\n", next());
            let mut text = format!("{}\n", next());
            if !settings_last { text += &settings; }
            for name in &names {
                text += &format!("\n{}[[registry]]\nname = \"{name}\"\nssh = \"h\" {}", next(), next());
            }
            if settings_last { text += &settings; }
            text += &next();
            fs::write(&paths.config_file, &text).unwrap();
            let before = load(&paths.config_file).unwrap();

            let (added, after) = add(&paths, &target("new.test.org")).unwrap();
            let mut expected = before.clone();
            expected.registries.push(added);
            prop_assert_eq!(&after, &expected);
            let written = fs::read_to_string(&paths.config_file).unwrap();
            for line in text.lines() {
                prop_assert!(written.lines().any(|l| l == line), "{:?} is lost in\n{}", line, written);
            }

            let at = remove_at.index(names.len());
            let after = remove(&paths, &names[at].parse().unwrap()).unwrap();
            expected.registries.remove(at);
            prop_assert_eq!(&after, &expected);
            let written = fs::read_to_string(&paths.config_file).unwrap();
            let header = text.lines().next().unwrap_or_default();
            prop_assert!(written.lines().any(|l| l == header), "{:?} is lost in\n{}", header, written);
            let _ = remove(&paths, &"new.test.org".parse().unwrap()).unwrap();
        }
    }
}
