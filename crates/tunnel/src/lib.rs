//! Reference-counted SSH tunnels to registry hosts.
#![allow(missing_docs, unused)]
mod ask;
mod config;
pub use ask::{Ask, Nobody, SecretId};
pub use config::{PoolLimits, SshEnvironment, TunnelConfig};

use dockline_model::{LeaseHolder, TunnelView, UiError};
use std::sync::Arc;
use tokio::sync::watch;

/// One registry's tunnel.
#[derive(Clone)]
pub struct Tunnel(Arc<watch::Sender<TunnelView>>);
/// A hold on the tunnel; dropping it lets go.
pub struct Lease(());
impl Tunnel {
    pub async fn start(config: TunnelConfig, ask: Arc<dyn Ask>) -> Tunnel {
        Tunnel(Arc::new(watch::channel(TunnelView::idle()).0))
    }
    pub fn lease(&self, holder: LeaseHolder) -> Lease {
        Lease(())
    }
    pub async fn up(&self, lease: &Lease) -> Result<(), UiError> {
        Ok(())
    }
    pub async fn disconnect(&self, force: bool) {}
    pub fn view(&self) -> TunnelView {
        self.0.borrow().clone()
    }
    pub fn watch(&self) -> watch::Receiver<TunnelView> {
        self.0.subscribe()
    }
    pub async fn stop(self) {}
}
