//! Certificates for a registry: the configuration's own, and Docker's `certs.d` (docs.docker.com, "Verify repository
//! client with certificates"; moby, `registry.ReadCertsDirectory`): `*.crt` are authorities, `NAME.cert` with `NAME.key`
//! is ours.

use crate::Paths;
use dockline_model::RegistrySpec;
use dockline_registry::TlsFiles;
use std::path::{Path, PathBuf};

/// Reads folders, of which there are few; a file that cannot be read is named when it is used.
pub(crate) fn tls_files(spec: &RegistrySpec, paths: &Paths, docker: &Path) -> TlsFiles {
    let own = spec.client_certificate.as_ref();
    let mut files = TlsFiles {
        authority: spec.ca.as_deref().map(|path| paths.expanded(path)),
        more_authorities: Vec::new(),
        identity: own.map(|own| (paths.expanded(&own.certificate), paths.expanded(&own.key))),
    };
    let mut folders = vec![docker.join("certs.d")];
    if cfg!(unix) {
        folders.push(PathBuf::from("/etc/docker/certs.d"));
    }
    for folder in folders {
        read(&folder.join(folder_name(&spec.authority(), cfg!(windows))), &mut files);
    }
    files
}

/// No colon may stand in a file's name on Windows, where `cr.boss.org:5000` would be a stream of a file `cr.boss.org`;
/// Docker leaves it out there (moby, `registry/config_windows.go`).
fn folder_name(authority: &str, is_windows: bool) -> String {
    if is_windows { authority.replace(':', "") } else { authority.to_owned() }
}

fn read(folder: &Path, files: &mut TlsFiles) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        if end == "crt" {
            files.more_authorities.push(path);
        } else if end == "cert" && files.identity.is_none() {
            let key = path.with_extension("key");
            files.identity = Some((path, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_folders_are_read_by_their_endings() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ca.crt", "b.crt", "client.cert", "client.key", "README"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut files = TlsFiles::default();
        read(folder.path(), &mut files);
        let at = |name: &str| folder.path().join(name);
        assert_eq!(files.more_authorities, [at("b.crt"), at("ca.crt")]);
        assert_eq!(files.identity, Some((at("client.cert"), at("client.key"))));
        read(&folder.path().join("nowhere"), &mut files);
    }

    #[test]
    fn a_registrys_folder_is_called_as_docker_calls_it() {
        assert_eq!(folder_name("cr.boss.org:5000", false), "cr.boss.org:5000");
        assert_eq!(folder_name("cr.boss.org:5000", true), "cr.boss.org5000");
        assert_eq!(folder_name("cr.boss.org", true), "cr.boss.org");
    }
}
