//! The short form of the campaign of faults; `cargo xtask faults` is the long one.

use dockline_tests::{
    faults::{Campaign, Length},
    lab::{Need, requires},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transfers_under_faults_are_right_or_visibly_broken_and_leave_nothing_behind() {
    if !requires(&[Need::Root, Need::Sshd]) {
        return;
    }
    let campaign = Campaign { seed: 1, rounds: 0..48, worlds: 8, length: Length::Short };
    let report = campaign.run(|report| println!("{report}")).await;
    assert!(report.violations.is_empty(), "{report}\n{}", report.violations.join("\n"));
    assert_eq!(report.rounds, 48);
    // A campaign whose faults come too late finds nothing.
    assert!(report.struck >= 40, "{report}");
    assert!(report.endings["right"] > 0 && report.endings["broken"] > 0, "{report}");
}
