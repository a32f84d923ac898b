#![no_std]
#![no_main]
//! Samples and scores without a word: what the runtime alone adds to a firmware.
//!
//! Nothing here can panic, so a linked program without the handler below shows that nothing in the
//! runtime can.

use core::hint::{black_box, spin_loop};
use core::panic::PanicInfo;

use flowlet::{Error, Flow, MAX_SCRATCH_LEN, Model, Scratch, StandardNormal, include_model};
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};

static MOONS: &[u8] = include_model!("../../../runtime/moons.flow");

#[cortex_m_rt::entry]
fn main() -> ! {
    // The compiler must not see which bytes these are, nor how long.
    let outcome = typed(black_box(MOONS)).and_then(|_| untyped(black_box(MOONS)));
    black_box(&outcome);
    loop {
        spin_loop();
    }
}

/// As firmware does it.
fn typed(bytes: &[u8]) -> Result<f32, Error> {
    let model = Model::from_bytes(bytes)?;
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(black_box(7));
    let mut x = [0.0; 2];
    model.sampler(&mut scratch)?.sample(&mut rng, &mut x);
    Ok(model.density(&mut scratch)?.log_prob(&x))
}

/// As a tool does it, with sizes that only the file knows.
fn untyped(bytes: &[u8]) -> Result<f32, Error> {
    let model = Model::from_bytes(bytes)?;
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(black_box(7));
    let context = black_box(&[0.0; 32][..]);
    let x = &mut [0.0; 64];
    let x = x
        .split_at_mut_checked(model.dim())
        .map_or(&mut [][..], |(x, _)| x);
    x.iter_mut()
        .for_each(|x| *x = StandardNormal.sample(&mut rng));
    match model.flow() {
        Flow::RealNvp(flow) => {
            flow.inverse_and_log_det(x, context, &mut scratch)?;
            flow.inverse(x, context, &mut scratch)?;
            flow.forward(x, context, &mut scratch)?;
            flow.forward_and_log_det(x, context, &mut scratch)?;
            flow.log_prob(x, context, &mut scratch)
        }
        Flow::VelocityField(field) => {
            field.velocity(x, 0.5, context, &mut black_box([0.0; 64]), &mut scratch)?;
            field.euler(x, field.step_count(), context, &mut scratch)?;
            Ok(0.0)
        }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        spin_loop();
    }
}
