//! An engine of another machine, reached over connections that somebody else makes.

use crate::{dial::Duplex, transport::Line};
use futures::future::BoxFuture;
use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// How long the rest of an answer may take, before another connection is made for the next question.
const REST: Duration = Duration::from_secs(2);

type Connect = dyn Fn() -> BoxFuture<'static, io::Result<Box<dyn Duplex>>> + Send + Sync;

/// How to get a connection to it. Two are the same only if one is a clone of the other.
#[derive(Clone)]
pub struct Elsewhere {
    name: String,
    connect: Arc<Connect>,
    /// Connections are dear where each begins with a program's start: one is kept for the next question.
    kept: Arc<Mutex<Option<Line>>>,
}

impl Elsewhere {
    /// `name` is the machine's, for messages; `connect` makes a connection to its engine's API.
    pub fn new<F, S>(name: impl Into<String>, connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let connect = move || -> BoxFuture<'static, io::Result<Box<dyn Duplex>>> {
            let connecting = connect();
            Box::pin(async move { Ok(Box::new(connecting.await?) as Box<dyn Duplex>) })
        };
        Self { name: name.into(), connect: Arc::new(connect), kept: Arc::default() }
    }

    /// The connection that brought an earlier answer, if it is still there.
    pub(crate) async fn kept(&self) -> Option<Line> {
        let mut line = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        match timeout(REST, line.sender.ready()).await {
            Ok(ready) => ready.ok().map(|()| line),
            // Somebody may be reading it still.
            Err(_) => {
                line.leave();
                None
            }
        }
    }

    /// For the next question, once its answer has been read.
    pub(crate) fn keep(&self, line: Line) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            // Of two questions at once, one connection is enough for the next.
            Some(_) => line.leave(),
            None => *kept = Some(line),
        }
    }

    pub(crate) async fn dial(&self) -> io::Result<Box<dyn Duplex>> {
        (self.connect)().await
    }
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Elsewhere").field(&self.name).finish()
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Elsewhere {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.connect, &other.connect)
    }
}

impl Eq for Elsewhere {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EngineEndpoint, transport};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream},
        task::yield_now,
    };

    /// Answers so many questions, and hangs up.
    async fn answer(stream: DuplexStream, questions: usize) {
        let mut stream = BufReader::new(stream);
        for _ in 0..questions {
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                if stream.read_line(&mut line).await.unwrap() == 0 {
                    return;
                }
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_machine_that_never_stops_answering_is_hung_up_on() {
        let said = Arc::new(AtomicUsize::new(0));
        let count = said.clone();
        let machine = Elsewhere::new("there", move || {
            let (here, mut there) = tokio::io::duplex(64 << 10);
            let said = count.clone();
            tokio::spawn(async move {
                there.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await.unwrap();
                while there.write_all(&[b' '; 4096]).await.is_ok() {
                    said.fetch_add(4096, Ordering::Relaxed);
                }
            });
            async move { Ok(here) }
        });
        let endpoint = EngineEndpoint::Elsewhere(machine);
        let begin = std::time::Instant::now();
        assert!(transport::get::<serde_json::Value>(&endpoint, "/version").await.is_err());
        let said = said.load(Ordering::Relaxed);
        assert!(said < 5 << 20, "{said} bytes were taken in {:?}", begin.elapsed());
    }

    #[tokio::test]
    async fn questions_share_a_connection_for_as_long_as_it_lasts() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let machine = Elsewhere::new("there", move || {
            count.fetch_add(1, Ordering::Relaxed);
            let (here, there) = tokio::io::duplex(4096);
            tokio::spawn(answer(there, 2));
            async move { Ok(here) }
        });
        let endpoint = EngineEndpoint::Elsewhere(machine);
        for (question, connections) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] {
            let answer: serde_json::Value = transport::get(&endpoint, "/version").await.unwrap();
            assert_eq!(answer, serde_json::json!({}));
            assert_eq!(made.load(Ordering::Relaxed), connections, "with question {question}");
            // Whoever hangs up gets to it.
            for _ in 0..10 {
                yield_now().await;
            }
        }
        // Of two at once, neither takes the other's.
        let (one, other) = tokio::join!(
            transport::get::<serde_json::Value>(&endpoint, "/version"),
            transport::get::<serde_json::Value>(&endpoint, "/info")
        );
        assert!(one.is_ok() && other.is_ok(), "{one:?}, {other:?}");
    }
}
