//! A certificate authority of a test's own, as companies have one: no system trusts it by itself.

use super::shell::run;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// An authority, and the certificate of one server that it signed, as PEM files in one folder (openssl-req(1)).
#[derive(Debug, Clone)]
pub struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes one in `folder`, with a server's certificate for these names and addresses.
    ///
    /// # Panics
    /// When openssl does not make it.
    #[must_use]
    pub fn new(folder: &Path, names: &[String]) -> Self {
        let authority = Self { folder: folder.to_owned() };
        let path = |name: &str| folder.join(name).display().to_string();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
        let own =
            ["-x509", "-subj", "/CN=A test's authority", "-keyout", &path("ca.key"), "-out", &path("ca.crt")];
        run("openssl", &[&["req"], &key[..], &own[..]].concat());
        let request = ["-subj", "/CN=registry", "-keyout", &path("server.key"), "-out", &path("server.csr")];
        run("openssl", &[&["req"], &key[..5], &request[..]].concat());
        let kind = |name: &String| match name.parse::<std::net::IpAddr>() {
            Ok(address) => format!("IP:{address}"),
            Err(_) => format!("DNS:{name}"),
        };
        let names: Vec<String> = names.iter().map(kind).collect();
        fs::write(folder.join("names"), format!("subjectAltName={}\n", names.join(",")))
            .expect("the folder is ours");
        let signed = ["-in", &path("server.csr"), "-out", &path("server.crt"), "-extfile", &path("names")];
        let by = ["-CA", &path("ca.crt"), "-CAkey", &path("ca.key"), "-CAcreateserial", "-days", "2"];
        run("openssl", &[&["x509", "-req"], &signed[..], &by[..]].concat());
        authority
    }

    /// The authority's certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// The server's certificate.
    #[must_use]
    pub fn server_certificate(&self) -> PathBuf {
        self.folder.join("server.crt")
    }

    /// Its key.
    #[must_use]
    pub fn server_key(&self) -> PathBuf {
        self.folder.join("server.key")
    }
}
