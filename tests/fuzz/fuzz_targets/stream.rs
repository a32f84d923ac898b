#![no_main]
//! Whatever comes over the line, after a line's end and a zero a request is read.

use flowlet_protocol::frame::{FrameReader, MAX_LEN, encode};
use flowlet_protocol::update::Request;
use flowlet_protocol::{Answer, Said, StreamReader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (mut stream, mut answers) = (StreamReader::new(), FrameReader::new());
    for byte in bytes {
        if stream.push(*byte) {
            let _ = stream.said();
        }
        if answers.push(*byte)
            && let Ok(answer) = answers.frame::<Answer>()
        {
            let mut buffer = [0; MAX_LEN];
            encode(&answer, &mut buffer).expect("what was in a frame fits into one");
        }
    }
    let mut buffer = [0; MAX_LEN];
    let frame = encode(&Request::Finish, &mut buffer).expect("it is short");
    let mut last = false;
    for byte in [b"\n\0", frame].concat() {
        last = stream.push(byte);
    }
    assert!(last && stream.said() == Said::Request(Request::Finish));
});
