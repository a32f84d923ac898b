#![no_std]
#![no_main]
//! The least that samples a model: loads it, draws a sample, ends.
//!
//! What its program takes of flash, without the model, and of RAM, without the scratch, is what the
//! runtime's sampler costs a firmware. The model that `FLOWLET_MODEL` names has to be one in integers,
//! which the default is not: with any other, the program ends as failed.

use core::hint::{black_box, spin_loop};
use core::panic::PanicInfo;

use bracket::bracket;
use flowlet::{Error, Model, Scratch, include_model};
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
use semihosting::process::ExitCode;

include!(concat!(env!("OUT_DIR"), "/model.rs"));

static MODEL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/model.flow"));

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    match bracket(sample) {
        Ok(x) => {
            black_box(x);
            ExitCode::SUCCESS.exit_process()
        }
        Err(_) => ExitCode::FAILURE.exit_process(),
    }
}

fn sample() -> Result<[f32; DIM], Error> {
    // The compiler must not see which bytes these are, nor how many.
    let model = Model::from_bytes(black_box(MODEL))?;
    let mut scratch = Scratch::<SCRATCH_LEN>::new();
    let mut sampler = model.sampler_given(&[0.0; CONTEXT_DIM], &mut scratch)?;
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(black_box(7));
    let mut x = [0.0; DIM];
    sampler.sample(&mut rng, &mut x);
    Ok(x)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        spin_loop();
    }
}
