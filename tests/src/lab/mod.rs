//! The lab: registry hosts, engines, a person's machine and Dockline itself, all real.
//!
//! ```no_run
//! use dockline_tests::lab::{self, Dockline, Need, RegistryHost};
//!
//! if !lab::requires(&[Need::Root, Need::Sshd, Need::Registry]) {
//!     return; // counted as skipped; a panic where CI=true
//! }
//! let host = RegistryHost::start();
//! let dockline = Dockline::new();
//! let name = dockline.add(&host);
//! dockline.json(&["connect", name.as_str()]).expect_success();
//! assert_eq!(host.logins(), 1);
//! ```
//!
//! Several test processes may run side by side: whatever must be unique on a machine (network namespaces,
//! addresses, folders) hangs on a *slot*, which is locked for as long as its process lives. What a killed process
//! left behind is removed by whoever claims its slot next.

mod archive;
mod authority;
mod daemon;
mod dockerd;
mod dockline;
mod gate;
mod machine;
mod needs;
mod newer_sshd;
mod person;
mod registry_host;
mod rootless;
mod shell;
mod slot;
mod systemd;
mod terminal;
mod token_server;
mod until;
mod watcher;
mod workplace;
mod workstation;

pub use archive::write_image;
pub use authority::Authority;
pub use daemon::Daemon;
pub use dockerd::{CONTAINERD_STORE, Dockerd};
pub use dockline::{Agent, Dockline, Outcome, dockline_program, helper_program};
pub use gate::Gate;
pub use machine::DesktopMachine;
pub use needs::{Need, free_port, newer_docker, newer_openssh, package_file, requires};
pub use newer_sshd::NewerSshd;
pub use person::Person;
pub use registry_host::{RegistryHost, RegistryHostOptions};
pub use rootless::{Podman, ROOTLESS_SCRIPT, RootlessDockerd};
pub use shell::{Finished, run, try_run};
pub use slot::{Slot, unique_registry_name};
pub use systemd::{Service, Systemd};
pub use terminal::Terminal;
pub use token_server::TokenServer;
pub use until::until;
pub use watcher::Watcher;
pub use workplace::Workplace;
pub use workstation::Workstation;
