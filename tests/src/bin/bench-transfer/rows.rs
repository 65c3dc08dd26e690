//! What is measured, and what it should come to.

use crate::world::{Distance, World};
use anyhow::{Context as _, Result, bail};
use dockline_tests::{
    bench::{Better, Target},
    relay::Fault,
};
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// A value, or nothing where this machine cannot measure it.
type Take = fn(&mut World) -> Result<Option<f64>>;

/// One line of the table.
pub struct Row {
    pub id: &'static str,
    pub unit: &'static str,
    pub better: Better,
    pub target: Target,
    /// What the other side is.
    pub peer: &'static str,
    pub take_ours: Take,
    pub take_peer: Take,
}

const fn seconds(id: &'static str, ratio: f64, peer: &'static str, ours: Take, theirs: Take) -> Row {
    Row {
        id,
        unit: "s",
        better: Better::Lower,
        target: Target { ratio: Some(ratio), ours: None },
        peer,
        take_ours: ours,
        take_peer: theirs,
    }
}

const DOCKER: &str = "docker push through ssh -L";
const PIPE: &str = "docker save | ssh docker load";
const SKOPEO: &str = "skopeo copy through ssh -L";

/// Everything, in the order in which it is measured and shown.
pub const ROWS: &[Row] = &[
    seconds("push-first", 2.0, DOCKER, |world| first(world, &[]), docker_first),
    seconds("push-first-vs-skopeo", 1.6, SKOPEO, |world| first(world, &[]), skopeo_first),
    seconds("push-first-zstd", 2.0, DOCKER, |world| first(world, &["--compression", "zstd"]), docker_first),
    seconds("push-one-layer", 1.1, DOCKER, one_layer, docker_one_layer),
    seconds("push-nothing", 1.1, DOCKER, nothing, docker_nothing),
    seconds("pull-first", 1.0, "docker pull through ssh -L", pull, docker_pull),
    seconds("archive-first", 1.5, "skopeo copy docker-archive:", archive, skopeo_archive),
    seconds("push-first-far", 1.1, DOCKER, |world| far(world, &[]), docker_far),
    seconds("push-first-far-zstd", 1.2, DOCKER, |world| far(world, &["--compression", "zstd"]), docker_far),
    seconds("ship-first", 1.3, PIPE, ship, save_and_load),
    seconds("ship-one-layer", 5.0, PIPE, ship_one_layer, save_and_load_one_layer),
    Row {
        id: "resume",
        unit: "MB sent again",
        better: Better::Lower,
        target: Target { ratio: Some(5.0), ours: None },
        peer: DOCKER,
        take_ours: resume,
        take_peer: docker_resume,
    },
    Row {
        id: "resume-spec",
        unit: "MB sent again",
        better: Better::Lower,
        target: Target { ratio: Some(5.0), ours: None },
        peer: DOCKER,
        take_ours: resume_spec,
        take_peer: docker_resume_spec,
    },
    Row {
        id: "memory",
        unit: "MiB",
        better: Better::Lower,
        target: Target { ratio: None, ours: Some(150.0) },
        peer: "skopeo copy docker-archive:",
        take_ours: memory,
        take_peer: skopeo_memory,
    },
];

fn first(world: &mut World, more: &[&str]) -> Result<Option<f64>> {
    world.fresh()?;
    world.dockline_push(Distance::Near, "bench:v0", "v0", more).map(Some)
}

fn docker_first(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    world.docker_push(Distance::Near, "bench:v0", "v0").map(Some)
}

fn skopeo_first(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    let source = format!("docker-daemon:bench:v0 --src-daemon-host={}", world.dockerd.endpoint());
    let (image, host) = source.split_once(' ').context("two words")?;
    world.skopeo_push_with(Distance::Near, &[host], image, "v0").map(Some)
}

fn one_layer(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    world.dockline_push(Distance::Near, "bench:v0", "v0", &[])?;
    let next = world.next_version()?;
    world.dockline_push(Distance::Near, &next, "next", &[]).map(Some)
}

fn docker_one_layer(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    world.docker_push(Distance::Near, "bench:v0", "v0")?;
    let next = world.next_version()?;
    world.docker_push(Distance::Near, &next, "next").map(Some)
}

fn nothing(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    world.dockline_push(Distance::Near, "bench:v0", "v0", &[])?;
    world.dockline_push(Distance::Near, "bench:v0", "v0", &[]).map(Some)
}

fn docker_nothing(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    world.docker_push(Distance::Near, "bench:v0", "v0")?;
    world.docker_push(Distance::Near, "bench:v0", "v0").map(Some)
}

fn pull(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    world.docker_push(Distance::Near, "bench:v0", "v0")?;
    world.with_empty_engine(|world| world.dockline_pull(Distance::Near, "v0")).map(Some)
}

fn docker_pull(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    world.docker_push(Distance::Near, "bench:v0", "v0")?;
    world.with_empty_engine(|world| world.docker_pull(Distance::Near, "v0")).map(Some)
}

fn archive(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    let file = world.archive.display().to_string();
    world.dockline_push(Distance::Near, &file, "v0", &[]).map(Some)
}

fn skopeo_archive(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    let source = format!("docker-archive:{}", world.archive.display());
    world.skopeo_push_with(Distance::Near, &[], &source, "v0").map(Some)
}

fn far(world: &mut World, more: &[&str]) -> Result<Option<f64>> {
    world.fresh()?;
    far_push(world, |world| world.dockline_push(Distance::Far, "bench:v0", "v0", more))
}

fn docker_far(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    far_push(world, |world| world.docker_push(Distance::Far, "bench:v0", "v0"))
}

/// Says beside the seconds, in the log, how many bytes went up the line: what it could not have taken less for.
fn far_push(world: &World, push: impl FnOnce(&World) -> Result<f64>) -> Result<Option<f64>> {
    let before = world.carried_up();
    let seconds = push(world)?;
    println!("    {:.2} MB up the line", (world.carried_up() - before) as f64 / 1e6);
    Ok(Some(seconds))
}

fn ship(world: &mut World) -> Result<Option<f64>> {
    world.fresh_production()?;
    world.dockline_ship("bench:v0").map(Some)
}

fn save_and_load(world: &mut World) -> Result<Option<f64>> {
    world.fresh_production()?;
    world.save_and_load("bench:v0").map(Some)
}

fn ship_one_layer(world: &mut World) -> Result<Option<f64>> {
    ship(world)?;
    let next = world.next_version()?;
    world.dockline_ship(&next).map(Some)
}

fn save_and_load_one_layer(world: &mut World) -> Result<Option<f64>> {
    save_and_load(world)?;
    let next = world.next_version()?;
    world.save_and_load(&next).map(Some)
}

/// Bytes that a whole push and one that is cut at half of its largest layer differ by.
fn sent_again(
    world: &mut World,
    fresh: fn(&mut World) -> Result<()>,
    push: fn(&World) -> Result<f64>,
) -> Result<Option<f64>> {
    // A cut before this one has hit both tunnels.
    world.mend()?;
    fresh(world)?;
    let before = world.carried_up();
    push(world)?;
    let whole = world.carried_up() - before;
    let largest = largest_file(&world.host.storage(), false);
    fresh(world)?;
    let before = world.carried_up();
    let (cut, was_cut) = cut_at(world, largest / 2, push);
    if !was_cut {
        bail!("nothing was cut");
    }
    // Dockline tries again by itself; after docker push somebody has to, and ssh has to be started again.
    if cut.is_err() {
        world.mend()?;
        push(world)?;
    }
    let again = (world.carried_up() - before).saturating_sub(whole);
    Ok(Some((again as f64 / 1e6).max(0.1)))
}

/// A push whose line is reset as soon as one upload has as many `bytes` in the registry; whether it was.
fn cut_at(world: &World, bytes: u64, push: fn(&World) -> Result<f64>) -> (Result<f64>, bool) {
    let (ended, end) = mpsc::channel::<()>();
    let (storage, relay) = (world.host.storage(), &world.relay);
    thread::scope(|scope| {
        let watching = scope.spawn(move || {
            // A file that grows tells nobody how far it is.
            while largest_file(&storage, true) < bytes {
                if end.recv_timeout(Duration::from_millis(10)) != Err(mpsc::RecvTimeoutError::Timeout) {
                    return false;
                }
            }
            relay.inflict(Fault::Reset);
            true
        });
        let cut = push(world);
        drop(ended);
        (cut, watching.join().unwrap_or(false))
    })
}

/// The size of the largest file in a registry's storage, or of the largest that is being uploaded, in bytes.
fn largest_file(folder: &Path, is_upload: bool) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of_entry = |entry: fs::DirEntry| {
        let path = entry.path();
        if path.is_dir() {
            // docker-registry calls that folder `_uploads`, Dockline's own registry `uploads`.
            let leads_there = is_upload && !path.ends_with("_uploads") && !path.ends_with("uploads");
            return largest_file(&path, leads_there);
        }
        if is_upload { 0 } else { entry.metadata().map_or(0, |metadata| metadata.len()) }
    };
    entries.flatten().map(of_entry).max().unwrap_or(0)
}

fn our_push(world: &World) -> Result<f64> {
    world.dockline_push(Distance::Far, "bench:v0", "v0", &[])
}

fn dockers_push(world: &World) -> Result<f64> {
    world.docker_push(Distance::Far, "bench:v0", "v0")
}

fn resume(world: &mut World) -> Result<Option<f64>> {
    sent_again(world, World::fresh, our_push)
}

fn docker_resume(world: &mut World) -> Result<Option<f64>> {
    sent_again(world, World::fresh, dockers_push)
}

fn resume_spec(world: &mut World) -> Result<Option<f64>> {
    sent_again(world, World::fresh_builtin, our_push)
}

fn docker_resume_spec(world: &mut World) -> Result<Option<f64>> {
    sent_again(world, World::fresh_builtin, dockers_push)
}

/// The largest part of a program's memory that was ever resident, in MiB.
fn peak_of(command: &mut Command, name: &str) -> Result<f64> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let pid = child.id();
    let (ended, end) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let status = child.wait();
        // Nobody waits any more if a look at it has failed.
        let _ = ended.send(());
        status
    });
    let mut peak = 0.0_f64;
    // The figure goes with the process, and nobody says when it is about to end.
    while end.recv_timeout(Duration::from_millis(20)).is_err() {
        for process in descendants(pid) {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            if status.lines().next().is_some_and(|line| line.contains(name)) {
                let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
                peak = peak.max(kib.unwrap_or(0.0) / 1024.0);
            }
        }
    }
    let status = waiting.join().map_err(|_| anyhow::anyhow!("nobody waited"))??;
    if !status.success() || peak == 0.0 {
        bail!("{command:?}: {status}, {peak} MiB");
    }
    Ok(peak)
}

fn descendants(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while next < all.len() {
        let pid = all[next];
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        next += 1;
    }
    all
}

/// An archive of about 4 GB: the image's own ten times over, in one layer.
fn large(world: &World) -> Result<String> {
    let path = world.folder.path().join("large.tar");
    if path.exists() {
        return Ok(path.display().to_string());
    }
    let layer = world.folder.path().join("layer.tar");
    let mut target = fs::File::create(&layer)?;
    let one = fs::metadata(&world.archive)?.len();
    for _ in 0..(4_000_000_000 / one.max(1)).clamp(1, 400) {
        std::io::copy(&mut fs::File::open(&world.archive)?, &mut target)?;
    }
    target.flush()?;
    let digest = dockline_tests::lab::run("sha256sum", &[&layer.display().to_string()]);
    let digest = digest.split_whitespace().next().context("sha256sum says nothing")?;
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["sha256:{digest}"]}}}}"#
    );
    fs::write(world.folder.path().join("config.json"), config)?;
    let manifest = r#"[{"Config":"config.json","RepoTags":["large:v1"],"Layers":["layer.tar"]}]"#;
    fs::write(world.folder.path().join("manifest.json"), manifest)?;
    let folder = world.folder.path().display().to_string();
    let words =
        ["-C", &folder, "-cf", &path.display().to_string(), "config.json", "manifest.json", "layer.tar"];
    dockline_tests::lab::run("tar", &words);
    fs::remove_file(layer)?;
    Ok(path.display().to_string())
}

fn memory(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    let file = large(world)?;
    let (dockline, name) = world.alone()?;
    let target = format!("{name}/large:v1");
    peak_of(&mut dockline.command(&["push", &file, &target]), "dockline").map(Some)
}

fn skopeo_memory(world: &mut World) -> Result<Option<f64>> {
    world.fresh()?;
    let source = format!("docker-archive:{}", large(world)?);
    peak_of(&mut world.skopeo(Distance::Near, &[], &source, "large"), "skopeo").map(Some)
}
