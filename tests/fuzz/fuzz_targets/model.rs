#![no_main]
//! Any bytes are a model or an error, and whatever is a model samples.

use std::num::NonZeroU16;

use flowlet::format::{Header, MAGIC, VERSION, crc32_after};
use flowlet::{Flow, MAX_SCRATCH_LEN, Model, Scratch};
use flowlet_fuzz::{bytes_of, words_of};
use libfuzzer_sys::fuzz_target;

/// Multiply-adds of a model that is run: a larger one takes long and shows no more.
const MOST_MACS: usize = 100_000;

fuzz_target!(|bytes: &[u8]| {
    load(bytes);
    load(&mended(bytes));
});

/// With the right head, length and checksum, which the fuzzer would not find.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() < Header::LENGTH + 4 {
        return bytes;
    }
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()] = VERSION;
    let len = bytes.len() as u32;
    bytes[Header::LENGTH - 4..Header::LENGTH].copy_from_slice(&len.to_le_bytes());
    let end = bytes.len() - 4;
    let crc = crc32_after(0, &bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn load(bytes: &[u8]) {
    let words = words_of(bytes);
    let Ok(model) = Model::from_bytes(&bytes_of(&words)[..bytes.len()]) else {
        return;
    };
    assert!(model.scratch_len() <= MAX_SCRATCH_LEN);
    if model.mac_count() > MOST_MACS {
        return;
    }
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut x = vec![0.5; model.dim()];
    let context = vec![-0.25; model.context_dim()];
    match model.flow() {
        Flow::RealNvp(flow) => {
            flow.inverse(&mut x, &context, &mut scratch)
                .expect("all sizes fit");
            flow.log_prob(&x, &context, &mut scratch)
                .expect("all sizes fit");
        }
        Flow::VelocityField(field) => {
            let steps = NonZeroU16::new(2).expect("2 is not 0");
            field
                .euler(&mut x, steps, &context, &mut scratch)
                .expect("all sizes fit");
        }
    }
}
