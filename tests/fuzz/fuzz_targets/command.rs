#![no_main]
//! Whatever comes over the line, what is read of it is read again from what it is written as.

use flowlet_protocol::{Command, LineReader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = LineReader::new();
    for byte in bytes {
        if !reader.push(*byte) {
            continue;
        }
        if let Ok(Ok(command)) = reader.line().map(str::parse::<Command>) {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
    }
});
