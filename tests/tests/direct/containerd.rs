//! Docker with containerd's image store, which keeps layers packed and indexes whole: every road to a registry and back, and
//! from one such Docker straight into another.

use super::done;
use dockline_model::{Code, LayerState, Road, TransferState, TransferView};
use dockline_tests::lab::{
    self, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Workplace, Workstation,
};
use std::fs;

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::NewerDocker];

/// A desk, and a host with a registry and a Docker, both of them with containerd's store.
struct Scene {
    host: RegistryHost,
    there: Dockerd,
    workstation: std::sync::Arc<Workstation>,
    here: Dockerd,
    dockline: Dockline,
    name: String,
}

impl Scene {
    fn start() -> Self {
        let machine = Workstation::start();
        let endpoint = format!("unix://{}", machine.folder().join("docker/docker.sock").display());
        let sshd_config = format!("SetEnv DOCKER_HOST={endpoint}\n");
        let host = RegistryHost::with(RegistryHostOptions { sshd_config, ..RegistryHostOptions::default() });
        let there = Dockerd::newer_in_network(&machine, &host.network());
        assert_eq!(there.endpoint(), endpoint);
        let Workplace { workstation, dockerd: here, dockline } = Workplace::with(Dockerd::newer);
        let name = dockline.add(&host).to_string();
        Self { host, there, workstation, here, dockline, name }
    }

    /// Pushes to that repository and tag; its digest.
    #[track_caller]
    fn push(&self, image: &str, to: &str, more: &[&str]) -> (TransferView, String) {
        let target = format!("{}/{to}", self.name);
        let (view, digest) = done(self.dockline.json(&[&["push", image, &target][..], more].concat()));
        let (repository, tag) = to.split_once(':').unwrap();
        assert_eq!(self.host.manifest_digest(repository, tag).as_ref(), Some(&digest));
        (view, digest)
    }

    #[track_caller]
    fn pull(&self, from: &str, more: &[&str]) -> (TransferView, String) {
        let reference = format!("{}/{from}", self.name);
        let (view, digest) = done(self.dockline.json(&[&["pull", &reference][..], more].concat()));
        let id = self.here.image_id(&format!("{}:5000/{from}", self.name));
        assert_eq!(id.as_ref(), Some(&digest), "in this store an image is called by its manifest");
        (view, digest)
    }

    /// Ships it to the host; whether anything had to be fetched from the engine here.
    #[track_caller]
    fn ship(&self, image: &str) -> (TransferView, String) {
        let identity = self.host.identity().display().to_string();
        let arguments = ["ship", image, &self.host.destination(), "--identity", &identity];
        let view: TransferView = self.dockline.json(&arguments).expect_success().read();
        let TransferState::Done { verified } = &view.state else { panic!("{:?}", view.state) };
        assert_eq!(self.there.image_id(image).as_ref(), Some(&verified.digest));
        let digest = verified.digest.clone();
        (view, digest)
    }

    /// Nothing of any image is left, nor of what it was built from.
    fn forget_images(&self) {
        let listed = self.here.run_docker(&["image", "ls", "--all", "--quiet", "--no-trunc"]);
        for id in listed.lines() {
            self.here.try_docker(&["rmi", "--force", id]);
        }
        assert_eq!(self.here.run_docker(&["image", "ls", "--all", "--quiet"]), "");
        self.here.run_docker(&["builder", "prune", "--all", "--force"]);
    }

    /// Builds with BuildKit: the content of each platform is its own.
    fn build_several(&self, tag: &str, more: &[&str]) -> String {
        let context = self.workstation.folder().join("several");
        fs::create_dir_all(&context).unwrap();
        for architecture in ["amd64", "arm64"] {
            let mut noise = vec![0; 200 << 10];
            fs::File::open("/dev/urandom")
                .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut noise))
                .unwrap();
            fs::write(context.join(architecture), noise).unwrap();
        }
        let dockerfile = "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /content\n";
        fs::write(context.join("Dockerfile"), dockerfile).unwrap();
        let context = context.display().to_string();
        let arguments = [&["buildx", "build", "--quiet", "--tag", tag][..], more, &[&context]].concat();
        self.here.run_docker(&arguments);
        self.here.image_id(tag).unwrap()
    }
}

/// Each layer by its own id, and all of it moved or there.
#[track_caller]
fn whole(view: &TransferView, layers: usize, state: &dyn Fn(&LayerState) -> bool) {
    assert_eq!(view.layers.len(), layers, "{:?}", view.layers);
    let mut ids: Vec<&str> = view.layers.iter().map(|layer| layer.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() == layers && ids.iter().all(|id| id.len() == 12), "{:?}", view.layers);
    assert!(view.layers.iter().all(|layer| state(&layer.state)), "{:?}", view.layers);
    assert_eq!((view.share, view.current), (Some(TransferView::WHOLE), view.total));
}

fn moved(state: &LayerState) -> bool {
    matches!(state, LayerState::Done)
}

fn there(state: &LayerState) -> bool {
    matches!(state, LayerState::Exists | LayerState::Mounted { .. })
}

const KIB: u64 = 1 << 10;

#[test]
fn images_of_containerds_store_go_on_every_road() {
    if !lab::requires(NEEDS) {
        return;
    }
    // One for both: two engines take their time to start.
    let scene = Scene::start();
    let _agent = scene.dockline.agent();
    an_image_goes_on_every_road(&scene);
    scene.forget_images();
    an_index_goes_whole_where_that_is_asked_for(&scene);
}

fn an_image_goes_on_every_road(scene: &Scene) {
    let id = scene.here.build_image("app:v1", &[1500, 700, 1]);

    // By the engine, which is the road by default: the layers are packed already.
    let (view, by_engine) = scene.push("app:v1", "app:v1", &[]);
    assert_eq!((view.road, &by_engine), (Road::Engine, &id), "{:?}", view.why);
    whole(&view, 3, &moved);
    assert!((2201 * KIB..2500 * KIB).contains(&view.sent), "{} bytes", view.sent);
    let (view, again) = scene.push("app:v1", "app:v1", &["--engine"]);
    assert_eq!(again, id);
    whole(&view, 3, &there);
    assert!(view.sent < 100 * KIB, "{} bytes", view.sent);

    // Directly: as it is, and to another repository without a byte.
    let (view, directly) = scene.push("app:v1", "team/app:v1", &["--direct"]);
    assert_eq!((view.road, &directly), (Road::Direct, &id));
    whole(&view, 3, &there);
    assert!(view.sent < 100 * KIB, "{} bytes", view.sent);
    let other = scene.here.build_image("other:v1", &[900, 1]);
    let (view, directly) = scene.push("other:v1", "other:v1", &["--direct"]);
    assert_eq!(directly, other);
    whole(&view, 2, &moved);
    assert!((901 * KIB..1100 * KIB).contains(&view.sent), "{} bytes", view.sent);

    // And back, by either.
    for (more, road) in [(&["--engine"], Road::Engine), (&["--direct"], Road::Direct)] {
        scene.forget_images();
        let (view, pulled) = scene.pull("app:v1", more);
        assert_eq!((view.road, &pulled), (road, &id));
        whole(&view, 3, &moved);
        assert!((2201 * KIB..2500 * KIB).contains(&view.sent), "{} bytes", view.sent);
    }
    // What the engine has, it does not fetch again.
    let (view, pulled) = scene.pull("app:v1", &["--engine"]);
    assert_eq!(pulled, id);
    assert!(view.sent < 100 * KIB, "{} bytes", view.sent);

    // Straight into another Docker of the kind.
    let image = format!("{}:5000/app:v1", scene.name);
    scene.here.run_docker(&["tag", &image, "app:v1"]);
    let (view, shipped) = scene.ship("app:v1");
    assert_eq!(shipped, id);
    whole(&view, 3, &moved);
    assert!((2201 * KIB..2600 * KIB).contains(&view.sent), "{} bytes", view.sent);
    let (view, shipped) = scene.ship("app:v1");
    assert_eq!(shipped, id);
    whole(&view, 3, &there);
}

fn an_index_goes_whole_where_that_is_asked_for(scene: &Scene) {
    let name = &scene.name;
    let several = ["--provenance=false", "--platform", "linux/amd64,linux/arm64"];
    let id = scene.build_several("multi:v1", &several);

    // The engine sends all of it; directly one image goes, unless all are asked for.
    let (_, by_engine) = scene.push("multi:v1", "engine:v1", &["--engine"]);
    assert_eq!(by_engine, id);
    let (view, one) = scene.push("multi:v1", "one:v1", &["--direct"]);
    assert_ne!(one, id);
    let why = view.why.unwrap();
    assert!(why.contains("Only linux/") && why.contains("the engine has another one"), "{why}");
    for road in [&["--all-platforms"][..], &["--all-platforms", "--direct"]] {
        let (view, all) = scene.push("multi:v1", "all:v1", road);
        assert_eq!((view.road, all), (Road::Direct, id.clone()));
        assert_eq!(
            view.why.as_deref(),
            Some("Directly, with all that the engine has of it; everything goes as it is.")
        );
        assert_eq!(view.layers.len(), 2);
    }
    let refused = |more: &[&str]| {
        let target = format!("{name}/new:v1");
        scene.dockline.json(&[&["push", "multi:v1", &target, "--all-platforms"][..], more].concat()).error()
    };
    assert_eq!(refused(&["--engine"]).code, Code::InvalidArgument);
    assert_eq!(refused(&["--referrers"]).code, Code::InvalidArgument);

    // An image with its attestation, which nobody loses without a word.
    let id = scene.build_several("attested:v1", &["--provenance=mode=max"]);
    let (_, by_engine) = scene.push("attested:v1", "engine:v2", &["--engine"]);
    assert_eq!(by_engine, id);
    let (view, one) = scene.push("attested:v1", "one:v2", &["--direct"]);
    assert_ne!(one, id);
    let why = view.why.unwrap();
    assert!(why.ends_with("which the engine has as well (--engine lets it send what it has)."), "{why}");
    let (_, all) = scene.push("attested:v1", "all:v2", &["--all-platforms"]);
    assert_eq!(all, id);
    let archive = scene.workstation.folder().join("attested.tar").display().to_string();
    scene.here.run_docker(&["save", "--output", &archive, "attested:v1"]);
    let (view, _) = scene.push(&archive, "archive:v2", &[]);
    let why = view.why.unwrap();
    assert!(
        why.ends_with("The image goes without its attestations (--all-platforms takes them as well)."),
        "{why}"
    );

    // Straight into another Docker goes one image, and it goes once.
    let (view, shipped) = scene.ship("attested:v1");
    assert_eq!(shipped, one);
    assert_eq!(view.layers.len(), 1);

    // What was pulled has this machine's image alone: the rest is not here, and a registry that has it is content.
    scene.forget_images();
    let (_, pulled) = scene.pull("all:v1", &["--engine"]);
    let image = format!("{name}:5000/all:v1");
    let (_, again) = scene.push(&image, "all:again", &["--all-platforms"]);
    assert_eq!(again, pulled);
    let target = format!("{name}/elsewhere:v1");
    let error = scene.dockline.json(&["push", &image, &target, "--all-platforms"]).error();
    assert_eq!(error.code, Code::InvalidArgument);
    let other = if cfg!(target_arch = "aarch64") { "linux/amd64" } else { "linux/arm64" };
    assert!(error.message.contains(&format!("it lacks {other}, and so does the registry")), "{error:?}");
    assert_eq!(scene.host.manifest_digest("elsewhere", "v1"), None);
    // The engine sends what it has, and says so.
    let (view, one) = scene.push(&image, "elsewhere:v1", &["--engine"]);
    assert_ne!(one, pulled);
    let why = view.why.unwrap();
    assert!(why.contains("The engine has only linux/") && why.contains("under a digest of its own"), "{why}");
}
