//! The two halves of a layer are put together: hand-made ones, and any.

use super::{assemble::assemble, split::Split, *};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::io::Write as _;

/// A member of a tar: its name, and its content or the name of the file that it is as well.
type Member = (Vec<u8>, Result<Vec<u8>, Vec<u8>>);

fn file(name: &str, content: &[u8]) -> Member {
    (name.into(), Ok(content.to_vec()))
}

fn link(name: &str, target: &str) -> Member {
    (name.into(), Err(target.into()))
}

/// A tar, and what tar-split makes of it.
fn layer(members: &[Member]) -> (Vec<u8>, Split) {
    let (mut tar, mut lines) = (Vec::new(), Vec::new());
    let segment =
        |bytes: &[u8]| format!("{{\"type\":2,\"payload\":\"{}\",\"position\":0}}\n", STANDARD.encode(bytes));
    for (name, member) in members {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_mode(0o644);
        let content: &[u8] = match member {
            Ok(content) => content,
            Err(target) => {
                header.set_entry_type(tar::EntryType::Link);
                header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
                &[]
            }
        };
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        lines.push(segment(header.as_bytes()));
        let called = match std::str::from_utf8(name) {
            Ok(name) => format!("\"name\":\"{name}\""),
            Err(_) => format!("\"name_raw\":\"{}\"", STANDARD.encode(name)),
        };
        let size = match content.len() {
            0 => String::new(),
            size => format!("\"size\":{size},"),
        };
        lines.push(format!("{{\"type\":1,{called},{size}\"payload\":\"AAAAAAAAAAA=\",\"position\":1}}\n"));
        tar.extend_from_slice(content);
        let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
        tar.extend_from_slice(&padding);
        lines.push(segment(&padding));
    }
    tar.extend_from_slice(&[0; 1024]);
    lines.push(segment(&[0; 1024]));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines.concat().as_bytes()).expect("memory takes it");
    (tar, Split::new(packed.finish().expect("memory takes it").into()))
}

/// As dockerd copies a folder.
fn copied(members: &[Member]) -> Vec<u8> {
    let below = |name: &[u8]| [b"diff/", name].concat();
    let members: Vec<Member> =
        members.iter().map(|(name, member)| (below(name), member.clone().map_err(|t| below(&t)))).collect();
    layer(&members).0
}

fn together(split: &Split, files: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    assemble(split, tar::Archive::new(files).entries()?, None, &mut out)?;
    Ok(out)
}

/// The layer that is put together from one tar of all that dockerd knows of it, the files included.
fn from_one_tar(split: &[u8], folder: &[Member]) -> io::Result<Vec<u8>> {
    let within = |name: &[u8]| [b"known/files/", name].concat();
    let mut members = vec![
        file("known/0/cache-id", b"0f"),
        file("known/0/diff", b"sha256:0"),
        file("known/0/tar-split.json.gz", split),
        file("known/config", b"{}"),
    ];
    members
        .extend(folder.iter().map(|(name, member)| (within(name), member.clone().map_err(|t| within(&t)))));
    let (tell, told) = oneshot::channel();
    let (ask, asked) = oneshot::channel();
    let tar = layer(&members).0;
    let reading = std::thread::spawn(move || known::read(&tar[..], 1, tell, asked));
    let mut known = told.blocking_recv().expect("it tells")?;
    assert_eq!(known.config.as_deref(), Some(&b"{}"[..]));
    let (name, split) = known.layer(0)?;
    assert_eq!(name, "0f");
    let (outgoing, mut incoming) = Incoming::channel();
    assert!(ask.send((split, outgoing)).is_ok());
    let mut out = Vec::new();
    incoming.read_to_end(&mut out)?;
    reading.join().expect("it ends");
    Ok(out)
}

#[test]
fn files_in_their_order_in_another_and_linked_the_other_way_round_are_the_same_layer() {
    let (a, b) = (file("bin/a", b"first"), file("etc/b", &[7; 2000]));
    let cases = [
        (vec![a.clone(), b.clone()], vec![a.clone(), b.clone()]),
        (vec![b.clone(), a.clone()], vec![a.clone(), b.clone()]),
        (vec![file("./bin/a", b"first"), file("/etc/b", b"")], vec![a.clone(), file("etc/b", b"")]),
        (vec![file("z", b"twice"), link("a", "z")], vec![file("a", b"twice"), link("z", "a")]),
        (vec![b.clone(), file("z", b"!"), link("a", "z")], vec![file("a", b"!"), b.clone(), link("z", "a")]),
        (vec![(b"caf\xe9".to_vec(), Ok(vec![1]))], vec![(b"caf\xe9".to_vec(), Ok(vec![1]))]),
    ];
    for (members, folder) in cases {
        let (tar, split) = layer(&members);
        assert_eq!(split.size().unwrap(), tar.len() as u64);
        assert_eq!(together(&split, &copied(&folder)).unwrap(), tar, "{members:?}");
        assert_eq!(from_one_tar(split.packed(), &folder).unwrap(), tar, "{members:?}");
    }
}

#[test]
fn a_file_that_is_gone_or_has_another_size_is_an_error() {
    let (_, split) = layer(&[file("a", b"one"), file("b", b"two")]);
    for folder in [vec![file("a", b"one")], vec![file("b", b"two"), file("a", b"longer")], vec![]] {
        assert!(together(&split, &copied(&folder)).is_err(), "{folder:?}");
    }
    let cut = copied(&[file("a", b"one"), file("b", b"two")]);
    assert!(together(&split, &cut[..600]).is_err());
}

#[test]
fn what_is_no_tar_split_is_an_error() {
    for text in [
        "{\"type\":3}",
        "{\"type\":1,\"size\":2}",
        "{\"type\":2,\"payload\":\"%\"}",
        "x",
        "{\"type\":1,\"size\":-1}",
    ] {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        assert!(together(&Split::new(packed.finish().unwrap().into()), &copied(&[])).is_err(), "{text}");
    }
    assert!(Split::new("not packed".into()).size().is_err());
}

#[test]
fn the_place_is_read_off_the_topmost_layer() {
    let driver = |name: &str, upper: &str| DriverData {
        name: name.to_owned(),
        data: HashMap::from([("UpperDir".to_owned(), upper.to_owned())]),
    };
    let place =
        StorePlace::of(Some(&driver("overlay2", "/srv/100000.100000/overlay2/0f/diff")), None).unwrap();
    assert_eq!(place.files, "/srv/100000.100000/overlay2");
    assert_eq!(place.known, "/srv/100000.100000/image/overlay2");
    for (name, upper) in
        [("overlay", "/c/overlay/0f/diff"), ("overlay2", "/overlay2"), ("vfs", "/d/vfs/dir/0f")]
    {
        assert_eq!(StorePlace::of(Some(&driver(name, upper)), None), None);
    }
    assert_eq!(StorePlace::of(None, None), None);
}

#[test]
fn the_folders_of_an_images_layers_stand_from_the_top_down() {
    let place = |lower: Option<&str>| {
        let data = [("UpperDir", Some("/d/overlay2/0f/diff")), ("LowerDir", lower)];
        let data = data.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
        let driver = DriverData { name: "overlay2".to_owned(), data: data.collect() };
        StorePlace::of(Some(&driver), None).unwrap()
    };
    let folders = |lower| place(lower).folders;
    assert_eq!(folders(Some("/d/overlay2/0e/diff:/d/overlay2/0d/diff")), ["0d", "0e", "0f"]);
    assert_eq!(folders(None), ["0f"]);
    assert_eq!(folders(Some("/d/overlay2/l/ABC")), [""; 0], "of another make");

    let layers = ["sha256:1", "sha256:2"].map(str::to_owned);
    let of = |place: &StorePlace, number: usize| {
        place.only_folder(&layers, &[(layers[number].as_str(), String::new())]).map(str::to_owned)
    };
    let two = place(Some("/d/overlay2/0e/diff"));
    assert_eq!((of(&two, 0).as_deref(), of(&two, 1).as_deref()), (Some("0e"), Some("0f")));
    assert_eq!(two.only_folder(&layers, &[]), None);
    assert_eq!(of(&place(None), 0), None, "an empty layer has no folder there, or one more");
    assert_eq!(of(&place(Some("/d/overlay2/../diff")), 0), None);
}

#[test]
fn a_layer_is_known_by_all_below_it() {
    // Of an image that dockerd 20.10 has built.
    let layers = [
        "sha256:79e94f58335f69c77d6fb78dc76aacc5805d961c781bbcacf2fa800c3ad436d4",
        "sha256:3a7ee0074dfa0561c8fe4d73e657b909fdc50164a45a456d06030acacbd64a32",
        "sha256:fcbd0ee9fb314419a4b97d3dd44be4e0312c81d4d5df90ec6b77855a279ba45e",
    ]
    .map(str::to_owned);
    let expected = [
        (&*layers[0], layers[0].clone()),
        (&*layers[1], "sha256:58d0ae8346ef61e31f231fb80945ecb15b6d713ea2f6eb741a4389a4c7d2a0d7".to_owned()),
        (&*layers[2], "sha256:202fd3b3b2857d77c96db07290fc1f47834d7321cfc2b4a442c2eb67c01658e2".to_owned()),
    ];
    assert_eq!(chain_ids(&layers), expected);
}

proptest! {
    #[test]
    fn any_folder_in_any_order_is_the_layer_it_was(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1500), 0..8),
        seed in any::<u64>(),
    ) {
        let members: Vec<Member> =
            contents.into_iter().enumerate().map(|(at, content)| (format!("f{at}").into_bytes(), Ok(content))).collect();
        let (tar, split) = layer(&members);
        let mut folder = members;
        folder.sort_by_key(|(name, _)| seed.wrapping_mul(u64::from(name[1]) * 2 + 1));
        prop_assert_eq!(together(&split, &copied(&folder)).unwrap(), tar);
    }
}
