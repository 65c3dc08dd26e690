//! What is fuzzed, and what has to hold for any bytes.
//!
//! Two things run the same targets: `cargo xtask fuzz`, with libFuzzer and for as long as one likes (`libfuzzer/`, a
//! workspace of its own in cargo-fuzz's layout), and `tests/short.rs`, which is in the test command and needs no
//! fuzzer: it tries the corpus and [mutations](mutate::Mutator) of it for a few seconds.
//!
//! A new target: a function here with its words, a folder of examples in `corpus/`, and a file and a `[[bin]]` in
//! `libfuzzer/`.

pub mod mutate;

mod edits;

use dockline_model::{Envelope, Hello, Request};
use std::{fs, io, path::PathBuf};

/// One thing that is fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Also the name of its corpus's folder and of libFuzzer's program.
    pub name: &'static str,
    /// Panics where something does not hold that has to.
    pub run: fn(&[u8]),
    /// Words of the format, for mutations.
    pub words: &'static [&'static str],
}

/// All there are.
pub const TARGETS: &[Target] = &[
    Target {
        name: "known_hosts",
        run: dockline_tunnel::fuzzing::known_hosts,
        words: &[
            "@revoked",
            "@cert-authority",
            "ssh-ed25519",
            "ssh-rsa",
            "|1|",
            "*",
            "!",
            ",",
            "[a.org]:2222",
            "a.org",
            "\t",
            "\r\n",
            "\0",
            "#",
            "AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
        ],
    },
    Target {
        name: "revoked_keys",
        run: dockline_tunnel::fuzzing::revoked_keys,
        words: &["SSHKRL\n\0", "\0\0\0\u{1}", "\u{1}\0\0\0", "\u{2}\0\0\0", "ssh-ed25519", "\0\0\0 "],
    },
    Target {
        name: "request_head",
        run: dockline_tunnel::fuzzing::request_head,
        words: &[
            "GET ",
            "POST ",
            "CONNECT ",
            "OPTIONS * ",
            " HTTP/1.1\r\n",
            " HTTP/1.0\r\n",
            "Host: ",
            "host:",
            "\r\n",
            "\r\n\r\n",
            "\n",
            "\r",
            "cr.boss.org",
            ":5000",
            ":5001",
            "localhost",
            "[::1]",
            "127.77.1.2",
            "172.17.0.1",
            "host.docker.internal",
            "Origin: null\r\n",
            "Sec-Fetch-Site: none\r\n",
            "User-Agent: Mozilla/5.0\r\n",
            "http://",
            "/v2/",
            "Upgrade-Insecure-Requests: 1\r\n",
            " \t",
            "\u{16}\u{3}",
        ],
    },
    Target {
        name: "hosts_file",
        run: edits::hosts_file,
        words: &[
            "# BEGIN dockline",
            "# BEGIN dockline (and the line ending above)",
            "# END dockline",
            "\n",
            "\r\n",
            "\r",
            "127.0.0.1",
            "127.77.1.1",
            "localhost",
            "cr.boss.org",
            "CR.boss.org.",
            "b.example",
            "\t",
            " ",
            "#",
            "\u{feff}",
            "\0",
        ],
    },
    Target {
        name: "daemon_json",
        run: edits::daemon_json,
        words: &[
            "\"insecure-registries\"",
            "\"Insecure-Registries\"",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "\"127.77.1.1:5000\"",
            "\"172.17.0.1:5000\"",
            "\"10.0.0.0/8\"",
            "null",
            "\n",
            "  ",
            "\\u0069",
            "\"a\"",
            "\u{feff}",
            "//",
            "1e9",
        ],
    },
    Target {
        name: "helper_request",
        run: edits::helper_request,
        words: &[
            "\"verb\"",
            "\"recover\"",
            "\"apply\"",
            "\"changes\"",
            "\"intent\"",
            "\"kind\"",
            "\"hosts\"",
            "\"daemon-json\"",
            "\"entries\"",
            "\"before\"",
            "\"after\"",
            "\"absent\"",
            "\"address\"",
            "\"name\"",
            "127.77.1.1",
            "cr.boss.org",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "\\u0000",
        ],
    },
    Target {
        name: "image_archive",
        run: dockline_registry::fuzzing::archive,
        words: &[
            "manifest.json",
            "index.json",
            "oci-layout",
            "layer.tar",
            "blobs/sha256/",
            "../",
            "/etc/passwd",
            "ustar\0",
            "ustar  \0",
            "\"Config\"",
            "\"Layers\"",
            "\"RepoTags\"",
            "\"diff_ids\"",
            "\"schemaVersion\":1",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "00000000000\0",
            "77777777777\0",
            "\u{1f}\u{8b}",
            "null",
            "[",
            "]",
            "{",
            "}",
        ],
    },
    Target {
        name: "image_manifest",
        run: dockline_registry::fuzzing::manifest,
        words: &[
            "\"schemaVersion\"",
            "\"mediaType\"",
            "\"config\"",
            "\"layers\"",
            "\"manifests\"",
            "\"platform\"",
            "\"annotations\"",
            "\"digest\"",
            "\"size\"",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "sha256:",
            "sha512:",
            "18446744073709551616",
            "-1",
            "null",
            "{",
            "}",
            "[",
            "]",
            ",",
        ],
    },
    Target {
        name: "image_reference",
        run: dockline_registry::fuzzing::reference,
        words: &[
            "cr.boss.org",
            "localhost",
            "127.0.0.1",
            "[::1]",
            ":5000",
            ":0",
            "/",
            "library/",
            "app",
            ":v1",
            "@sha256:",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "__",
            "--",
            "..",
            "A",
        ],
    },
    Target {
        name: "www_authenticate",
        run: dockline_registry::fuzzing::challenges,
        words: &[
            "Bearer ",
            "bearer",
            "Basic ",
            "Negotiate",
            "Digest ",
            "realm=",
            "service=",
            "scope=",
            "error=\"insufficient_scope\"",
            "\"",
            "\\",
            "\\\"",
            "=",
            ",",
            " ",
            "https://auth.docker.io/token",
            "repository:team/app:pull,push",
            "\t",
            "\0",
        ],
    },
    Target {
        name: "engine_stream",
        run: engine_stream,
        words: &[
            "{\"status\":\"Pushing\"",
            "\"progressDetail\"",
            "\"current\"",
            "\"total\"",
            "\"units\":\"s\"",
            "\"id\":\"0123456789ab\"",
            "\"aux\"",
            "\"errorDetail\"",
            "\"error\"",
            "Layer already exists",
            "Mounted from team/app",
            "Retrying in 5 seconds",
            "Pushed",
            "Download complete",
            "Pull complete",
            "v1: digest: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 size: 528",
            "\r\n",
            "\n",
            "18446744073709551615",
            "{",
            "}",
        ],
    },
    Target {
        name: "control_frame",
        run: control_frame,
        words: &[
            "\"id\"",
            "\"command\"",
            "\"kind\"",
            "\"connect\"",
            "\"push\"",
            "\"response\"",
            "\"event\"",
            "\"ok\"",
            "\"err\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "0",
            "18446744073709551616",
            "\\ud800",
        ],
    },
];

impl Target {
    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.iter().find(|target| target.name == name).copied()
    }

    /// Its examples.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn corpus(&self) -> io::Result<Vec<Vec<u8>>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(self.name);
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        files.sort();
        files.iter().map(fs::read).collect()
    }
}

/// Runs a target by name, for libFuzzer's programs.
///
/// # Panics
/// When something does not hold that has to, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    (Target::named(name).expect("there is such a target").run)(data);
}

/// An engine's answer to a push or pull, in whatever pieces it comes: figures never run backwards, and the pieces make
/// no difference.
fn engine_stream(data: &[u8]) {
    use dockline_engine::progress::TransferProgress;
    let Some((cut, stream)) = data.split_first() else { return };
    let mut whole = TransferProgress::default();
    whole.feed(stream);
    whole.finish();
    let mut pieces = TransferProgress::default();
    let (mut current, mut total) = (0, 0);
    for piece in stream.chunks(usize::from(*cut).max(1)) {
        pieces.feed(piece);
        assert!(pieces.current() >= current && pieces.total() >= total, "it runs backwards");
        assert!(pieces.current() <= pieces.total(), "more than all");
        (current, total) = (pieces.current(), pieces.total());
        for layer in pieces.layers() {
            assert!(layer.total.is_none_or(|total| layer.current <= total), "{layer:?}");
        }
    }
    pieces.finish();
    assert_eq!(pieces.layers(), whole.layers());
    assert_eq!(pieces.outcome(), whole.outcome());
    assert_eq!((pieces.current(), pieces.total()), (whole.current(), whole.total()));
}

/// A line of the control socket, in either direction: what reads is written as something that reads as the same.
fn control_frame(data: &[u8]) {
    let Ok(line) = str::from_utf8(data) else { return };
    fn there_and_back<T: serde::Serialize + serde::de::DeserializeOwned>(line: &str) {
        let Ok(value) = serde_json::from_str::<T>(line) else { return };
        let written = serde_json::to_string(&value).expect("a frame is JSON");
        assert!(!written.contains('\n'), "a frame is one line");
        let again: T = serde_json::from_str(&written).expect("what is written reads");
        assert_eq!(serde_json::to_string(&again).expect("a frame is JSON"), written);
    }
    there_and_back::<Hello>(line);
    there_and_back::<Request>(line);
    there_and_back::<Envelope>(line);
}
