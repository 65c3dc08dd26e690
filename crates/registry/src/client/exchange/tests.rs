//! Tests of [`super`].

use super::*;
use crate::ClientConfig;

#[test]
fn a_full_disk_is_heard_in_both_of_the_registrys_ways() {
    // As registry 2.8.2 answered a PATCH and a POST on a full tmpfs.
    for body in [
        r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":"write /x/data: no space left on device"}]}"#,
        r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Path":"/x/startedat","Err":28}}}]}"#,
    ] {
        assert!(Words::of(500, body.as_bytes()).is_full, "{body}");
    }
    let other =
        r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"Enclosed":{"Err":13}}}]}"#;
    assert!(!Words::of(500, other.as_bytes()).is_full);
    assert_eq!(Words::of(502, b"<html>\nBad gateway").details, "HTTP 502 <html>");
}

#[test]
fn locations_stay_at_our_address() {
    let client = Client::new(ClientConfig::new(([127, 77, 1, 2], 5000).into(), "cr.boss.org:5000")).unwrap();
    let from = client.url("/v2/app/blobs/uploads/");
    for location in [
        "/v2/app/blobs/uploads/1?_state=a%3D",
        "http://cr.boss.org:5000/v2/app/blobs/uploads/1?_state=a%3D",
        "https://inside.example/v2/app/blobs/uploads/1?_state=a%3D",
        "1?_state=a%3D",
    ] {
        let url = client.located(&from, location).unwrap();
        assert_eq!(url.as_str(), "http://127.77.1.2:5000/v2/app/blobs/uploads/1?_state=a%3D");
    }
    let ours = |text: &str| client.is_ours(&Url::parse(text).unwrap());
    assert!(ours("http://cr.boss.org:5000/x") && ours("http://127.77.1.2:5000/x"));
    assert!(!ours("http://s3.example/x") && !ours("http://127.0.0.1:5000/x"));
}
