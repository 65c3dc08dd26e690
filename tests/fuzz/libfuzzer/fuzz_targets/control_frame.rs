//! libFuzzer's way into `control_frame` of [`dockline_fuzz`], which says what has to hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dockline_fuzz::run("control_frame", data));
