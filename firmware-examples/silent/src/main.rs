#![no_std]
#![no_main]
//! Samples and scores without a word: what the runtime alone adds to a firmware.
//!
//! Nothing here can panic, so a linked program from which the linker dropped the handler shows that
//! nothing in the runtime can.

use core::hint::{black_box, spin_loop};
use core::num::NonZeroU16;
use core::panic::PanicInfo;

use flowlet::{Error, Flow, MAX_SCRATCH_LEN, Model, Scratch, StandardNormal, include_model};
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};

static MOONS: &[u8] = include_model!("../../../runtime/src/moons.flow");

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    // The compiler must not see which bytes these are, nor how long.
    let outcomes = [
        description(black_box(MOONS)),
        typed(black_box(MOONS)),
        untyped(black_box(MOONS)),
    ];
    black_box(&outcomes);
    loop {
        spin_loop();
    }
}

/// All that a model says of itself.
fn description(bytes: &[u8]) -> Result<f32, Error> {
    let model = Model::from_bytes(bytes)?;
    let label_len: usize = model.labels().map(str::len).sum();
    black_box(model.name().len() + label_len + model.context_dim());
    black_box(model.scratch_len() + model.mac_count());
    black_box(model.kind());
    Ok(model.mean().chain(model.std()).sum())
}

/// As firmware does it.
fn typed(bytes: &[u8]) -> Result<f32, Error> {
    let model = Model::from_bytes(bytes)?;
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(black_box(7));
    let context = black_box(&[0.0; 3][..]);
    let mut x = [0.0; 2];
    model.sampler(&mut scratch)?.sample(&mut rng, &mut x);
    let mut sampler = model.sampler_given(context, &mut scratch)?;
    sampler.set_step_count(black_box(NonZeroU16::MIN));
    sampler.sample(&mut rng, &mut x);
    let log_p = model.density(&mut scratch)?.log_prob(&x);
    Ok(log_p + model.density_given(context, &mut scratch)?.log_prob(&x))
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
