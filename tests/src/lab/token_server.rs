//! A token server that speaks docker_auth's protocol (distribution's token specification): users, what each may do
//! where, tokens signed with a key that a real registry trusts.

use super::shell::run;
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::json;
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Whom the server knows. `None` stands for anonymous.
type Granted = fn(user: Option<&str>, repository: &str) -> &'static [&'static str];

/// See the module. It ends with the process.
#[derive(Debug)]
pub struct TokenServer {
    address: SocketAddr,
    folder: PathBuf,
    log: Arc<Mutex<Vec<String>>>,
}

struct Rules {
    users: Vec<(String, String)>,
    granted: Granted,
    /// How long tokens are good, as the answer says it and as they say it themselves.
    told: u64,
    real: i64,
    folder: PathBuf,
    certificate: String,
}

impl TokenServer {
    /// What the registry calls the server, and itself.
    pub const ISSUER: &'static str = "lab";
    /// The registry's name in tokens.
    pub const SERVICE: &'static str = "lab registry";

    /// Serves tokens that are good for `seconds`. The key and its certificate are made in `folder`.
    ///
    /// # Panics
    /// When a part is missing.
    #[must_use]
    pub fn start(folder: &Path, users: &[(&str, &str)], granted: Granted, seconds: u64) -> Self {
        Self::serve(folder, users, granted, (seconds, i64::try_from(seconds).expect("a short time")))
    }

    /// The same, but the registry takes no token any more `seconds` after it was given out, while whoever has it is told
    /// otherwise: as after a restart with another key, or between clocks that differ.
    ///
    /// # Panics
    /// When a part is missing.
    #[must_use]
    pub fn start_with_early_ends(
        folder: &Path,
        users: &[(&str, &str)],
        granted: Granted,
        seconds: i64,
    ) -> Self {
        // Distribution lets tokens live a minute longer than they say (`registry/auth/token/token.go`, `Leeway`).
        Self::serve(folder, users, granted, (300, seconds - 60))
    }

    fn serve(folder: &Path, users: &[(&str, &str)], granted: Granted, (told, real): (u64, i64)) -> Self {
        let file = |name: &str| folder.join(name).display().to_string();
        let (key, certificate) = (file("token.key"), file("token.pem"));
        run(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=lab",
                "-days",
                "2",
                "-keyout",
                &key,
                "-out",
                &certificate,
            ],
        );
        let pem = fs::read_to_string(&certificate).expect("openssl wrote it");
        let certificate: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
        let address = listener.local_addr().expect("it listens");
        let log = Arc::new(Mutex::new(Vec::new()));
        let rules = Arc::new(Rules {
            users: users.iter().map(|(user, secret)| ((*user).to_owned(), (*secret).to_owned())).collect(),
            granted,
            told,
            real,
            folder: folder.to_owned(),
            certificate,
        });
        let heard = log.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (rules, heard) = (rules.clone(), heard.clone());
                thread::spawn(move || rules.answer(stream, &heard));
            }
        });
        Self { address, folder: folder.to_owned(), log }
    }

    /// The registry's `auth` section.
    #[must_use]
    pub fn registry_settings(&self) -> String {
        self.registry_settings_behind(&format!("http://{}/auth", self.address))
    }

    /// The same, for a server that people know by another address than its own.
    #[must_use]
    pub fn registry_settings_behind(&self, realm: &str) -> String {
        format!(
            "auth: {{token: {{realm: '{realm}', service: '{}', issuer: '{}', rootcertbundle: '{}'}}}}\n",
            Self::SERVICE,
            Self::ISSUER,
            self.folder.join("token.pem").display()
        )
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `user scope` of every token that was given out; `-` for nobody.
    #[must_use]
    pub fn given(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Rules {
    fn answer(&self, stream: TcpStream, log: &Mutex<Vec<String>>) {
        let mut reader = BufReader::new(&stream);
        let mut head = Vec::new();
        for line in reader.by_ref_lines() {
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        let (status, body) = self.decide(&head, log);
        let length = body.len();
        // A client that has gone needs no answer.
        let _ = write!(
            &stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
    }

    fn decide(&self, head: &[String], log: &Mutex<Vec<String>>) -> (&'static str, String) {
        let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let scopes: Vec<String> = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("scope="))
            .map(|scope| {
                scope.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",").replace("%2A", "*")
            })
            .collect();
        let login = head
            .iter()
            .find_map(|line| {
                line.to_ascii_lowercase().starts_with("authorization: basic ").then(|| line[21..].trim())
            })
            .and_then(|text| String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok());
        let user = match &login {
            Some(pair) => {
                let found = self.users.iter().find(|(user, secret)| *pair == format!("{user}:{secret}"));
                match found {
                    Some((user, _)) => Some(user.as_str()),
                    None => return ("401 Unauthorized", json!({"details": "wrong"}).to_string()),
                }
            }
            None => None,
        };
        let access: Vec<_> = scopes
            .iter()
            .filter_map(|scope| {
                let mut parts = scope.splitn(3, ':');
                let (kind, name, wanted) = (parts.next()?, parts.next()?, parts.next()?);
                let granted = (self.granted)(user, name);
                let actions: Vec<&str> =
                    wanted.split(',').filter(|action| granted.contains(action)).collect();
                Some(json!({"type": kind, "name": name, "actions": actions}))
            })
            .collect();
        log.lock().unwrap_or_else(PoisonError::into_inner).push(format!(
            "{} {}",
            user.unwrap_or("-"),
            scopes.join(" ")
        ));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set").as_secs();
        let claims = json!({
            "iss": TokenServer::ISSUER, "aud": TokenServer::SERVICE, "sub": user.unwrap_or_default(),
            "iat": now, "nbf": now - 5, "exp": now.checked_add_signed(self.real), "jti": format!("{now}"), "access": access,
        });
        let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [self.certificate]});
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(self.sign(&signed)));
        ("200 OK", json!({"token": token, "expires_in": self.told}).to_string())
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let mut child = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(self.folder.join("token.key"))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("openssl runs");
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("openssl reads");
        child.wait_with_output().expect("openssl ends").stdout
    }
}

/// Lines without their ends, until the stream ends or breaks.
trait Lines {
    fn by_ref_lines(&mut self) -> impl Iterator<Item = String>;
}

impl Lines for BufReader<&TcpStream> {
    fn by_ref_lines(&mut self) -> impl Iterator<Item = String> {
        std::iter::from_fn(|| {
            let mut line = String::new();
            self.read_line(&mut line).ok().filter(|count| *count > 0)?;
            Some(line.trim_end().to_owned())
        })
    }
}
