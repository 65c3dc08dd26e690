//! Where Dockline asks for newer versions of itself.

use std::sync::{Arc, Mutex};

/// The address of a document that names whatever version is the newest.
///
/// # Panics
/// When no port is free.
pub async fn serve_versions(newest: Arc<Mutex<&'static str>>) -> String {
    let document = move || {
        let version = *newest.lock().expect("nobody panics with it");
        async move { format!("{{\"version\": \"{version}\", \"url\": \"https://example.org/{version}\"}}") }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/dockline.json", listener.local_addr().expect("it is bound"));
    let router = axum::Router::new().route("/dockline.json", axum::routing::get(document));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
