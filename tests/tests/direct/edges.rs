//! Images at the edges of what Docker takes, through a real registry on every road: as many layers as there may be, the empty
//! one twice among them.

use super::{NEEDS, done};
use dockline_registry::Digest;
use dockline_tests::lab::{self, RegistryHost, Workplace};
use std::{fs::File, io, path::Path};

/// More layers than that no engine runs (moby, `daemon/graphdriver/overlay2`).
const MOST: usize = 127;
/// Enough for the roads through an engine.
const SOME: usize = 9;
/// The tar of nothing: two blocks of zeros, which every builder that keeps empty layers has.
const EMPTY: [u8; 1024] = [0; 1024];
const EMPTY_ID: &str = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

fn add(archive: &mut tar::Builder<impl io::Write>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content).unwrap();
}

/// docker's layout of that image, with another small file in each layer but two.
fn write_image(path: &Path, count: usize) {
    let mut archive = tar::Builder::new(File::create(path).unwrap());
    let (mut layers, mut diff_ids) = (Vec::new(), Vec::new());
    for number in 0..count {
        // In the middle, and on top.
        let is_empty = number == count / 2 || number + 1 == count;
        let layer = if is_empty {
            EMPTY.to_vec()
        } else {
            let mut layer = tar::Builder::new(Vec::new());
            add(&mut layer, &format!("layer-{number}"), format!("what layer {number} brings").as_bytes());
            layer.into_inner().unwrap()
        };
        let digest = Digest::of(&layer);
        let name = format!("{}/layer.tar", digest.hex());
        if !layers.contains(&name) {
            add(&mut archive, &name, &layer);
        }
        layers.push(name);
        diff_ids.push(digest.to_string());
    }
    assert_eq!(diff_ids[count / 2], format!("sha256:{EMPTY_ID}"));
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = config.to_string();
    let config_name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    add(&mut archive, &config_name, config.as_bytes());
    let manifest = serde_json::json!([{ "Config": config_name, "RepoTags": ["edge:v1"], "Layers": layers }]);
    add(&mut archive, "manifest.json", manifest.to_string().as_bytes());
    archive.finish().unwrap();
}

#[test]
fn as_many_layers_as_there_may_be_and_empty_ones_go_on_every_road() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = Workplace::start();
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let file = |name: &str| workstation.folder().join(name).display().to_string();

    // No engine takes part: Docker's own store stops at 125, and takes a tenth of a second for each.
    let deep = file("deep.tar");
    write_image(deep.as_ref(), MOST);
    let (view, pushed) = done(dockline.json(&["push", &deep, &format!("{name}/deep:v1")]));
    assert_eq!(view.layers.len(), MOST - 1, "the empty layer is one");
    let back = file("back.tar");
    let (_, pulled) = done(dockline.json(&["pull", &format!("{name}/deep:v1"), "--output", &back]));
    assert_eq!(pulled, pushed);
    let (_, again) = done(dockline.json(&["push", &back, &format!("{name}/again:v1")]));
    assert_eq!(again, pushed);

    let some = file("some.tar");
    write_image(some.as_ref(), SOME);
    dockerd.run_docker(&["load", "--quiet", "--input", &some]);
    let id = dockerd.image_id("edge:v1").unwrap();
    for (tag, road) in [("direct", "--direct"), ("engine", "--engine")] {
        let (_, digest) = done(dockline.json(&["push", "edge:v1", &format!("{name}/edge:{tag}"), road]));
        assert_eq!(host.manifest_digest("edge", tag), Some(digest));
    }
    for (tag, road) in [("engine", "--direct"), ("direct", "--engine")] {
        dockerd.run_docker(&["rmi", "--force", &id]);
        done(dockline.json(&["pull", &format!("{name}/edge:{tag}"), road]));
        let pulled = format!("{name}:5000/edge:{tag}");
        assert_eq!(dockerd.image_id(&pulled).as_ref(), Some(&id), "{tag} {road}");
        let layers =
            dockerd.run_docker(&["image", "inspect", "--format", "{{json .RootFS.Layers}}", &pulled]);
        let layers: Vec<String> = serde_json::from_str(&layers).unwrap();
        assert_eq!(layers.len(), SOME);
        assert!(layers[SOME / 2].ends_with(EMPTY_ID) && layers[SOME - 1] == layers[SOME / 2], "{layers:?}");
    }
}
