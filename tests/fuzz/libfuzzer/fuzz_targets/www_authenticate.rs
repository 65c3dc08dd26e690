#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dockline_fuzz::run("www_authenticate", data));
