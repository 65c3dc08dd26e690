//! The judge: a table, and that pieces make no difference.

use super::*;
use proptest::prelude::*;

fn spec(address: &str) -> RegistrySpec {
    RegistrySpec {
        linger_seconds: 1,
        ..RegistrySpec::new(
            "cr.boss.org".parse().unwrap(),
            "u@host".parse().unwrap(),
            address.parse().unwrap(),
        )
    }
}

fn gate(address: &str) -> Gate {
    Gate::new(AccessRules::default(), &spec(address))
}

/// As the loop in [`Gate::judge_all`] does it, with pieces of the given sizes.
fn judged(gate: &Gate, bytes: &[u8], mut pieces: impl Iterator<Item = usize>) -> Verdict {
    let mut end = 0;
    loop {
        let verdict = gate.judge(&bytes[..end]);
        if verdict != Verdict::Open || end == bytes.len() {
            return verdict;
        }
        end = (end + pieces.next().unwrap_or(HEAD_LIMIT)).min(HEAD_LIMIT).min(bytes.len());
    }
}

fn at_once(address: &str, bytes: &[u8]) -> Verdict {
    gate(address).judge(&bytes[..bytes.len().min(HEAD_LIMIT)])
}

#[test]
fn our_names_and_no_others() {
    for (address, host, ours) in [
        ("127.77.1.2", "cr.boss.org:5000", true),
        ("127.77.1.2", "CR.Boss.org", true),
        ("127.77.1.2", "127.77.1.2:5000", true),
        ("127.77.1.2", "127.77.1.2", true),
        ("127.77.1.2", "localhost:5000", true),
        ("127.77.1.2", "127.0.0.1:5000", true),
        ("127.77.1.2", "[::1]:5000", true),
        ("127.77.1.2", "[::1]", true),
        ("127.77.1.2", "[::1]:5001", false),
        ("127.77.1.2", "[::1]5000", false),
        ("127.77.1.2", "::1:5000", false),
        ("127.77.1.2", "127.77.1.3:5000", false),
        ("127.77.1.2", "172.17.0.1:5000", false),
        ("127.77.1.2", "host.docker.internal:5000", false),
        ("127.0.0.1", "localhost:5000", true),
        ("127.0.0.1", "LOCALHOST", true),
        ("127.77.1.2", "cr.boss.org:5001", false),
        ("127.77.1.2", "cr.boss.org:", false),
        ("127.77.1.2", "cr.boss.org:05000", false),
        ("127.77.1.2", "cr.boss.org:5000, cr.boss.org:5000", false),
        ("127.77.1.2", "cr.boss.org:5000 evil.example", false),
        ("127.77.1.2", "cr.boss.org.:5000", false),
        ("127.77.1.2", "http://cr.boss.org:5000", false),
        ("127.77.1.2", "cr.boss.org:5000:5000", false),
        ("127.77.1.2", "evil.example:5000", false),
        ("127.77.1.2", "cr.boss.org.evil.example", false),
        ("127.77.1.2", "evil.cr.boss.org", false),
        ("127.77.1.2", "u@cr.boss.org", false),
        ("127.77.1.2", "", false),
        ("127.77.1.2", "\u{e9}", false),
    ] {
        let head = format!("GET /v2/ HTTP/1.1\r\nUser-Agent: docker/28\r\nHost: {host}\r\n\r\n");
        let expected = if ours { Verdict::Admit } else { Verdict::Refuse(Refusal::OtherHost) };
        assert_eq!(at_once(address, head.as_bytes()), expected, "{host} at {address}");
    }
}

#[test]
fn a_bridges_listener_has_names_of_its_own() {
    let gateway = Gateway { address: "172.17.0.1:5001".parse().unwrap() };
    let plain = gate("127.77.1.2").for_gateway(gateway);
    let rules = HttpRules { other_names: vec!["registry.lima".to_owned()], ..HttpRules::default() };
    let named = Gate::new(AccessRules::Http(rules), &spec("127.77.1.2"));
    let named_gateway = named.for_gateway(gateway);
    for (host, ours, other) in [
        ("cr.boss.org:5001", true, false),
        ("172.17.0.1:5001", true, false),
        ("host.docker.internal:5001", true, false),
        ("Host.Containers.Internal:5001", true, false),
        ("registry.lima:5001", false, true),
        ("cr.boss.org:5000", false, false),
        // What a container calls so is the container itself.
        ("localhost:5001", false, false),
        ("127.77.1.2:5001", false, false),
        ("evil.example:5001", false, false),
    ] {
        let head = format!("GET /v2/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(plain.judge(head.as_bytes()) == Verdict::Admit, ours, "{host}");
        assert_eq!(named_gateway.judge(head.as_bytes()) == Verdict::Admit, ours || other, "{host}");
    }
    assert_eq!(named.judge(b"GET /v2/ HTTP/1.1\r\nHost: registry.lima:5000\r\n\r\n"), Verdict::Admit);
}

#[test]
fn at_localhost_an_engine_in_a_machine_calls_this_one_by_its_own_name() {
    let gate = gate("127.77.1.2").for_localhost(5001);
    for (host, ours) in [
        ("host.docker.internal:5001", true),
        ("host.containers.internal:5001", true),
        ("host.lima.internal:5001", true),
        ("localhost:5001", true),
        ("127.0.0.1:5001", true),
        ("[::1]:5001", true),
        ("cr.boss.org:5001", true),
        ("cr.boss.org:5000", false),
        ("127.77.1.2:5001", false),
        ("evil.example:5001", false),
        ("host.docker.internal.evil.example:5001", false),
    ] {
        let head = format!("GET /v2/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(gate.judge(head.as_bytes()) == Verdict::Admit, ours, "{host}");
    }
}

#[test]
fn tls_goes_where_it_is_spoken() {
    for (speaks, expected) in [
        (RegistryProtocol::Unknown, Verdict::Admit),
        (RegistryProtocol::Tls, Verdict::Admit),
        (RegistryProtocol::Plain, Verdict::Refuse(Refusal::Tls)),
    ] {
        let rules = AccessRules::Http(HttpRules { speaks, ..HttpRules::default() });
        assert_eq!(Gate::new(rules, &spec("127.77.1.2")).judge(b"\x16\x03\x01"), expected);
    }
    assert!(answer(Refusal::Tls).starts_with("HTTP/"), "Go's client looks for these five bytes");
}

#[test]
fn shapes_that_servers_read_differently() {
    let of = Verdict::Refuse;
    let get = "GET /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n";
    for (head, expected) in [
        // Absolute form: the registry would take the host from there.
        ("GET http://cr.boss.org:5000/v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", Verdict::Admit),
        ("GET HTTP://CR.boss.org:5000?a HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", Verdict::Admit),
        ("GET http://evil.example/v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", of(Refusal::Proxy)),
        (
            "GET http://cr.boss.org:5000@evil.example/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n",
            of(Refusal::Proxy),
        ),
        ("GET ftp://cr.boss.org:5000/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", of(Refusal::Proxy)),
        ("GET http://cr.boss.org:5000/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", of(Refusal::OtherHost)),
        ("CONNECT cr.boss.org:5000 HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", of(Refusal::Proxy)),
        ("CONNECT /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", of(Refusal::Proxy)),
        ("GET v2 HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", of(Refusal::Proxy)),
        ("OPTIONS * HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", Verdict::Admit),
        ("GET //evil.example/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", Verdict::Admit),
        // Lines.
        ("\r\nGET /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", Verdict::Admit),
        ("\nGET /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\nHost: cr.boss.org:5000\n\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\nA: b\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\rA: b\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nHost: cr.boss.org:5000\0\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nHost:\r\n cr.boss.org:5000\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nA: b\r\n Host: cr.boss.org:5000\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nHost : cr.boss.org:5000\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\n Host: cr.boss.org:5000\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/2.0\r\nHost: cr.boss.org:5000\r\n\r\n", of(Refusal::NotHttp)),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\nGET / HTTP/1.1\r\n\r\n", of(Refusal::NotHttp)),
        ("GET /v2/ HTTP/1.1\r\nHost: \t cr.boss.org:5000 \t\r\n\r\n", Verdict::Admit),
        ("GET /v2/ HTTP/1.1\r\nhOST:cr.boss.org:5000\r\n\r\n", Verdict::Admit),
    ] {
        assert_eq!(at_once("127.77.1.2", head.as_bytes()), expected, "{head:?}");
    }
    // Between the program and the registry.
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Expect: 100-continue\r\nContent-Length: 3\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Referer: http://elsewhere.example/\r\n",
        "Host-X: evil.example\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n",
    ] {
        let head = format!("{get}{fields}\r\n");
        assert_eq!(at_once("127.77.1.2", head.as_bytes()), Verdict::Admit, "{head:?}");
    }
}

#[test]
fn engines_pass_and_browsers_do_not() {
    let of = Verdict::Refuse;
    for (fields, expected) in [
        (
            "User-Agent: docker/20.10.24 go/go1.19 UpstreamClient(Docker-Client/20.10.24 \\(linux\\))",
            Verdict::Admit,
        ),
        ("User-Agent: containers/5.24.0 (github.com/containers/image)", Verdict::Admit),
        ("user-agent: curl/7.88.1\r\nAccept: */*", Verdict::Admit),
        (
            "User-Agent: containerd/2.0.0\r\nAccept: application/vnd.oci.image.index.v1+json, */*",
            Verdict::Admit,
        ),
        (
            "User-Agent: buildkit/v0.16\r\nAuthorization: Bearer x\r\nAccept-Encoding: zstd, gzip",
            Verdict::Admit,
        ),
        ("User-Agent: go-containerregistry/v0.20.2\r\nTransfer-Encoding: chunked", Verdict::Admit),
        (
            "User-Agent: kaniko/v1.23 go-containerregistry\r\nContent-Type: application/octet-stream",
            Verdict::Admit,
        ),
        ("User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\nConnection: close", Verdict::Admit),
        ("User-Agent: regclient/regctl (v0.8.0)", Verdict::Admit),
        (
            "User-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*",
            Verdict::Admit,
        ),
        ("User-Agent: jib 3.4.4 jib-maven-plugin\r\nConnection: Keep-Alive", Verdict::Admit),
        ("User-Agent: dockline/0.1\r\nExpect: 100-continue\r\nContent-Range: 0-5", Verdict::Admit),
        // Go's client sends it along a redirect.
        ("Referer: http://cr.boss.org:5000/v2/", Verdict::Admit),
        ("Original: x\r\nSecond: x\r\nX-Origin: y", Verdict::Admit),
        ("Origin: http://evil.example", of(Refusal::Browser)),
        ("ORIGIN: null", of(Refusal::Browser)),
        ("origin:", of(Refusal::Browser)),
        ("Sec-Fetch-Site: none", of(Refusal::Browser)),
        ("sec-fetch-anything: 1", of(Refusal::Browser)),
        ("Sec-CH-UA-Platform: \"Linux\"", of(Refusal::Browser)),
        ("Upgrade-Insecure-Requests: 1", of(Refusal::Browser)),
        ("Access-Control-Request-Method: PUT", of(Refusal::Browser)),
        // What Chromium sends for an image at a name of the hosts file.
        ("User-Agent: Mozilla/5.0 (X11; Linux x86_64)", of(Refusal::Browser)),
        ("Host: cr.boss.org:5000", of(Refusal::OtherHost)),
        ("Host: evil.example", of(Refusal::OtherHost)),
        ("No colon", of(Refusal::NotHttp)),
    ] {
        let head =
            format!("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: cr.boss.org:5000\r\n{fields}\r\n\r\nbody");
        assert_eq!(at_once("127.77.1.2", head.as_bytes()), expected, "{fields}");
    }
}

#[test]
fn what_is_not_a_head_of_http_1() {
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(FIELD_LIMIT + 1));
    let long = format!("GET / HTTP/1.1\r\nHost: cr.boss.org\r\nA: {}\r\n\r\n", "b".repeat(17 << 10));
    for (bytes, expected) in [
        (&b""[..], Verdict::Open),
        (b"\x16", Verdict::Open),
        (b"\x16\x03", Verdict::Admit),
        (b"\x16\x03\x01\x02\x00\x01", Verdict::Admit),
        (b"\x16\x02", Verdict::Refuse(Refusal::NotHttp)),
        (b"GET /v2/ HTTP/1.1\r\nHost: cr.boss.org\r\n", Verdict::Open),
        (b"GET /v2/ HTTP/1.0\r\n\r\n", Verdict::Refuse(Refusal::OtherHost)),
        (b"GET /v2/ HTTP/1.0\r\nHost: cr.boss.org\r\n\r\n", Verdict::Admit),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Verdict::Refuse(Refusal::NotHttp)),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Verdict::Refuse(Refusal::NotHttp)),
        (b"\0\0\0", Verdict::Refuse(Refusal::NotHttp)),
        (many.as_bytes(), Verdict::Refuse(Refusal::TooLarge)),
        (long.as_bytes(), Verdict::Refuse(Refusal::TooLarge)),
    ] {
        assert_eq!(at_once("127.77.1.2", bytes), expected, "{}", bytes[..bytes.len().min(40)].escape_ascii());
    }
}

#[test]
fn a_head_of_exactly_the_limit_fits() {
    let around = "GET / HTTP/1.1\r\nHost: cr.boss.org\r\nA: \r\n\r\n".len();
    for (over, expected) in [(0, Verdict::Admit), (1, Verdict::Refuse(Refusal::TooLarge))] {
        let filling = "b".repeat(HEAD_LIMIT - around + over);
        let head = format!("GET / HTTP/1.1\r\nHost: cr.boss.org\r\nA: {filling}\r\n\r\nbody");
        assert_eq!(at_once("127.77.1.2", head.as_bytes()), expected);
    }
}

#[test]
fn every_answer_is_complete() {
    for refusal in [
        Refusal::Browser,
        Refusal::OtherHost,
        Refusal::Proxy,
        Refusal::Tls,
        Refusal::NotHttp,
        Refusal::TooLarge,
        Refusal::Slow,
    ] {
        let answer = answer(refusal);
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut response = httparse::Response::new(&mut fields);
        let Ok(httparse::Status::Complete(head)) = response.parse(answer.as_bytes()) else {
            panic!("{answer}")
        };
        let length = response.headers.iter().find(|field| field.name == "Content-Length").unwrap().value;
        assert_eq!(str::from_utf8(length).unwrap(), (answer.len() - head).to_string());
        assert!(!answer.contains("Access-Control"), "a page must not read it");
    }
}

/// Heads that are right or nearly so, which is where a parser could change its mind.
fn heads() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("Host: cr.boss.org:5000".to_owned()),
        Just("Host: evil.example".to_owned()),
        Just("Origin: null".to_owned()),
        Just("Sec-Fetch-Mode: cors".to_owned()),
        Just("User-Agent: Mozilla/5.0".to_owned()),
        Just("Bad field".to_owned()),
        (1_usize..9000).prop_map(|length| format!("X: {}", "y".repeat(length))),
        "[A-Za-z-]{1,12}: ?[ -~]{0,40}",
    ];
    let request = prop_oneof![
        8 => Just("GET /v2/ HTTP/1.1".to_owned()),
        1 => Just("PRI * HTTP/2.0".to_owned()),
        1 => Just("\u{16}\u{3}".to_owned()),
        1 => "[ -~]{0,20}",
    ];
    let end = prop_oneof![Just("\r\n"), Just("\n")];
    (request, prop::collection::vec(line, 0..6), end, prop::collection::vec(any::<u8>(), 0..64)).prop_map(
        |(request, lines, end, body)| {
            let mut head = request.into_bytes();
            for line in lines {
                head.extend(end.as_bytes());
                head.extend(line.as_bytes());
            }
            head.extend(end.as_bytes());
            head.extend(end.as_bytes());
            head.extend(body);
            head
        },
    )
}

proptest! {
    #[test]
    fn pieces_make_no_difference(head in heads(), pieces in prop::collection::vec(1_usize..700, 0..200)) {
        let gate = gate("127.77.1.2");
        prop_assert_eq!(
            judged(&gate, &head, pieces.into_iter()),
            gate.judge(&head[..head.len().min(HEAD_LIMIT)])
        );
    }

    #[test]
    fn nothing_with_a_browsers_mark_or_without_our_name_passes(head in heads()) {
        let text = String::from_utf8_lossy(&head).into_owned();
        if at_once("127.77.1.2", &head) == Verdict::Admit && head[0] != 0x16 {
            let head = text.split("\r\n\r\n").next().unwrap().split("\n\n").next().unwrap();
            prop_assert!(head.contains("Host: cr.boss.org:5000"));
            for mark in ["\nOrigin: null", "\nSec-Fetch-Mode", "\nUser-Agent: Mozilla"] {
                prop_assert!(!head.contains(mark));
            }
        }
    }
}
