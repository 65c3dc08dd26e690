//! “Make docker push work here” with real engines: what is planned, what is written, what the engine says, and that an
//! undo leaves nothing. Each machine is a workstation with an `/etc` of its own. A module for each kind of engine.

mod builder;
mod desktop;
mod dockerd;
mod podman;
mod roads;
mod rootless;

use dockline_model::{CheckOutcome, SettingsFile, SetupPlan, SetupReport};
use dockline_tests::lab::Need;

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];

fn files(plan: &SetupPlan) -> Vec<SettingsFile> {
    plan.changes.iter().map(|change| change.file).collect()
}

fn all_reached(report: &SetupReport) -> bool {
    !report.checks.is_empty()
        && report.checks.iter().all(|check| check.outcome == CheckOutcome::Reached { login_wanted: false })
}
