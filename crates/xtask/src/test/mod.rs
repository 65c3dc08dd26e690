//! `cargo xtask test`: everything that `.ci/run` checks, each step whatever became of the ones before it.

mod deny;
pub(crate) mod run;
pub(crate) mod tally;

use crate::{
    bindings, newer,
    package::{self, Profile},
    packages, vendor, workspace,
};
use anyhow::{Context, Result, bail};
use run::{succeeds, watch};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use tally::Tally;

type Check = fn() -> Result<Tally>;

/// The steps in their order; the black-box tests follow, a step for each file of `tests/tests`.
const STEPS: &[(&str, Check)] = &[
    ("fmt", fmt),
    ("bindings", check_bindings),
    ("vendor", check_vendor),
    ("ui", ui),
    ("clippy", clippy),
    ("doc", doc),
    ("deny", deny::check),
    ("unit", unit),
    ("programs", programs),
];

/// Tests of one step that take longer than this hang.
const LIMIT: Duration = Duration::from_secs(10 * 60);

#[derive(clap::Args)]
pub struct Options {
    /// Only these steps, separated by commas: fmt, bindings, vendor, ui, clippy, doc, deny, unit, programs, blackbox, or a
    /// file of tests/tests by name.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

struct Step {
    name: String,
    tally: Tally,
    took: Duration,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let black_box = black_box_files()?;
    let known =
        STEPS.iter().map(|(name, _)| *name).chain(["blackbox"]).chain(black_box.iter().map(String::as_str));
    let known: Vec<&str> = known.collect();
    if let Some(unknown) = options.only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("There is no step “{unknown}”; the steps are {}.", known.join(", "));
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let wanted_black_box: Vec<&String> =
        black_box.iter().filter(|file| wanted("blackbox") || wanted(file)).collect();

    let needs =
        [packages::BUILD, packages::DESKTOP, packages::TESTS, packages::DESKTOP_TESTS, packages::PACKAGE]
            .concat();
    if let Err(error) = packages::install(&needs) {
        // The steps that need none of it are still worth running; the others say what they lack.
        println!("{error:#}");
    }
    prepare_folders()?;
    for newer in [newer::DOCKER, newer::OPENSSH] {
        if !wanted_black_box.is_empty()
            && let Err(error) = newer::provide(&newer)
        {
            println!("{error:#}");
        }
    }

    let mut steps = Vec::new();
    for (name, step) in STEPS {
        // Black-box tests run the programs, so those are built whenever any of them is to run.
        if wanted(name) || (*name == "programs" && !wanted_black_box.is_empty()) {
            steps.push(perform(name, step));
        }
    }
    for file in wanted_black_box {
        steps.push(perform(file, || black_box_test(file)));
    }
    close(&steps)
}

fn perform(name: &str, step: impl FnOnce() -> Result<Tally>) -> Step {
    println!("\n== {name}");
    let began = Instant::now();
    let tally = step().unwrap_or_else(|error| {
        println!("{error:#}");
        Tally::FAILED
    });
    Step { name: name.to_owned(), tally, took: began.elapsed() }
}

/// Prints what became of each step and, as the very last line, the totals.
fn close(steps: &[Step]) -> Result<ExitCode> {
    println!("\n{:<24} {:>8} {:>8} {:>8} {:>8}", "step", "passed", "failed", "skipped", "seconds");
    let mut total = Tally::default();
    for Step { name, tally, took } in steps {
        total += *tally;
        let Tally { passed, failed, skipped } = tally;
        println!("{name:<24} {passed:>8} {failed:>8} {skipped:>8} {:>8}", took.as_secs());
    }
    let skipped = fs::read_to_string(skipped_tests()).unwrap_or_default();
    if !skipped.is_empty() {
        println!("\nskipped here:\n{}", skipped.trim_end());
    }
    println!("\n(checks such as clippy count as one each; screenshots are in {})", screenshots().display());
    println!("{total}");
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn fmt() -> Result<Tally> {
    Ok(Tally::of(succeeds(workspace::cargo(["fmt", "--all", "--check"]))?))
}

fn check_bindings() -> Result<Tally> {
    bindings::check().map(|()| Tally::PASSED)
}

fn check_vendor() -> Result<Tally> {
    vendor::check().map(|()| Tally::PASSED)
}

/// The window: its types, its tests, the page that the desktop app holds inside (so it comes before clippy), and how that
/// page looks in a browser in every state.
fn ui() -> Result<Tally> {
    workspace::install_npm_packages()?;
    let mut tally = Tally::of(succeeds(workspace::npm(&["run", "check"]))?);
    tally += vitest()?;
    tally += Tally::of(succeeds(workspace::npm(&["run", "build"]))?);
    tally += looks()?;
    Ok(tally)
}

/// What the browser's pictures show that a machine can tell; a browser is one of the tests' own needs.
fn looks() -> Result<Tally> {
    if workspace::find_program("chromium").is_none() && std::env::var_os("CHROMIUM").is_none() {
        anyhow::ensure!(std::env::var_os("CI").is_none(), "There is no Chromium (apt-get install chromium).");
        println!("*** SKIPPED: the page's looks in a browser; there is no Chromium");
        return Ok(Tally { skipped: 1, ..Tally::default() });
    }
    Ok(Tally::of(succeeds(workspace::npm(&["run", "shots", "--", "--check"]))?))
}

fn vitest() -> Result<Tally> {
    let report = workspace::target().join("vitest.json");
    fs::remove_file(&report).ok(); // one from an earlier run must not be counted
    let output = format!("--outputFile.json={}", report.display());
    let arguments = ["run", "test", "--", "--reporter=default", "--reporter=json", &output];
    let succeeded = succeeds(workspace::npm(&arguments))?;
    let text = fs::read_to_string(&report).context("Vitest wrote no report")?;
    let tally = Tally::of_vitest(&text).context("Vitest's report cannot be read")?;
    Ok(if succeeded { tally } else { tally.surely_failed() })
}

/// The desktop app does not compile without the page it holds inside; after the step `ui` it is there.
pub(crate) fn page_is_built() -> Result<()> {
    let page = workspace::root().join("ui").join("dist").join("index.html");
    if page.is_file() { Ok(()) } else { workspace::build_ui() }
}

fn clippy() -> Result<Tally> {
    page_is_built()?;
    let arguments = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
    Ok(Tally::of(succeeds(workspace::cargo(arguments))?))
}

/// The libraries' documentation; what programs have to say is their `--help`, in another notation.
fn doc() -> Result<Tally> {
    page_is_built()?;
    let doc =
        workspace::cargo(["doc", "--workspace", "--lib", "--no-deps", "--document-private-items", "--quiet"]);
    Ok(Tally::of(succeeds(doc.env("RUSTDOCFLAGS", "--deny warnings"))?))
}

/// The tests of the crates themselves.
fn unit() -> Result<Tally> {
    page_is_built()?;
    // Building has no limit, running has; so all tests are built here, those of the black-box steps too.
    if !succeeds(workspace::cargo(["test", "--workspace", "--no-run", "--quiet"]))? {
        bail!("The tests do not build.");
    }
    // Without the black-box tests, and yet with `--workspace` and not with `--exclude`: the dependencies of fewer
    // packages have fewer features, and would be built a second time.
    let mut arguments: Vec<String> =
        ["test", "--workspace", "--no-fail-fast", "--lib", "--bins"].map(str::to_owned).to_vec();
    let black_box = black_box_files()?;
    for name in crates_test_files()? {
        if black_box.contains(&name) {
            bail!(
                "{name}.rs is a test of a crate and a black-box test too; cargo tells them apart by name only."
            );
        }
        arguments.extend(["--test".to_owned(), name]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut tally = cargo_test(with_limit(&arguments))?;
    tally += cargo_test(with_limit(&["test", "--workspace", "--no-fail-fast", "--doc"]))?;
    Ok(tally)
}

/// The test programs that packages have beside their unit tests, those of the black-box tests' own left out.
fn crates_test_files() -> Result<Vec<String>> {
    let mut files = Vec::new();
    for group in ["crates", "tests", "."] {
        let group = workspace::root().join(group);
        let entries =
            fs::read_dir(&group).with_context(|| format!("{} cannot be listed", group.display()))?;
        let packages = entries.flatten().map(|entry| entry.path());
        let packages = packages.filter(|path| path.join("Cargo.toml").is_file() && !path.ends_with("tests"));
        for folder in packages.map(|package| package.join("tests")).filter(|folder| folder.is_dir()) {
            files.extend(test_files(&folder)?);
        }
    }
    Ok(files)
}

/// The programs that the black-box tests run, and a package of them. `--workspace`, so that every dependency is built with the same
/// features as for the tests before, and so only once.
fn programs() -> Result<Tally> {
    page_is_built()?;
    let built = Tally::of(succeeds(workspace::cargo(["build", "--workspace", "--bins", "--quiet"]))?);
    if built.failed > 0 || !cfg!(target_os = "linux") || workspace::find_program("dpkg-deb").is_none() {
        return Ok(built);
    }
    package::pack(Profile::Debug)?;
    Ok(built)
}

/// One file of `tests/tests`. One test at a time: they share the machine's hosts, screen and engine time, and two
/// cores make no more than one of them fast.
fn black_box_test(file: &str) -> Result<Tally> {
    let program = |name: &str| {
        workspace::target().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    };
    // `--workspace` for the reason given at `programs`; only the one test program is run.
    let arguments = ["test", "--workspace", "--test", file, "--", "--test-threads=1"];
    let test = with_limit(&arguments)
        .env("DOCKLINE_PROGRAM", program("dockline"))
        .env("DOCKLINE_DESKTOP_PROGRAM", program("dockline-desktop"))
        .env("DOCKLINE_TEST_PACKAGE", package::path(Profile::Debug))
        .env(newer::DOCKER.variable, newer::folder(&newer::DOCKER))
        .env(newer::OPENSSH.variable, newer::folder(&newer::OPENSSH));
    cargo_test(test)
}

/// cargo under timeout(1), which ends everything that a hanging test has started; without it where there is none.
fn with_limit(arguments: &[&str]) -> duct::Expression {
    if !cfg!(target_os = "linux") {
        return workspace::cargo(arguments);
    }
    let words = ["--kill-after=20s".into(), format!("{}s", LIMIT.as_secs()).into(), workspace::cargo_path()];
    let arguments = arguments.iter().map(OsString::from);
    workspace::without_own_package(workspace::program("timeout", words.into_iter().chain(arguments)))
}

fn cargo_test(expression: duct::Expression) -> Result<Tally> {
    let noted = || fs::read_to_string(skipped_tests()).map_or(0, |text| text.lines().count());
    let before = noted();
    let finished = watch(expression.env("DOCKLINE_SKIPPED_TESTS", skipped_tests()))?;
    // A test that skips itself adds a line to that file, or writes one of these past its harness.
    let said = finished.output.lines().filter(|line| line.starts_with("*** SKIPPED")).count();
    let skipped = u32::try_from(noted() - before + said).unwrap_or(u32::MAX);
    let tally = Tally::of_cargo_test(&finished.output).skipped_itself(skipped);
    Ok(if finished.succeeded { tally } else { tally.surely_failed() })
}

fn black_box_files() -> Result<Vec<String>> {
    let mut names = test_files(&workspace::root().join("tests").join("tests"))?;
    // If the lab does not work, nothing after it means anything.
    names.sort_by_key(|name| name != "lab");
    Ok(names)
}

/// The names of a folder's test programs, in order.
fn test_files(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        // A file, or a folder with a `main.rs`, as cargo finds them; other folders are modules of several.
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file()
        })
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn prepare_folders() -> Result<()> {
    fs::create_dir_all(screenshots()).context("the folder for screenshots cannot be made")?;
    fs::write(skipped_tests(), "").context("the list of skipped tests cannot be begun")
}

/// Where tests that skip themselves say so.
fn skipped_tests() -> PathBuf {
    workspace::target().join("skipped-tests.txt")
}

/// Where the desktop's tests put what the screen showed.
fn screenshots() -> PathBuf {
    workspace::target().join("screenshots")
}
