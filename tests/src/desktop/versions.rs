//! Where Dockline asks for newer versions of itself.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// The address of a document that names whatever version is the newest.
///
/// # Panics
/// When no port is free.
pub async fn serve_versions(newest: Arc<Mutex<&'static str>>) -> String {
    serve_counted_versions(newest).await.0
}

/// The same, and how often it was asked for.
///
/// # Panics
/// When no port is free.
pub async fn serve_counted_versions(newest: Arc<Mutex<&'static str>>) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let document = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let version = *newest.lock().expect("nobody panics with it");
        async move { format!("{{\"version\": \"{version}\", \"url\": \"https://example.org/{version}\"}}") }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/dockline.json", listener.local_addr().expect("it is bound"));
    let router = axum::Router::new().route("/dockline.json", axum::routing::get(document));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}
