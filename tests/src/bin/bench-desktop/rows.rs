//! How each figure comes about.

use crate::{Effort, owner};
use anyhow::{Context, Result, bail, ensure};
use dockline_tests::{
    bench::Sample,
    desktop::{App, Browser, Screen, TrayHost, family, processor_time, weight},
    lab::{self, Dockline, RegistryHost},
};
use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// In the order in which they are measured.
pub const ROWS: &[&str] = &[
    "tray-ready-ratio",
    "window-painted-ratio",
    "idle-pss-mib",
    "idle-cpu-percent",
    "busy-cpu-percent",
    "busy-late-frames",
    "installed-mib",
];

/// A page has text, whose edges alone have more colours than this; a window without one has next to none.
const COLOURS_OF_A_PAGE: usize = 24;
/// Rows at the window's upper edge that are looked at.
const STRIP: u16 = 60;
/// Changes a second from the owner.
const CHANGES: u32 = 200;
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured.
pub struct Measured {
    pub value: f64,
    pub unit: &'static str,
    pub limit: f64,
    /// How the value came about.
    pub detail: String,
}

/// What is measured.
pub struct World {
    effort: Effort,
    package: PathBuf,
}

impl World {
    pub const fn set_up(effort: Effort, package: PathBuf) -> Self {
        Self { effort, package }
    }

    pub async fn measure(&self, row: &str) -> Result<Measured> {
        match row {
            "tray-ready-ratio" => self.tray_ready().await,
            "window-painted-ratio" => self.window_painted().await,
            "idle-pss-mib" => self.idle_weight().await,
            "idle-cpu-percent" => self.idle_time().await,
            "busy-cpu-percent" => self.busy(false).await,
            "busy-late-frames" => self.busy(true).await,
            "installed-mib" => self.installed(),
            _ => bail!("{row} is no row"),
        }
    }

    /// From the start of the program until its icon is in the tray and its menu can be read.
    async fn tray_ready(&self) -> Result<Measured> {
        let dockline = with_registries(3);
        let take = async |bare: bool| {
            let screen = Screen::start();
            let mut tray = TrayHost::start(&screen).await;
            let start = Instant::now();
            let arguments: &[&str] = if bare { &["--tray", "--bare"] } else { &["--tray"] };
            let _app = App::spawn(&screen, &dockline, arguments);
            tray.menu().await;
            anyhow::Ok(start.elapsed())
        };
        self.ratio(1.3, take).await
    }

    /// From the start of the program until its page's first line of text is on the screen: the same mark for both.
    async fn window_painted(&self) -> Result<Measured> {
        let dockline = with_registries(3);
        let take = async |bare: bool| {
            let screen = Screen::start();
            let _tray = TrayHost::start(&screen).await;
            let start = Instant::now();
            let _app = App::spawn(&screen, &dockline, if bare { &["--bare"] } else { &[] });
            let painted = timeout(PATIENCE, async {
                // A server tells nobody what others have drawn, so looking is the only way.
                while screen.colours("Dockline", STRIP).len() <= COLOURS_OF_A_PAGE {
                    sleep(Duration::from_millis(4)).await;
                }
            });
            painted.await.context("the window was never painted")?;
            anyhow::Ok(start.elapsed())
        };
        self.ratio(1.5, take).await
    }

    /// Ours beside bare, in turns; the first start of each reads from disk and does not count.
    async fn ratio(&self, limit: f64, take: impl AsyncFn(bool) -> Result<Duration>) -> Result<Measured> {
        let (mut ours, mut bare) = (Sample::default(), Sample::default());
        take(true).await?;
        take(false).await?;
        for turn in 0..self.effort.pairs {
            let order = if turn % 2 == 0 { [true, false] } else { [false, true] };
            for is_bare in order {
                let milliseconds = take(is_bare).await?.as_secs_f64() * 1000.0;
                (if is_bare { &mut bare } else { &mut ours }).push(milliseconds);
            }
        }
        let ((ours, [low, high]), (bare, [bare_low, bare_high])) =
            (ours.median_and_spread(), bare.median_and_spread());
        let detail = format!(
            "{ours:.0} ms ({low:.0}-{high:.0}) beside {bare:.0} ms ({bare_low:.0}-{bare_high:.0}) bare, {} turns",
            self.effort.pairs
        );
        Ok(Measured { value: ours / bare, unit: "x", limit, detail })
    }

    /// Before the first window, and after one was opened and closed: the larger.
    async fn idle_weight(&self) -> Result<Measured> {
        let (screen, dockline) = (Screen::start(), with_registries(3));
        let mut tray = TrayHost::start(&screen).await;
        let app = App::start(&screen, &dockline, &["--tray"]);
        sleep(self.effort.settle).await;
        let before = weight(&family(app.daemon().pid()));
        tray.click("Open Dockline").await;
        screen.wait_for_windows("Dockline", 1).await;
        sleep(self.effort.settle).await;
        let open = weight(&family(app.daemon().pid()));
        screen.close_window(screen.windows("Dockline")[0]);
        screen.wait_for_windows("Dockline", 0).await;
        sleep(self.effort.settle).await;
        let processes = family(app.daemon().pid());
        let after = weight(&processes);
        let detail = format!(
            "{before:.1} before the first window, {open:.1} with it open, {after:.1} after it was closed ({} process)",
            processes.len()
        );
        Ok(Measured { value: before.max(after), unit: "MiB", limit: 60.0, detail })
    }

    /// With three tunnels up, and nothing going on.
    async fn idle_time(&self) -> Result<Measured> {
        let (screen, dockline) = (Screen::start(), Dockline::new());
        let hosts: Vec<RegistryHost> = (0..3).map(|_| RegistryHost::start()).collect();
        let names: Vec<_> = hosts.iter().map(|host| dockline.add(host)).collect();
        let mut tray = TrayHost::start(&screen).await;
        let app = App::start(&screen, &dockline, &["--tray"]);
        for name in &names {
            dockline.json(&["connect", name.as_str()]).expect_success();
            tray.wait_for("Disconnect", |line| line.label == format!("Disconnect {name}")).await;
        }
        sleep(self.effort.settle).await;
        let (share, spread, watched) = self.share_of_a_core(|| family(app.daemon().pid())).await;
        let still_up =
            dockline.snapshot().registries.iter().filter(|one| !one.tunnel.leases.is_empty()).count();
        ensure!(still_up == 3, "only {still_up} tunnels are up");
        let detail = format!("three tunnels, {} s ({spread} in thirds of them)", watched.as_secs());
        Ok(Measured { value: share, unit: "%", limit: 0.2, detail })
    }

    /// The window with sixty layers in it, and two hundred changes a second.
    async fn busy(&self, count_frames: bool) -> Result<Measured> {
        let (screen, dockline) = (Screen::start(), Dockline::new());
        let (switch, on) = watch::channel(false);
        owner::serve(&dockline.home().join("run"), Duration::from_secs(1) / CHANGES, on);
        let browser = Browser::start(&screen, &dockline, &[]).await;
        browser.click("[data-testid=nav-transfers]").await;
        browser.see("[data-testid=transfer-row]").await;
        if !browser.has("[data-testid=layer-row]").await {
            browser.click("[data-testid=toggle-layers]").await;
        }
        browser.see("[data-testid=layer-row]").await;
        let shown = browser.run("return document.querySelectorAll('[data-testid=layer-row]').length").await;
        ensure!(shown == 60, "{shown} layers are shown instead of 60");
        let window =
            || browser.family().into_iter().filter(|pid| is_window(pid.as_raw())).collect::<Vec<_>>();
        ensure!(!window().is_empty(), "the window's processes are not found");
        if count_frames {
            return self.late_frames(&browser, &switch).await;
        }
        let (still, ..) = self.share_of_a_core(&window).await;
        switch.send_replace(true);
        sleep(self.effort.settle).await;
        let before = Self::by_program(&window());
        let (share, spread, watched) = self.share_of_a_core(&window).await;
        let parts = Self::by_program(&window()).into_iter().map(|(program, taken)| {
            let taken = taken.saturating_sub(before.get(&program).copied().unwrap_or_default());
            format!("{program} {:.2}", taken.as_secs_f64() / watched.as_secs_f64() * 100.0)
        });
        let detail = format!(
            "{CHANGES} changes a second, {} s ({spread} in thirds of them): {}; {still:.2} without changes",
            watched.as_secs(),
            parts.collect::<Vec<_>>().join(", "),
        );
        browser.close().await;
        Ok(Measured { value: share, unit: "%", limit: 5.0, detail })
    }

    /// Frames that came later than one frame after the one before, of a page that asks for every frame.
    async fn late_frames(&self, browser: &Browser, switch: &watch::Sender<bool>) -> Result<Measured> {
        switch.send_replace(true);
        sleep(self.effort.settle).await;
        browser
            .run(
                "window.frames_ = []; let last = performance.now();
                 const next = now => { window.frames_.push(now - last); last = now; requestAnimationFrame(next) };
                 requestAnimationFrame(next);",
            )
            .await;
        sleep(self.effort.watch.min(Duration::from_secs(20))).await;
        let gaps: Vec<f64> = serde_json::from_value(browser.run("return window.frames_.slice(5)").await)?;
        ensure!(gaps.len() > 60, "the page had {} frames", gaps.len());
        let mut sorted = gaps.clone();
        sorted.sort_by(f64::total_cmp);
        let frame = sorted[sorted.len() / 2];
        let late = gaps.iter().filter(|gap| **gap > frame * 2.0).count();
        let detail = format!(
            "of {} frames of {frame:.1} ms, the longest {:.0} ms",
            gaps.len(),
            sorted.last().copied().unwrap_or_default()
        );
        Ok(Measured { value: late as f64, unit: "frames", limit: 0.0, detail })
    }

    /// Processor time of the processes while nobody touches them, in percent of a core; how that was in each third of the
    /// time, least and most; and the time.
    async fn share_of_a_core(
        &self,
        processes: impl Fn() -> Vec<nix::unistd::Pid>,
    ) -> (f64, String, Duration) {
        let (start, mut thirds) = (Instant::now(), Sample::default());
        let (mut taken, mut before) = (Duration::ZERO, processor_time(&processes()));
        for _ in 0..3 {
            let third = Instant::now();
            sleep(self.effort.watch / 3).await;
            let now = processor_time(&processes());
            thirds.push(now.saturating_sub(before).as_secs_f64() / third.elapsed().as_secs_f64() * 100.0);
            taken += now.saturating_sub(before);
            before = now;
        }
        let watched = start.elapsed();
        let (_, [low, high]) = thirds.median_and_spread();
        (taken.as_secs_f64() / watched.as_secs_f64() * 100.0, format!("{low:.2}-{high:.2}"), watched)
    }

    /// Processor time so far, by the name of the program.
    fn by_program(processes: &[nix::unistd::Pid]) -> BTreeMap<String, Duration> {
        let mut programs = BTreeMap::new();
        for pid in processes {
            *programs.entry(name_of(pid.as_raw())).or_default() += processor_time(&[*pid]);
        }
        programs
    }

    /// What the package puts onto the disk, as it says itself (deb-control(5), `Installed-Size`).
    fn installed(&self) -> Result<Measured> {
        let package = self.package.display().to_string();
        let kibibytes: f64 = lab::run("dpkg-deb", &["--field", &package, "Installed-Size"])
            .trim()
            .parse()
            .context("the package does not say its size")?;
        let download = fs::metadata(&self.package).context("the package is missing")?.len();
        let listed = lab::run("dpkg-deb", &["--contents", &package]);
        // Mode, owner, size, date, time, name, and for a link its target.
        let programs = listed.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [mode, _, size, _, _, name] = fields.as_slice() else { return None };
            let name = name.strip_prefix("./usr/bin/").filter(|name| !name.is_empty())?;
            Some(format!("{name} {:.1}", mebibytes(size.parse().ok().filter(|_| mode.starts_with('-'))?)))
        });
        let detail =
            format!("{}; the .deb is {:.1}", programs.collect::<Vec<_>>().join(", "), mebibytes(download));
        Ok(Measured { value: kibibytes / 1024.0, unit: "MiB", limit: 15.0, detail })
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn with_registries(count: u8) -> Dockline {
    let dockline = Dockline::new();
    for number in 1..=count {
        let (name, ssh) = (format!("cr{number}.boss.org"), format!("dockercr@192.0.2.{number}"));
        dockline.run(&["add", &name, "--ssh", &ssh]).expect_success();
    }
    dockline
}

/// The first 15 characters of a program's name (proc(5), "comm"); nothing for one that has ended.
fn name_of(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// Whether it is the window's process, or one of its web engine's: not the tray's, nor the driver's.
fn is_window(pid: i32) -> bool {
    let name = name_of(pid);
    name == "dockline-window" || name.starts_with("WebKitWebProces") || name.starts_with("WebKitNetwork")
}
