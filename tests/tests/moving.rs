//! Images on the move: figures of what crosses the tunnel on every road, layers that go once, registries that fail now
//! and then, and `kill -9` at any moment. Real dockerd, docker-registry and sshd; nginx fails where a registry will not.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use dockline_model::{Code, LayerState, RegistryName, Road, TransferState, TransferView};
use dockline_registry::Digest;
use dockline_tests::lab::{
    self, Agent, Daemon, Dockerd, Dockline, Need, Outcome, RegistryHost, Workplace, Workstation,
    unique_registry_name,
};
use nix::sys::signal::Signal;
use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];
const PATIENCE: Duration = Duration::from_secs(120);
const KIB: u64 = 1 << 10;

/// A person with an engine, and a registry behind a tunnel that an agent keeps.
struct Desk {
    host: RegistryHost,
    workstation: Arc<Workstation>,
    dockerd: Dockerd,
    dockline: Dockline,
    name: RegistryName,
    agent: Agent,
}

impl Desk {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let host = RegistryHost::start();
        let Workplace { workstation, dockerd, dockline } = Workplace::start();
        let name = unique_registry_name("cr");
        dockline.trust(&host.known_hosts_line());
        dockline.add_as(&name, &host, arguments);
        let agent = dockline.agent();
        Self { host, workstation, dockerd, dockline, name, agent }
    }

    fn push(&self, image: &str, more: &[&str]) -> TransferView {
        done(self.dockline.json(&[&["push", image, self.name.as_str()][..], more].concat()))
    }

    /// Bytes that the tunnel has sent.
    fn up(&self) -> u64 {
        self.dockline.snapshot().registries[0].tunnel.bytes_up
    }

    /// `docker save` of an image.
    fn saved(&self, image: &str) -> String {
        let path = self.workstation.folder().join("saved.tar").display().to_string();
        fs::remove_file(&path).ok();
        self.dockerd.run_docker(&["save", "--output", &path, image]);
        path
    }

    fn spawn(&self, arguments: &[&str]) -> Daemon {
        Daemon::spawn("dockline", self.dockline.command(arguments))
    }
}

#[track_caller]
fn done(outcome: Outcome) -> TransferView {
    let view: TransferView = outcome.expect_success().read();
    let TransferState::Done { verified } = &view.state else { panic!("not done: {:?}", view.state) };
    assert!(verified.at_registry || view.road == Road::Engine);
    view
}

#[track_caller]
fn must_end_well(program: &Daemon) {
    let ended = program.wait(PATIENCE).unwrap_or_else(|| panic!("it goes on:\n{}", program.log()));
    assert!(ended.success(), "{}", program.log());
}

/// That many KiB, with what a road adds to them.
#[track_caller]
fn near(bytes: u64, kib: u64) {
    let whole = kib * KIB;
    assert!(bytes >= whole * 95 / 100 && bytes <= whole * 120 / 100, "{} KiB instead of {kib}", bytes / KIB);
}

/// The views that a `--json` command printed on its way.
fn views(log: &str) -> Vec<TransferView> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn what_crossed_the_tunnel_is_told_on_every_road() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::start();
    // Random bytes, which nothing packs.
    desk.dockerd.build_image("app:v1", &[6000, 2000]);
    let before = desk.up();
    let view = desk.push("app:v1", &["--engine"]);
    near(view.sent, 8000);
    assert!(desk.up() - before >= view.sent, "more than the tunnel carried");
    assert_eq!(view.skipped, 0);

    // One layer more.
    let context = desk.workstation.folder().join("more");
    fs::create_dir_all(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM app:v1\nCOPY more /more\n").unwrap();
    fs::write(context.join("more"), vec![7; 100_000]).unwrap();
    desk.dockerd.run_docker(&["build", "--quiet", "--tag", "app:v2", &context.display().to_string()]);
    let view = desk.push("app:v2", &["--engine"]);
    assert!(view.sent < 200 * KIB, "{view:?}");
    near(view.skipped, 8000);
    let skipped = |view: &TransferView| {
        view.layers
            .iter()
            .filter(|layer| matches!(layer.state, LayerState::Exists | LayerState::Mounted { .. }))
            .count()
    };
    assert_eq!(skipped(&view), 2, "{:?}", view.layers);

    // Directly, to another repository: mounted.
    let target = format!("{}/team/app:v1", desk.name);
    let view = done(desk.dockline.json(&["push", "app:v1", &target, "--direct"]));
    assert!(view.sent < 100 * KIB, "{view:?}");
    near(view.skipped, 8000);
    assert_eq!(skipped(&view), 2, "{:?}", view.layers);

    // An archive.
    desk.dockerd.build_image("other:v1", &[3000]);
    let archive = desk.saved("other:v1");
    let view = desk.push(&archive, &[]);
    near(view.sent, 3000);

    // The other way: into a file, and into the engine.
    let file = desk.workstation.folder().join("back.tar").display().to_string();
    let reference = format!("{}/app:v1", desk.name);
    near(done(desk.dockline.json(&["pull", &reference, "--output", &file])).sent, 8000);
    desk.dockerd.run_docker(&["rmi", "--force", "app:v1", "app:v2"]);
    let listen = desk.dockline.snapshot().registries[0].spec.listen();
    desk.dockerd.try_docker(&["rmi", "--force", &format!("{listen}/app:v1"), &format!("{listen}/app:v2")]);
    near(done(desk.dockline.json(&["pull", &reference])).sent, 8000);

    // Into the engine, which takes no part in it.
    let named = format!("{}:5000/app:v1", desk.name);
    let id = desk.dockerd.image_id(&named).expect("it was pulled");
    desk.dockerd.run_docker(&["rmi", "--force", &id]);
    let view = done(desk.dockline.json(&["pull", &reference, "--direct"]));
    near(view.sent, 8000);
    assert_eq!((view.road, desk.dockerd.image_id(&named)), (Road::Direct, Some(id)), "{:?}", view.why);
    let why = view.why.unwrap();
    assert!(why.starts_with("Directly, as you asked"), "{why}");
    assert!(desk.agent.daemon().is_running());
}

#[test]
fn the_rate_is_the_lines_and_the_time_left_follows() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::with(&["--limit-up", "2M"]);
    let context = desk.workstation.folder().join("text");
    fs::create_dir_all(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY text /text\n").unwrap();
    for (road, seed) in [("--engine", 0x9e37_79b9_7f4a_7c15_u64), ("--direct", 0xbf58_476d_1ce4_e5b9)] {
        // Packs to half: bars run twice as fast as the line.
        let line = |number: u64| format!("{:016x}\n", number.wrapping_mul(seed));
        let text: String = (0..1_000_000).map(line).collect();
        fs::write(context.join("text"), &text).unwrap();
        desk.dockerd.run_docker(&["build", "--quiet", "--tag", "text:v1", &context.display().to_string()]);
        let target = format!("{}/{}:v1", desk.name, road.trim_start_matches('-'));
        let push = desk.spawn(&["push", "text:v1", &target, road, "--json"]);
        must_end_well(&push);
        let views = views(&push.log());
        let running: Vec<&TransferView> =
            views.iter().filter(|view| view.state == TransferState::Running && view.rate.is_some()).collect();
        let fastest = running.iter().filter_map(|view| view.rate).max().expect("a rate was told");
        assert!(fastest < 3_500_000, "{road}: {fastest} bytes a second on a line of 2,000,000");
        assert!(running.iter().any(|view| view.seconds_left.is_some_and(|left| left > 0)), "{road}");
        let last = views.last().unwrap();
        assert!(last.sent < text.len() as u64 * 3 / 4, "{road}: {} of {}", last.sent, text.len());
    }
}

#[test]
fn a_layer_of_two_pushes_goes_once() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::start();
    desk.host.limit_link("100mbit");
    // An engine never asks what a registry has from others, so it does send what went directly to another repository.
    for (road, kib) in [("--engine", 9000), ("--direct", 9001), ("", 9002)] {
        desk.dockerd.build_image("app:v1", &[kib, 500]);
        let before = desk.up();
        let pushes = [0, 1].map(|number| {
            let target = format!("{}/{kib}/{number}:v1", desk.name);
            let arguments = ["push", "app:v1", &target, road];
            desk.spawn(&arguments[..if road.is_empty() { 3 } else { 4 }])
        });
        pushes.iter().for_each(must_end_well);
        near(desk.up() - before, kib as u64 + 500);
        let digests: Vec<_> =
            (0..2).map(|number| desk.host.manifest_digest(&format!("{kib}/{number}"), "v1")).collect();
        assert!(digests.iter().all(Option::is_some), "{road}: {digests:?}");
    }
    // Archives of two people at two names, one of each at a time.
    desk.dockerd.build_image("archive:v1", &[9003]);
    let archive = desk.saved("archive:v1");
    let before = desk.up();
    let pushes = ["one", "two"].map(|repository| {
        let target = format!("{}/{repository}:v1", desk.name);
        desk.spawn(&["push", &archive, &target])
    });
    pushes.iter().for_each(must_end_well);
    near(desk.up() - before, 9003);
}

/// Two images that share a layer, one through the engine and one from an archive.
#[test]
fn a_layer_of_pushes_on_both_roads_goes_once() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::start();
    desk.host.limit_link("60mbit");
    desk.dockerd.build_image("base:v1", &[12_000]);
    let archive = desk.saved("base:v1");
    let context = desk.workstation.folder().join("above");
    fs::create_dir_all(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM base:v1\nCOPY more /more\n").unwrap();
    fs::write(context.join("more"), "more\n").unwrap();
    desk.dockerd.run_docker(&["build", "--quiet", "--tag", "above:v1", &context.display().to_string()]);
    let before = desk.up();
    let target = |name: &str| format!("{}/{name}:v1", desk.name);
    let by_engine = desk.spawn(&["push", "above:v1", &target("engine"), "--engine", "--json"]);
    by_engine.wait_for_line("\"transferring\"", PATIENCE);
    let from_archive = desk.spawn(&["push", &archive, &target("archive"), "--json"]);
    must_end_well(&from_archive);
    must_end_well(&by_engine);
    near(desk.up() - before, 12_000);
    let layers = views(&from_archive.log()).pop().unwrap().layers;
    assert_eq!(layers[0].state, LayerState::Mounted { from: "engine".to_owned() }, "{layers:?}");
}

/// An archive of two platforms through the tunnel and back: the index keeps its digest.
#[test]
fn an_archive_of_all_platforms_travels_whole() {
    if !lab::requires(&[Need::Root, Need::Sshd, Need::Registry]) {
        return;
    }
    let host = RegistryHost::start();
    let dockline = Dockline::new();
    let name = dockline.add(&host);
    let folder = dockline.folder().join("layout");
    let digest = write_layout(&folder);
    let archive = dockline.folder().join("all.tar").display().to_string();
    lab::run("tar", &["-C", &folder.display().to_string(), "-cf", &archive, "."]);
    let target = format!("{name}/team/app:v1");
    let view = done(dockline.json(&["push", &archive, &target, "--all-platforms"]));
    assert!(view.why.as_ref().is_some_and(|why| why.contains("as it is in the archive")), "{:?}", view.why);
    let TransferState::Done { verified } = &view.state else { unreachable!() };
    assert_eq!(verified.digest, digest);
    let back = dockline.folder().join("back.tar").display().to_string();
    done(dockline.json(&["pull", &target, "--output", &back, "--all-platforms"]));
    let again = done(dockline.json(&["push", &back, &format!("{name}/again:v1"), "--all-platforms"]));
    let TransferState::Done { verified } = &again.state else { unreachable!() };
    assert_eq!((verified.digest.as_str(), again.layers.len()), (digest.as_str(), 2));

    // As a folder, which the specification has it be.
    let layout = folder.display().to_string();
    let pushed = done(dockline.json(&["push", &layout, &format!("{name}/folder:v1"), "--all-platforms"]));
    let TransferState::Done { verified } = &pushed.state else { unreachable!() };
    assert_eq!((verified.digest.as_str(), pushed.layers.len()), (digest.as_str(), 2));
    done(dockline.json(&["push", &layout, &format!("{name}/folder:v2")]));
    let index = fs::read(folder.join("index.json")).unwrap();
    fs::write(folder.join("blobs/sha256").join(PLATFORMS[0].digest().hex()), "other").unwrap();
    let damaged = dockline.json(&["push", &layout, &format!("{name}/folder:v3"), "--all-platforms"]).error();
    assert_eq!(damaged.code, Code::ArchiveInvalid, "{damaged:?}");
    write_layout(&folder);
    assert_eq!(fs::read(folder.join("index.json")).unwrap(), index);
    let blobs = folder.join("blobs").display().to_string();
    let refused = dockline.json(&["push", &blobs, &format!("{name}/folder:v4")]).error();
    assert_eq!(refused.code, Code::ArchiveInvalid, "{refused:?}");
    assert!(refused.message.contains("oci-layout") && refused.hint.is_some(), "{refused:?}");

    // One of them alone, since nobody asked for more, and that is said before anything moves.
    let alone = "is taken, this machine's platform; another one is left (--all-platforms takes both).";
    let copy = |arguments: &[&str]| {
        let to = format!("{name}/alone:v1");
        dockline.run(&[&["copy", &target, &to], arguments].concat()).expect_success().stderr
    };
    assert!(copy(&[]).contains(alone), "{}", copy(&[]));
    for arguments in [&["--all-platforms"][..], &["--platform", "linux/arm64"]] {
        assert!(!copy(arguments).contains("is taken"), "{arguments:?}");
    }
    let file = dockline.folder().join("alone.tar").display().to_string();
    let pulled = done(dockline.json(&["pull", &target, "--output", &file]));
    assert!(pulled.why.as_ref().is_some_and(|why| why.contains(alone)), "{:?}", pulled.why);
    let pushed = done(dockline.json(&["push", &back, &format!("{name}/alone:v2")]));
    let why = pushed.why.unwrap();
    assert!(why.starts_with("Directly, with no engine; ") && why.ends_with(alone), "{why}");

    let told = dockline.run(&["push", &back, &format!("{name}/alone:v3")]).expect_success().stderr;
    assert_eq!((told.matches("with no engine").count(), told.matches(alone).count()), (1, 1), "{told}");

    let lacking = folder.join("blobs/sha256").join(PLATFORMS[1].digest().hex());
    fs::remove_file(lacking).unwrap();
    lab::run("tar", &["-C", &folder.display().to_string(), "-cf", &archive, "."]);
    let error = dockline.json(&["push", &archive, &format!("{name}/lacking:v1"), "--all-platforms"]).error();
    assert_eq!(error.code, Code::ArchiveInvalid, "{error:?}");
    assert!(error.message.contains("linux/arm64"), "{error:?}");
    // What is no archive is an engine's image, and there is no engine here.
    let refused = dockline.json(&["push", "app:v1", &target, "--all-platforms"]).error();
    assert_eq!(refused.code, Code::EngineUnavailable, "{refused:?}");
}

struct Platform(&'static str);

const PLATFORMS: [Platform; 2] = [Platform("amd64"), Platform("arm64")];

impl Platform {
    fn config(&self) -> String {
        format!(
            r#"{{"os":"linux","architecture":"{}","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            self.0,
            Digest::of(self.0.as_bytes())
        )
    }

    fn manifest(&self) -> String {
        let (config, layer) = (self.config(), self.0);
        serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": Digest::of(config.as_bytes()).to_string(), "size": config.len() },
            "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": Digest::of(layer.as_bytes()).to_string(), "size": layer.len() }],
        })
        .to_string()
    }

    fn digest(&self) -> Digest {
        Digest::of(self.manifest().as_bytes())
    }
}

/// An OCI layout with an index of both platforms; the index's digest.
fn write_layout(folder: &std::path::Path) -> String {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let keep = |text: &str| {
        let digest = Digest::of(text.as_bytes());
        fs::write(blobs.join(digest.hex()), text).unwrap();
        digest.to_string()
    };
    let entries: Vec<serde_json::Value> = PLATFORMS
        .iter()
        .map(|platform| {
            keep(platform.0);
            keep(&platform.config());
            let manifest = platform.manifest();
            serde_json::json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": keep(&manifest), "size": manifest.len(),
                "platform": { "os": "linux", "architecture": platform.0 },
            })
        })
        .collect();
    let kind = "application/vnd.oci.image.index.v1+json";
    let index =
        serde_json::json!({ "schemaVersion": 2, "mediaType": kind, "manifests": entries }).to_string();
    let digest = keep(&index);
    let root = serde_json::json!({ "schemaVersion": 2, "manifests": [
        { "mediaType": kind, "digest": digest, "size": index.len() }
    ] });
    fs::write(folder.join("index.json"), root.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    digest
}

/// What others keep beside an image in a host's registry, put there and read by curl as they would.
struct Beside<'a>(&'a RegistryHost);

impl Beside<'_> {
    fn curl(&self, arguments: &[&str]) -> String {
        let mut curl = self.0.inside("curl");
        curl.args(["--silent", "--show-error"]).args(arguments);
        lab::try_run(&mut curl).expect_success().stdout
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/app/{path}", self.0.registry_address())
    }

    /// Sends what is in a file of its own to a place, which has to take it.
    fn put(&self, url: &str, kind: &str, text: &str) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let (data, kind) = (format!("@{}", file.path().display()), format!("Content-Type: {kind}"));
        self.curl(&["--fail", "--request", "PUT", "--header", &kind, "--data-binary", &data, url]);
    }

    fn put_blob(&self, text: &str) -> serde_json::Value {
        let begun = self.curl(&["--include", "--request", "POST", &self.url("blobs/uploads/")]);
        let location = begun.lines().find_map(|line| line.strip_prefix("Location: ")).expect(&begun).trim();
        let digest = Digest::of(text.as_bytes()).to_string();
        self.put(&format!("{location}&digest={digest}"), "application/octet-stream", text);
        serde_json::json!({ "digest": digest, "size": text.len() })
    }

    /// A manifest with one blob, under a tag or its digest; its descriptor.
    fn put_manifest(
        &self,
        tag: Option<&str>,
        (kind, what): (&str, &str),
        subject: Option<&serde_json::Value>,
    ) -> serde_json::Value {
        let (mut config, mut layer) = (self.put_blob("{}"), self.put_blob(what));
        config["mediaType"] = kind.into();
        layer["mediaType"] = kind.into();
        let mut manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
        });
        if let Some(subject) = subject {
            manifest["subject"] = subject.clone();
            manifest["artifactType"] = kind.into();
        }
        let text = manifest.to_string();
        let digest = Digest::of(text.as_bytes()).to_string();
        self.put(&self.url(&format!("manifests/{}", tag.unwrap_or(&digest))), MANIFEST, &text);
        serde_json::json!({ "mediaType": MANIFEST, "digest": digest, "size": text.len(), "artifactType": kind })
    }

    /// What a manifest is, and its blobs, as whoever verifies a signature fetches them.
    fn read(&self, reference: &str) -> Option<(String, Vec<String>)> {
        let accept = format!("Accept: {MANIFEST}, {INDEX}");
        let url = self.url(&format!("manifests/{reference}"));
        let text = self.curl(&["--header", &accept, &url]);
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        manifest.get("schemaVersion")?;
        let layers = manifest["layers"].as_array().into_iter().flatten();
        let blobs = layers.map(|layer| {
            let digest = layer["digest"].as_str().unwrap();
            let blob = self.curl(&["--fail", &self.url(&format!("blobs/{digest}"))]);
            assert_eq!(Digest::of(blob.as_bytes()).to_string(), digest);
            blob
        });
        let blobs = blobs.collect();
        Some((text, blobs))
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Through two tunnels: cosign's signature by its tag, and SBOMs by their subject, which registries before distribution 3
/// list under a tag made of the digest (distribution-spec, "Referrers Tag Schema").
#[test]
fn signatures_and_sboms_travel_from_one_registry_to_another_if_they_are_asked_for() {
    if !lab::requires(&[Need::Root, Need::Sshd, Need::Registry]) {
        return;
    }
    let (first, second) = (RegistryHost::start(), RegistryHost::start());
    let dockline = Dockline::new();
    let (from, to) = (dockline.add(&first), dockline.add(&second));
    let folder = dockline.folder().join("layout");
    let digest = write_layout(&folder);
    let (layout, source) = (folder.display().to_string(), format!("{from}/app:v1"));
    done(dockline.json(&["push", &layout, &source, "--all-platforms"]));

    let there = Beside(&first);
    let tag = digest.replace(':', "-");
    let signature = format!("{tag}.sig");
    let simple = "application/vnd.dev.cosign.simplesigning.v1+json";
    there.put_manifest(Some(&signature), (simple, "a signature of the index"), None);
    let index = serde_json::json!({
        "mediaType": INDEX, "digest": digest, "size": fs::read(folder.join("blobs/sha256").join(&digest[7..])).unwrap().len(),
    });
    let platform = &PLATFORMS[0];
    let own = platform.digest().to_string();
    let image =
        serde_json::json!({ "mediaType": MANIFEST, "digest": own, "size": platform.manifest().len() });
    let listed = |name: &str, subject: &serde_json::Value, what: &str| -> String {
        let sbom = there.put_manifest(None, ("application/spdx+json", what), Some(subject));
        let list = serde_json::json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [sbom] });
        there.put(&there.url(&format!("manifests/{name}")), INDEX, &list.to_string());
        sbom["digest"].as_str().unwrap().to_owned()
    };
    let own_tag = own.replace(':', "-");
    let of_index = listed(&tag, &index, "what is in all of it");
    let of_platform = listed(&own_tag, &image, "what is in one platform");
    let names = [&signature, &tag, &own_tag, &of_index, &of_platform];

    // Nobody asked for them.
    let target = format!("{to}/app:v1");
    done(dockline.json(&["copy", &source, &target, "--all-platforms"]));
    assert_eq!(second.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    let arrived = Beside(&second);
    for name in names {
        assert!(there.read(name).is_some() && arrived.read(name).is_none(), "{name}");
    }

    // Now somebody does, although the image is there already.
    done(dockline.json(&["copy", &source, &target, "--all-platforms", "--referrers"]));
    assert_eq!(second.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    for name in [&signature, &of_index, &of_platform] {
        assert_eq!(arrived.read(name), there.read(name), "{name}");
    }
    // The lists may be written otherwise, and name the same.
    for (name, sbom) in [(&tag, &of_index), (&own_tag, &of_platform)] {
        let (list, _) = arrived.read(name).expect("it is listed");
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let [entry] = list["manifests"].as_array().unwrap().as_slice() else { panic!("{list}") };
        assert_eq!(
            (&entry["digest"], &entry["artifactType"]),
            (&serde_json::json!(sbom), &serde_json::json!("application/spdx+json"))
        );
    }
    let found = dockline.run(&["inspect", &target, "--json"]).expect_success().stdout;
    assert!(found.contains(&of_index) && !found.contains(&of_platform), "{found}");

    // One platform alone brings what is about it, and nothing that is about the rest.
    let alone = format!("{to}/alone:v1");
    let scope = ["copy", &source, &alone, "--platform", "linux/amd64", "--referrers"];
    done(dockline.json(&scope));
    assert_eq!(second.manifest_digest("alone", "v1").as_deref(), Some(own.as_str()));
    assert!(second.manifest_digest("alone", &of_platform).is_some());
    assert!(second.manifest_digest("alone", &of_index).is_none());
}

/// nginx before the registry, which answers 500 to a method for as long as a file of its name is there.
struct Faulty {
    folder: tempfile::TempDir,
    _nginx: Daemon,
}

impl Faulty {
    fn before(host: &RegistryHost) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let pass = "proxy_pass http://127.0.0.1:5000; proxy_http_version 1.1; proxy_request_buffering off; \
                    proxy_set_header Host $http_host;";
        let settings = format!(
            "daemon off; user root; pid {at}/pid; error_log stderr notice; events {{}}\n\
             http {{ access_log {at}/log; client_max_body_size 0;\n\
             client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
             server {{ listen 127.0.0.1:5001;\n\
             location ~ /manifests/ {{ if (-f {at}/manifest-$request_method) {{ return 500; }} {pass} }}\n\
             location / {{ if (-f {at}/$request_method) {{ return 500; }} {pass} }} }} }}\n"
        );
        fs::write(folder.path().join("nginx.conf"), settings).unwrap();
        let mut command = host.inside("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        let nginx = Daemon::spawn("nginx", command);
        nginx.wait_for_line("start worker process", PATIENCE);
        Self { folder, _nginx: nginx }
    }

    fn flag(&self, what: &str) -> PathBuf {
        self.folder.path().join(what)
    }

    fn failures(&self) -> usize {
        let log = fs::read_to_string(self.flag("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("\" 500 ")).count()
    }

    /// Fails until it has failed that often.
    #[track_caller]
    fn fail_during(&self, what: &str, times: usize, program: &Daemon) {
        let (begin, before) = (Instant::now(), self.failures());
        while self.failures() < before + times {
            assert!(begin.elapsed() < PATIENCE, "it never failed:\n{}", program.log());
            assert!(program.is_running(), "it ended before:\n{}", program.log());
            std::thread::yield_now();
        }
        fs::remove_file(self.flag(what)).unwrap();
    }
}

#[test]
fn a_registry_that_fails_now_and_then_costs_no_push() {
    if !lab::requires(&[NEEDS, &[Need::Program("nginx")]].concat()) {
        return;
    }
    let desk = Desk::with(&["--remote", "127.0.0.1:5001"]);
    let faulty = Faulty::before(&desk.host);
    desk.dockerd.build_image("app:v1", &[2000, 10]);
    let archive = desk.saved("app:v1");
    for (number, (what, source, more)) in [
        // What dockerd asks for once only: /v2/, and the manifest.
        ("GET", "app:v1", "--engine"),
        ("manifest-PUT", "app:v1", "--engine"),
        ("manifest-PUT", "app:v1", "--direct"),
        ("PATCH", archive.as_str(), "--json"),
        ("POST", archive.as_str(), "--json"),
        ("GET", archive.as_str(), "--json"),
        ("HEAD", archive.as_str(), "--json"),
        ("manifest-HEAD", archive.as_str(), "--json"),
        ("manifest-PUT", archive.as_str(), "--json"),
    ]
    .into_iter()
    .enumerate()
    {
        let repository = format!("fails/{number}");
        // A new image each time, or nothing would be sent.
        let source = if number > 0 && source == archive {
            desk.dockerd.build_image("app:v1", &[2000, 10 + number]);
            desk.saved("app:v1")
        } else {
            source.to_owned()
        };
        fs::write(faulty.flag(what), "").unwrap();
        let target = format!("{}/{repository}:v1", desk.name);
        let push = desk.spawn(&["push", &source, &target, more]);
        faulty.fail_during(what, 1, &push);
        must_end_well(&push);
        assert!(desk.host.manifest_digest(&repository, "v1").is_some(), "{what} {more}");
    }

    // One that goes on failing is told as what it is, soon.
    desk.dockerd.build_image("app:v1", &[100]);
    let archive = desk.saved("app:v1");
    fs::write(faulty.flag("PATCH"), "").unwrap();
    let begin = Instant::now();
    let error = desk.dockline.json(&["push", &archive, desk.name.as_str()]).error();
    assert_eq!(error.code, Code::RegistryFailed, "{error:?}");
    assert!(error.hint.is_some() && error.details.unwrap().contains("500"));
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

/// A registry that is restarted while dockerd has just begun, or is about to end.
#[test]
fn a_registry_that_is_gone_for_a_moment_costs_no_push() {
    if !lab::requires(NEEDS) {
        return;
    }
    let mut desk = Desk::start();
    desk.dockerd.build_image("app:v1", &[12_000]);
    desk.host.limit_link("60mbit");
    let push = desk.spawn(&["push", "app:v1", desk.name.as_str(), "--engine", "--json"]);
    push.wait_for_line("\"transferring\"", PATIENCE);
    desk.host.stop_registry();
    desk.host.start_registry();
    must_end_well(&push);
    assert!(desk.host.manifest_digest("app", "v1").is_some());
}

/// Somewhere between nothing and all, another place each time.
fn somewhere() -> f64 {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    0.05 + 0.9 * f64::from(nanos.wrapping_mul(2_654_435_761) >> 8) / f64::from(u32::MAX >> 8)
}

/// Kills a program once its bar has come that far; the last view that it told. `None` if it was done before.
fn kill_at(program: &Daemon, part: f64) -> Option<TransferView> {
    let begin = Instant::now();
    loop {
        let last = views(&program.log()).pop();
        if last.as_ref().is_some_and(|view| view.total > 0 && view.current as f64 >= part * view.total as f64)
        {
            program.signal(Signal::SIGKILL);
            program.wait(PATIENCE).expect("nothing survives that");
            return views(&program.log()).pop().filter(|view| !view.state.is_final());
        }
        if !program.is_running() {
            return None;
        }
        assert!(begin.elapsed() < PATIENCE, "it does not come that far:\n{}", program.log());
        std::thread::yield_now();
    }
}

/// `DOCKLINE_KILLS=50 cargo test -p dockline-tests --test moving killed` kills more often.
fn kills() -> usize {
    std::env::var("DOCKLINE_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(3)
}

#[test]
fn a_push_killed_anywhere_ends_right_and_sends_what_is_missing() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::start();
    // Each command is the owner itself, and dies as one.
    drop(desk.agent);
    desk.host.limit_link("100mbit");
    for round in 0..kills() {
        let layers = [1500, 1200, 900, 2000, 700, 1100];
        desk.dockerd.build_image("app:v1", &layers);
        let archive = desk.workstation.folder().join("killed.tar").display().to_string();
        fs::remove_file(&archive).ok();
        desk.dockerd.run_docker(&["save", "--output", &archive, "app:v1"]);
        let target = format!("{}/round/{round}:v1", desk.name);
        // By the second the line has been measured: what was begun goes on as it began all the same.
        let arguments = ["push", archive.as_str(), &target];
        let part = somewhere();
        let push =
            Daemon::spawn("dockline push", desk.dockline.command(&[&arguments[..], &["--json"]].concat()));
        let arrived = kill_at(&push, part);
        let view = done(desk.dockline.json(&arguments));
        let TransferState::Done { verified } = &view.state else { unreachable!() };
        let there = desk.host.manifest_digest(&format!("round/{round}"), "v1");
        assert_eq!(there.as_deref(), Some(verified.digest.as_str()), "killed at {part:.3}");
        let Some(arrived) = arrived else { continue };
        // Layers that had arrived are not sent again.
        let had: Vec<_> = arrived.layers.iter().filter(|layer| layer.state == LayerState::Done).collect();
        let again =
            |id: &str| view.layers.iter().any(|layer| layer.id == id && layer.state != LayerState::Exists);
        assert!(had.iter().all(|layer| !again(&layer.id)), "killed at {part:.3}: {had:?} {:?}", view.layers);
        let bytes: u64 = had.iter().filter_map(|layer| layer.total).sum();
        let all: u64 = layers.iter().sum::<usize>() as u64 * KIB;
        assert!(
            view.sent <= (all - bytes.min(all)) * 11 / 10 + 100 * KIB,
            "killed at {part:.3} with {bytes} there, {} were sent",
            view.sent
        );
    }
    let uploads = desk.dockline.home().join("state").join("pushes").join("uploads");
    assert_eq!(fs::read_dir(&uploads).map_or(0, Iterator::count), 0, "uploads that have ended are noted");
}

#[test]
fn a_pull_killed_anywhere_ends_right_and_fetches_what_is_missing() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::with(&["--limit-down", "6M"]);
    let size = 12_000;
    let id = desk.dockerd.build_image("app:v1", &[7000, 3000, 2000]);
    desk.push("app:v1", &[]);
    drop(desk.agent);
    let folder = desk.workstation.folder().join("pulls");
    fs::create_dir_all(&folder).unwrap();
    let reference = format!("{}/app:v1", desk.name);
    for round in 0..kills() {
        let file = folder.join(format!("{round}.tar")).display().to_string();
        let arguments = ["pull", reference.as_str(), "--output", &file];
        let part = somewhere();
        let pull =
            Daemon::spawn("dockline pull", desk.dockline.command(&[&arguments[..], &["--json"]].concat()));
        let arrived = kill_at(&pull, part);
        if arrived.is_none() {
            continue;
        }
        assert!(!fs::exists(&file).unwrap(), "half an image under its name");
        let view = done(desk.dockline.json(&arguments));
        // What its journal had: of each layer all but the last piece at most.
        let had = arrived.map_or(0, |view| view.current);
        let most = (size * KIB).saturating_sub(had) + 3 * (4 << 20);
        assert!(
            view.sent <= most.min(size * KIB * 12 / 10),
            "killed at {part:.3} with {had}: {} fetched",
            view.sent
        );
        desk.dockerd.run_docker(&["rmi", "--force", &id]);
        desk.dockerd.run_docker(&["load", "--input", &file]);
        assert!(desk.dockerd.image_id(&id).is_some(), "another image than was pushed");
        fs::remove_file(&file).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing stays beside it");
    }
}

/// Into the engine, which takes no part in it: killed by force, stopped by its user, and then let alone.
#[test]
fn a_pull_into_an_engine_that_is_killed_fetches_what_is_missing() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::with(&["--limit-down", "6M"]);
    let size = 30_000;
    let id = desk.dockerd.build_image("app:v1", &[size as usize]);
    desk.push("app:v1", &[]);
    drop(desk.agent);
    desk.dockerd.run_docker(&["rmi", "--force", &id]);
    let reference = format!("{}/app:v1", desk.name);
    let arguments = ["pull", reference.as_str(), "--direct"];
    let pull =
        || Daemon::spawn("dockline pull", desk.dockline.command(&[&arguments[..], &["--json"]].concat()));
    let killed = kill_at(&pull(), 0.4).expect("it was done before it was killed");
    let stopped = pull();
    lab::until("it has gone on", || {
        let views = views(&stopped.log());
        views.iter().any(|view| view.current as f64 >= 0.7 * view.total as f64 && view.total > 0)
    });
    stopped.signal(Signal::SIGINT);
    assert!(stopped.wait(PATIENCE).is_some_and(|status| !status.success()), "{}", stopped.log());
    let stopped = views(&stopped.log()).pop().expect("it said how far it was");
    // Of a layer all but the last piece is noted.
    let most = |before: &TransferView| size * KIB - before.current + (5 << 20);
    assert!(stopped.sent <= stopped.current.saturating_sub(killed.current) + (5 << 20), "{stopped:?}");
    let view = done(desk.dockline.json(&arguments));
    assert!(
        view.sent <= most(&stopped),
        "{} of {} were there: {} fetched",
        stopped.current,
        size * KIB,
        view.sent
    );
    assert_eq!(desk.dockerd.image_id(&format!("{}:5000/app:v1", desk.name)), Some(id));
    let spool = desk.dockline.home().join("state").join("exports");
    assert_eq!(fs::read_dir(&spool).unwrap().count(), 0, "what the engine has is kept");
}

/// Two people push the same at the same time, and a third deletes the tag meanwhile.
#[test]
fn pushes_of_two_people_and_a_deletion_meet() {
    if !lab::requires(NEEDS) {
        return;
    }
    let desk = Desk::start();
    let other = Dockline::on(&desk.workstation);
    other.trust(&desk.host.known_hosts_line());
    other.add_as(&desk.name, &desk.host, &["--address", "127.77.213.7"]);
    desk.host.limit_link("200mbit");
    for kib in [3000, 3001] {
        desk.dockerd.build_image("app:v1", &[kib, 700]);
        let archive = desk.saved("app:v1");
        let target = format!("{}/app:v1", desk.name);
        let arguments = ["push", archive.as_str(), &target, "--level", "1"];
        let pushes =
            [&desk.dockline, &other].map(|person| Daemon::spawn("dockline push", person.command(&arguments)));
        // There is something to delete from the second round on.
        let deleted = desk.dockline.run(&["rm", &target, "--yes"]);
        assert!(matches!(deleted.status, Some(0 | 8)), "{deleted:?}");
        pushes.iter().for_each(must_end_well);
        // Whoever was last has found it there; a deletion may have come after.
        let again = done(desk.dockline.json(&arguments));
        let TransferState::Done { verified } = &again.state else { unreachable!() };
        let there = desk.host.manifest_digest("app", "v1");
        assert_eq!(there.as_deref(), Some(verified.digest.as_str()));
        let file = desk.workstation.folder().join("met.tar");
        fs::remove_file(&file).ok();
        done(desk.dockline.json(&["pull", &target, "--output", &file.display().to_string()]));
    }
}
