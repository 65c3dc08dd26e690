//! An engine of another machine, reached over connections that somebody else makes.

use crate::dial::Duplex;
use futures::future::BoxFuture;
use std::{fmt, io, sync::Arc};

type Connect = dyn Fn() -> BoxFuture<'static, io::Result<Box<dyn Duplex>>> + Send + Sync;

/// How to get a connection to it. Two are the same only if one is a clone of the other.
#[derive(Clone)]
pub struct Elsewhere {
    name: String,
    connect: Arc<Connect>,
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
        Self { name: name.into(), connect: Arc::new(connect) }
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
