//! `cargo xtask platforms`: what can be known on this machine about the systems it is not.
//!
//! Both programs of the terminal are type-checked for them, and for macOS and Windows both of the desktop; where Wine is,
//! tests of the crates that ask little of a system run as Windows programs. No toolchain of the other system is needed:
//! either the running toolchain has its standard library, or Debian's `rustc-web` builds one from source.

use crate::{
    packages,
    test::{page_is_built, run::watch, tally::Tally},
    workspace,
};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use duct::Expression;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

/// They pull in every library but the desktop's.
const PROGRAMS: [&str; 2] = ["dockline-cli", "dockline-helper"];
/// The tray's program and the window's.
const DESKTOP: &str = "dockline-desktop";
/// Crates whose own tests run under Wine: those that neither start Unix programs nor need a real far end.
const RUN_UNDER_WINE: [&str; 3] = ["dockline-model", "dockline-tunnel", "dockline-edits"];
const WINE: [&str; 2] = ["/usr/lib/wine/wine64", "/usr/bin/wine64"];

#[derive(clap::Args)]
pub struct Options {
    /// Only these systems.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Platform>,
    /// Type-check only: run nothing under Wine.
    #[arg(long)]
    no_run: bool,
}

/// A system that the command line is meant for, and that this machine mostly is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Platform {
    /// x86_64-pc-windows-gnu
    Windows,
    /// aarch64-apple-darwin
    Macos,
    /// aarch64-unknown-linux-gnu
    LinuxArm,
}

/// What compiles for another system.
#[derive(Debug)]
enum Toolchain {
    /// The one that runs this: it has the standard library.
    Running,
    /// Debian's, which builds the standard library from source. `RUSTC_BOOTSTRAP` lets a stable compiler do so.
    Debian,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let platforms = if options.only.is_empty() { Platform::value_variants() } else { &options.only };
    if let Err(error) = packages::install(packages::PLATFORMS) {
        println!("{error:#}");
    }
    let mut total = Tally::default();
    let mut lines = Vec::new();
    let mut step = |name: String, step: &dyn Fn() -> Result<Tally>| {
        println!("\n== {name}");
        let began = Instant::now();
        let tally = step().unwrap_or_else(|error| {
            println!("{error:#}");
            Tally::FAILED
        });
        total += tally;
        lines.push(format!("{name:<40} {tally}, {} s", began.elapsed().as_secs()));
    };
    for platform in platforms {
        step(format!("check {}", platform.target()), &|| check(*platform));
        if *platform == Platform::Windows && !options.no_run {
            step("tests under Wine".to_owned(), &run_under_wine);
        }
    }
    println!("\n{}\n{total}", lines.join("\n"));
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Platform {
    const fn target(self) -> &'static str {
        match self {
            Self::Windows => "x86_64-pc-windows-gnu",
            Self::Macos => "aarch64-apple-darwin",
            Self::LinuxArm => "aarch64-unknown-linux-gnu",
        }
    }

    /// clang's name for it.
    const fn triple(self) -> &'static str {
        match self {
            Self::Windows => "x86_64-windows-gnu",
            Self::Macos => "arm64-apple-macosx",
            Self::LinuxArm => "aarch64-linux-gnu",
        }
    }

    /// A C compiler of the system's own.
    const fn c_compiler(self) -> Option<&'static str> {
        match self {
            Self::Windows => Some("x86_64-w64-mingw32-gcc"),
            Self::Macos => None,
            Self::LinuxArm => Some("aarch64-linux-gnu-gcc"),
        }
    }

    /// The packages that are checked. On Linux the desktop stands on GTK, whose libraries are here for this machine alone.
    fn programs(self) -> Vec<&'static str> {
        match self {
            Self::Windows | Self::Macos => PROGRAMS.into_iter().chain([DESKTOP]).collect(),
            Self::LinuxArm => PROGRAMS.to_vec(),
        }
    }

    fn toolchain(self) -> Result<Toolchain> {
        let sysroot = |rustc: &str| duct::cmd!(rustc, "--print", "sysroot").read().map(PathBuf::from);
        let has = |sysroot: PathBuf, below: &str| sysroot.join("lib/rustlib").join(below).is_dir();
        if sysroot("rustc").is_ok_and(|root| has(root, &format!("{}/lib", self.target()))) {
            Ok(Toolchain::Running)
        } else if sysroot(DEBIAN_RUSTC).is_ok_and(|root| has(root, "src/rust/library/std")) {
            Ok(Toolchain::Debian)
        } else {
            bail!(
                "There is no standard library for {target} here. Have one with `rustup target add {target}`, or \
                 on Debian install rustc-web, cargo-web and rust-web-src.",
                target = self.target()
            )
        }
    }

    /// `cargo WORDS… --target …`, with everything that it needs around it.
    fn cargo(self, words: &[&str]) -> Result<Expression> {
        let target = ["--locked", "--target", self.target()];
        let cargo = match self.toolchain()? {
            Toolchain::Running => workspace::cargo(words.iter().chain(&target)),
            Toolchain::Debian => {
                let words = words.iter().chain(&target).chain(&["-Zbuild-std"]);
                workspace::without_own_package(workspace::program(DEBIAN_CARGO, words))
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env_remove("RUSTUP_TOOLCHAIN")
            }
        };
        let cargo = cargo.env("CARGO_TARGET_DIR", folder());
        Ok(match self.c_compiler() {
            Some(name) if workspace::find_program(name).is_some() => cargo,
            Some(_) | None => cargo
                .env(format!("CC_{}", self.target().replace('-', "_")), self.stand_in_c_compiler()?)
                // Any folder: it keeps xcrun from being looked for.
                .env("SDKROOT", "/usr"),
        })
    }

    /// A C compiler for checks: where the other system's headers are missing it leaves an empty object, which nobody
    /// will read, since nothing is linked.
    fn stand_in_c_compiler(self) -> Result<PathBuf> {
        let path = folder().join(format!("cc-{}", self.target()));
        let script = format!(
            "#!/bin/sh\n\
             clang \"$@\" 2>/dev/null && exit\n\
             while [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done\n\
             [ -n \"$out\" ] && exec clang --target={} -c -x c /dev/null -o \"$out\"\n\
             exit 1\n",
            self.triple()
        );
        // cc's build scripts are run anew when it changes, so it is left alone if it is as wanted.
        if !fs::read_to_string(&path).is_ok_and(|there| there == script) {
            fs::create_dir_all(folder()).context("target/platforms cannot be made")?;
            fs::write(&path, script).context("the stand-in for a C compiler cannot be written")?;
            duct::cmd!("chmod", "755", &path).run().context("the stand-in cannot be made a program")?;
        }
        Ok(path)
    }
}

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

fn folder() -> PathBuf {
    workspace::target().join("platforms")
}

fn packages_of(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().flat_map(|name| ["--package", name]).collect()
}

fn check(platform: Platform) -> Result<Tally> {
    let programs = platform.programs();
    if programs.contains(&DESKTOP) {
        page_is_built()?;
    }
    let words = [&["check"][..], &packages_of(&programs)].concat();
    let finished = watch(platform.cargo(&words)?)?;
    // `--deny warnings` would hold for the standard library, too.
    let ours = finished.output.lines().any(|line| line.starts_with("warning: `dockline-"));
    Ok(Tally::of(finished.succeeded && !ours))
}

fn run_under_wine() -> Result<Tally> {
    let Some(wine) = WINE.iter().find(|path| Path::new(path).is_file()) else {
        println!("SKIPPED: there is no 64-bit Wine here (Debian: wine64).");
        return Ok(Tally::SKIPPED);
    };
    let libraries = libraries_for_wine()?;
    let words = [&["test", "--lib", "--no-fail-fast"][..], &packages_of(&RUN_UNDER_WINE)].concat();
    let mut runner = OsString::from("timeout --kill-after=20s 300s ");
    runner.push(wine);
    let tests = Platform::Windows
        .cargo(&words)?
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", runner)
        .env("WINEPREFIX", folder().join("wine"))
        .env("WINEPATH", libraries)
        .env("WINEDEBUG", "-all")
        .env("DOCKLINE_UNDER_WINE", "1")
        // Nothing here shows web pages or runs .NET, which it would offer to download.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=");
    let finished = watch(tests)?;
    let tally = Tally::of_cargo_test(&finished.output);
    Ok(if finished.succeeded { tally } else { tally.surely_failed() })
}

/// The folder of what Wine 8 lacks: Rust's standard library takes its random numbers from a library that only Wine 9
/// brings. This one takes them from where that one does.
fn libraries_for_wine() -> Result<PathBuf> {
    const SOURCE: &str = "#include <windows.h>\n\
        #include <ntsecapi.h>\n\
        __declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {\n\
        \x20   return RtlGenRandom(data, (ULONG)size);\n\
        }\n";
    let folder = folder().join("wine-libraries");
    let (source, library) = (folder.join("bcryptprimitives.c"), folder.join("bcryptprimitives.dll"));
    if !library.is_file() {
        fs::create_dir_all(&folder).context("target/platforms cannot be made")?;
        fs::write(&source, SOURCE).context("a library for Wine cannot be written")?;
        duct::cmd!("x86_64-w64-mingw32-gcc", "-shared", "-o", &library, &source, "-ladvapi32")
            .run()
            .context("a library for Wine does not build")?;
    }
    Ok(folder)
}
