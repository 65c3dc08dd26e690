//! The usual place of a test: a machine with Docker, and a Dockline that uses it.

use super::{dockerd::Dockerd, dockline::Dockline, workstation::Workstation};
use std::sync::Arc;

/// A [`Workstation`] with a [`Dockerd`] of its own and a [`Dockline`] that has nothing configured yet. Take it apart:
///
/// ```no_run
/// use dockline_tests::lab::{RegistryHost, Workplace};
///
/// let host = RegistryHost::start();
/// let Workplace { dockerd, dockline, .. } = Workplace::start();
/// let name = dockline.add(&host);
/// dockerd.build_image("app:v1", &[100]);
/// dockline.run(&["push", "app:v1", name.as_str()]).expect_success();
/// ```
#[derive(Debug)]
pub struct Workplace {
    /// The machine.
    pub workstation: Arc<Workstation>,
    /// Its engine.
    pub dockerd: Dockerd,
    /// Its owner's.
    pub dockline: Dockline,
}

impl Workplace {
    /// With the installed dockerd.
    ///
    /// # Panics
    /// When a part does not start; ask [`super::requires`] for root and dockerd first.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Dockerd::start)
    }

    /// With another engine, such as [`Dockerd::newer`].
    ///
    /// # Panics
    /// When a part does not start.
    #[must_use]
    pub fn with(engine: impl FnOnce(&Arc<Workstation>) -> Dockerd) -> Self {
        let workstation = Workstation::start();
        let dockerd = engine(&workstation);
        let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
        Self { workstation, dockerd, dockline }
    }
}
