//! Two engines and what travels between them: the context that is chosen, a pull by a button, an image kept as a file, and
//! an index with its platforms.

use super::{HOST, card, value_of};
use dockline_tests::{
    desktop::{Browser, Screen},
    lab::{self, Dockerd, Dockline, Need, RegistryHost, Workstation},
};
use serde_json::json;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Another engine under that name, as `docker context create` makes it.
fn make_context(dockline: &Dockline, name: &str, engine: &Dockerd) {
    let endpoint = format!("host={}", engine.endpoint());
    let mut create = engine.docker(&["context", "create", name, "--docker", &endpoint]);
    create.env("DOCKER_CONFIG", dockline.folder().join(".docker")).env_remove("DOCKER_HOST");
    lab::try_run(&mut create).expect_success();
}

/// Puts an index of both images, which the registry has, beside them.
fn put_index(host: &RegistryHost, dockline: &Dockline, repository: &str, platforms: [&str; 2]) {
    let manifests = platforms.map(|platform| {
        let url = format!("http://127.0.0.1:5000/v2/{repository}/manifests/{platform}");
        let mut read = host.inside("curl");
        read.args(["--silent", "--fail", "--header", &format!("Accept: {MANIFEST}"), &url]);
        let size = lab::try_run(&mut read).expect_success().stdout.len();
        let digest = host.manifest_digest(repository, platform).expect("it was pushed");
        let platform = json!({ "os": "linux", "architecture": platform });
        json!({ "mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform })
    });
    let kind = "application/vnd.docker.distribution.manifest.list.v2+json";
    let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": manifests });
    let path = dockline.folder().join("index.json");
    std::fs::write(&path, index.to_string()).expect("the folder is ours");
    let mut put = host.inside("curl");
    put.args(["--silent", "--show-error", "--fail", "--request", "PUT"])
        .args([
            "--header",
            &format!("Content-Type: {kind}"),
            "--data-binary",
            &format!("@{}", path.display()),
        ])
        .arg(format!("http://127.0.0.1:5000/v2/{repository}/manifests/v1"));
    lab::try_run(&mut put).expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_travels_from_the_engine_of_one_context_to_the_other_and_into_a_file() {
    if !lab::requires(&[HOST, &[Need::Dockerd, Need::Program("skopeo")]].concat()) {
        return;
    }
    let (screen, host) = (Screen::start(), RegistryHost::start());
    let near = Dockerd::start(&Workstation::start());
    let mut far = Dockerd::start(&Workstation::start());
    near.build_image("team/near:v1", &[64]);
    let id = far.build_image("team/far:v1", &[64]);
    let dockline = Dockline::new().with_engine(near.endpoint());
    make_context(&dockline, "far", &far);
    let name = dockline.add(&host);
    for architecture in ["amd64", "arm64"] {
        let path = dockline.folder().join(format!("{architecture}.tar"));
        lab::write_image(&path, architecture, 1 << 10);
        let path = path.display().to_string();
        dockline.run(&["push", &path, &format!("{name}/team/both:{architecture}")]).expect_success();
    }
    put_index(&host, &dockline, "team/both", ["amd64", "arm64"]);

    let window = Browser::start(&screen, &dockline, &[]).await;
    let image = |tag: &str| format!("[data-testid=image-row][data-image=\"{tag}\"]");
    let done = |kind: &str| format!("[data-testid=transfer-row][data-kind={kind}][data-state=done]");

    // The other engine has other images, and what is pushed now is its own.
    window.press_control('2').await;
    window.see(&image("team/near:v1")).await;
    window.choose("images-engine", "far").await;
    window.see(&image("team/far:v1")).await;
    window.see_gone(&image("team/near:v1")).await;
    window.photograph("images-engine-light").await;
    window.click(&format!("{} [data-testid=push]", image("team/far:v1"))).await;
    window.click("[data-testid=push-submit]").await;
    // What was pushed before is told here, too.
    window.see_as_many(&done("push"), 3).await;
    assert!(host.manifest_digest("team/far", "v1").is_some());

    // Its name, from the row's own menu.
    window.press_control('2').await;
    window.click(&format!("{} [data-testid=image-more]", image("team/far:v1"))).await;
    window.click("[data-testid=copy-name]").await;
    screen.wait_for_clipboard("team/far:v1").await;

    // Without it, the way back to the first one stands where the images would be.
    far.stop();
    window.click("[data-testid=refresh-images]").await;
    window.part("engine-unavailable").await;
    assert_eq!(window.violations().await, [""; 0]);
    window.choose("images-engine", "as:docker").await;
    window.see(&image("team/near:v1")).await;

    // What the other one pushed is pulled by a button, into this one.
    window.press_control('1').await;
    window.click(&format!("{} [data-testid=look-inside]", card(&name))).await;
    window.click("[data-testid=repository-row][data-name=\"team/far\"]").await;
    window.click("[data-testid=tag-row][data-name=v1]").await;
    window.click("[data-testid=pull-image]").await;
    window.see(&done("pull")).await;
    assert_eq!(near.image_id(&format!("{name}:5000/team/far:v1")).as_deref(), Some(id.as_str()));
    window.press_control('2').await;
    window.see(&image(&format!("{name}:5000/team/far:v1"))).await;

    // An index has a row for each platform, and one of them is kept as a file that the desktop's own dialog names.
    window.press_control('1').await;
    window.click(&format!("{} [data-testid=look-inside]", card(&name))).await;
    window.click("[data-testid=repository-row][data-name=\"team/both\"]").await;
    window.click("[data-testid=tag-row][data-name=v1]").await;
    window.see_as_many("[data-testid=platform-row]", 2).await;
    assert_eq!(window.violations().await, [""; 0]);
    window.photograph("contents-platforms-light").await;
    window.click("[data-testid=platform-row]:nth-child(2) button").await;
    let arm = host.manifest_digest("team/both", "arm64").expect("it was pushed");
    window
        .until(&format!(
            "return document.querySelector('[data-testid=manifest-digest]')?.textContent === '{arm}'"
        ))
        .await;
    window.part("blob-row").await;
    window.click("[data-testid=save-image]").await;
    window.settled().await;
    window.click("[data-testid=pull-choose]").await;
    screen.leave_file_dialog("Save the image as").await;
    assert_eq!(value_of(&window, "pull-path").await, "");
    window.click("[data-testid=pull-choose]").await;
    let kept = dockline.folder().join("kept.tar");
    screen.save_file("Save the image as", &kept).await;
    assert_eq!(value_of(&window, "pull-path").await, kept.display().to_string());
    window.click("[data-testid=pull-format-docker]").await;
    window.click("[data-testid=pull-submit]").await;
    window.see_as_many(&done("pull"), 2).await;
    let inside = lab::run("skopeo", &["inspect", "--config", &format!("docker-archive:{}", kept.display())]);
    let inside: serde_json::Value = serde_json::from_str(&inside).expect("skopeo prints JSON");
    assert_eq!(inside["architecture"], "arm64");
    window.close().await;
}
