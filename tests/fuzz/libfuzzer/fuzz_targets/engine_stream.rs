//! libFuzzer's way into `engine_stream` of [`dockline_fuzz`], which says what has to hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dockline_fuzz::run("engine_stream", data));
