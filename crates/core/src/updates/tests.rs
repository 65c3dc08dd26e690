//! Questions to a real server on this machine, and what is kept of the answers.

use super::{Address, Document, Kept, RUNNING, UpdateError, ask};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::get,
};
use dockline_model::{Code, UiError, UnixMillis, UpdateCheck};
use std::{convert::Infallible, time::Duration};
use tokio::net::TcpListener;

const SOON: Duration = Duration::from_secs(10);
const DAY: u64 = 24 * 60 * 60 * 1000;

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn answer(body: impl Into<Bytes>) -> Result<Document, UpdateError> {
    let body = body.into();
    let root = serve(Router::new().route("/it", get(move || async move { body }))).await;
    ask(&format!("{root}/it").parse().unwrap(), SOON).await
}

fn document(version: &str) -> Document {
    Document { version: version.parse().unwrap(), url: "https://example.org/".to_owned(), notes: None }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn code(error: &UpdateError) -> Code {
    UiError::from(error).code
}

#[tokio::test]
async fn a_document_is_read_and_made_fit_to_be_shown() {
    let body = "{\"version\": \"v1.2.0\", \"url\": \"https://example.org/new\", \"later\": [1],
        \"notes\": \"\\u001b[2JFaster.\\n\\u202eSafer.\\r\\n\"}";
    let read = answer(body).await.unwrap();
    assert_eq!((read.version.to_string().as_str(), read.url.as_str()), ("1.2.0", "https://example.org/new"));
    assert_eq!(read.notes.as_deref(), Some("[2JFaster.\nSafer."));
    let read =
        answer("{\"version\": \"1.2.0-rc.1\", \"url\": \"https://example.org\", \"notes\": \" \"}").await;
    assert_eq!(read.unwrap().notes, None);
}

#[tokio::test]
async fn the_question_tells_nothing_of_who_asks() {
    let (seen, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let heard = move |headers: HeaderMap| {
        seen.send(headers).unwrap();
        async { "{\"version\": \"1.0.0\", \"url\": \"https://example.org\"}" }
    };
    let root = serve(Router::new().route("/it", get(heard))).await;
    ask(&address(&format!("{root}/it")), SOON).await.unwrap();
    let headers = asked.recv().await.unwrap();
    let mut names: Vec<&str> = headers.keys().map(header::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent"]);
    assert_eq!(headers[header::USER_AGENT], "dockline");
}

#[tokio::test]
async fn what_is_no_such_document_is_refused() {
    for body in [
        "",
        "<html>Sign in</html>",
        "[]",
        "{\"version\": 1, \"url\": \"https://e.org\"}",
        "{\"version\": \"1.0.0\"}",
    ] {
        let error = answer(body).await.unwrap_err();
        assert!(matches!(error, UpdateError::Document { .. }), "{body}: {error:?}");
        assert_eq!(code(&error), Code::UpdateInvalid);
    }
    let error = answer("{\"version\": \"newest\", \"url\": \"https://e.org\"}").await.unwrap_err();
    assert!(matches!(&error, UpdateError::Version { text, .. } if text == "newest"), "{error:?}");
    for page in
        ["javascript:alert(1)", "file:///etc/passwd", "http://example.org/", "https://u:p@example.org/", "x"]
    {
        let error = answer(format!("{{\"version\": \"1.0.0\", \"url\": \"{page}\"}}")).await.unwrap_err();
        assert!(matches!(error, UpdateError::Page { .. }), "{page}: {error:?}");
    }
}

#[tokio::test]
async fn no_more_is_read_than_a_document_can_have() {
    let error = answer(vec![b' '; (64 << 10) + 1]).await.unwrap_err();
    assert!(matches!(error, UpdateError::TooLarge { kib: 64, .. }), "{error:?}");
    // One without an end, whose length nobody said.
    let endless = || async {
        Body::from_stream(futures::stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b' '; 4096]))))
    };
    let root = serve(Router::new().route("/it", get(endless))).await;
    let error = ask(&address(&format!("{root}/it")), SOON).await.unwrap_err();
    assert!(matches!(error, UpdateError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_sends_on_to_where_dockline_goes_and_nowhere_else() {
    let to = |location: &'static str| get(move || async move { Redirect::temporary(location) });
    let router = Router::new()
        .route("/good", to("/it"))
        .route("/plain", to("http://example.org/it"))
        .route("/file", to("file:///etc/passwd"))
        .route("/circle", to("/circle"))
        .route("/nowhere", get(|| async { StatusCode::FOUND.into_response() }))
        .route("/gone", get(|| async { StatusCode::GONE.into_response() }))
        .route("/it", get(|| async { "{\"version\": \"1.0.0\", \"url\": \"https://example.org\"}" }));
    let root = serve(router).await;
    let asked = |path: &str| {
        let address = address(&format!("{root}{path}"));
        async move { ask(&address, SOON).await }
    };
    assert_eq!(asked("/good").await.unwrap().version.to_string(), "1.0.0");
    for path in ["/plain", "/file"] {
        let error = asked(path).await.unwrap_err();
        assert!(matches!(error, UpdateError::Onward { .. }), "{path}: {error:?}");
        assert_eq!(code(&error), Code::UpdateUnreachable);
    }
    assert!(matches!(asked("/circle").await, Err(UpdateError::Circle { .. })));
    assert!(matches!(asked("/nowhere").await, Err(UpdateError::Status { status: 302, .. })));
    assert!(matches!(asked("/gone").await, Err(UpdateError::Status { status: 410, .. })));
    // Nobody elsewhere has this machine asked anything.
    assert_eq!(address("https://example.org/it").onward("https://127.0.0.1/it"), None);
    assert_eq!(address("https://example.org/it").onward("http://localhost/it"), None);
    let onward = address("https://example.org/it").onward("//other.example.org/it");
    assert_eq!(onward, Some(address("https://other.example.org/it")));
}

#[tokio::test]
async fn whoever_is_not_there_or_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = address(&format!("http://{}/", listener.local_addr().unwrap()));
    let error = ask(&silent, Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(code(&error), Code::TimedOut);
    // Not HTTP, and gone in the middle.
    drop(listener);
    let error = ask(&silent, SOON).await.unwrap_err();
    assert!(matches!(error, UpdateError::Unreachable { .. }), "{error:?}");
    let ui = UiError::from(&error);
    assert_eq!(ui.code, Code::UpdateUnreachable);
    assert!(ui.message.starts_with("127.0.0.1:") && ui.details.is_some(), "{ui:?}");
    // TLS is meant, and plain HTTP answers.
    let root = serve(Router::new()).await.replace("http:", "https:");
    assert_eq!(code(&ask(&address(&root), SOON).await.unwrap_err()), Code::UpdateUnreachable);
}

#[test]
fn only_an_address_that_nobody_on_the_way_can_answer_for_is_taken() {
    for good in
        ["https://example.org/a.json", "http://127.0.0.1:8080/", "http://[::1]/", "http://localhost/x"]
    {
        assert_eq!(address(good).to_string(), good);
    }
    assert_eq!(address(" https://example.org#top ").to_string(), "https://example.org/");
    for bad in [
        "",
        "example.org",
        "http://example.org/",
        "http://127.0.0.1.example.org/",
        "ftp://example.org/",
        "file:///x",
        "http://localhost.example.org/",
    ] {
        assert!(bad.parse::<Address>().is_err(), "{bad}");
    }
    for secret in ["https://me:hunter2@example.org/", "https://me:hunter2@exa mple.org/"] {
        let error = secret.parse::<Address>().unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn each_version_is_news_once_and_what_runs_decides_what_is_newer() {
    let (here, now) = (address("https://example.org/"), UnixMillis(5));
    let mut kept = Kept::default();
    let told = |kept: &mut Kept, version: &str| {
        kept.answered(&here, now, document(version));
        let last = kept.view(Some("https://example.org/"), RUNNING, false).last.unwrap();
        (last.is_news, last.release.map(|release| release.version))
    };
    assert_eq!(told(&mut kept, "0.0.1"), (false, None));
    assert_eq!(told(&mut kept, RUNNING), (false, None));
    assert_eq!(told(&mut kept, &format!("{RUNNING}+build.7")), (false, None));
    assert_eq!(told(&mut kept, "98.0.0-rc.1"), (true, Some("98.0.0-rc.1".to_owned())));
    assert_eq!(told(&mut kept, "98.0.0"), (true, Some("98.0.0".to_owned())));
    assert_eq!(told(&mut kept, "98.0.0"), (false, Some("98.0.0".to_owned())));
    assert_eq!(told(&mut kept, "97.0.0"), (false, Some("97.0.0".to_owned())));
    assert_eq!(told(&mut kept, "98.0.0"), (false, Some("98.0.0".to_owned())));
    // Another address does not make it news again, and the old one's answer counts for nothing there.
    let there = address("https://example.com/");
    assert_eq!(kept.view(Some("https://example.com/"), RUNNING, false).last, None);
    kept.answered(&there, now, document("98.0.0"));
    assert!(!kept.view(Some("https://example.com/"), RUNNING, false).last.unwrap().is_news);
    // The program was replaced meanwhile.
    assert_eq!(kept.view(Some("https://example.com/"), "98.0.0", false).last.unwrap().release, None);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("updates.json");
    kept.write(&path).unwrap();
    assert_eq!(Kept::read(&path), kept);
    std::fs::write(&path, "{").unwrap();
    assert_eq!(Kept::read(&path), Kept::default());
}

#[test]
fn it_is_asked_as_often_as_the_settings_say_and_no_more() {
    let here = address("https://example.org/");
    let mut kept = Kept::default();
    let hours =
        |kept: &Kept, check, now| kept.due_in(check, &here, UnixMillis(now)).map(|due| due.as_secs() / 3600);
    let start = 100 * DAY;
    assert_eq!(hours(&kept, UpdateCheck::Off, start), None);
    assert_eq!(hours(&kept, UpdateCheck::Weekly, start), Some(0));
    kept.answered(&here, UnixMillis(start), document("1.0.0"));
    assert_eq!(hours(&kept, UpdateCheck::Off, start), None);
    assert_eq!(hours(&kept, UpdateCheck::Daily, start), Some(24));
    assert_eq!(hours(&kept, UpdateCheck::Weekly, start + DAY), Some(6 * 24));
    assert_eq!(hours(&kept, UpdateCheck::Weekly, start + 8 * DAY), Some(0));
    assert_eq!(hours(&kept, UpdateCheck::Weekly, start - DAY), Some(0), "the clock was set back");
    let error = UiError::new(Code::UpdateUnreachable, "…");
    kept.failed(&here, UnixMillis(start + 8 * DAY), error);
    assert_eq!(hours(&kept, UpdateCheck::Weekly, start + 8 * DAY), Some(6), "not at once again");
    let view = kept.view(Some("https://example.org/"), RUNNING, false);
    assert!(view.failure.is_some() && view.last.is_some(), "what was known stays");
    assert_eq!(
        kept.due_in(UpdateCheck::Weekly, &address("https://example.com/"), UnixMillis(start)),
        Some(Duration::ZERO)
    );
}
