//! The `f32` rim of a net for many points: plain loops, which the compiler turns into vectors here.
//!
//! The operations of a number are those of the scalar code in the same order, and Rust neither fuses
//! nor reorders them, so the bits are the same.

use super::super::fixed;
use crate::tile::{Lanes, Row};

/// Takes inputs to fixed point, and the unit of a point with a NaN to NaN.
#[target_feature(enable = "avx2")]
pub(super) fn quantize(u: &Lanes, scale: f32, q: &mut Row, units: &mut Lanes) {
    for ((q, unit), u) in q.iter_mut().zip(units).zip(u) {
        *q = fixed(*u, scale).cast_unsigned();
        *unit = if u.is_nan() { f32::NAN } else { *unit };
    }
}

/// Takes a net's sums to outputs, in each point's unit.
#[target_feature(enable = "avx2")]
pub(super) fn dequantize(z: &Row, units: &Lanes, y: &mut Lanes) {
    for ((y, z), unit) in y.iter_mut().zip(z).zip(units) {
        *y = z.cast_signed() as f32 * unit;
    }
}

/// Takes each x, within ±80 or NaN, to `eˣ`.
#[target_feature(enable = "avx2")]
pub(super) fn exp(x: &mut Lanes) {
    x.iter_mut().for_each(|x| *x = exp_of(*x));
}

/// `libm::expf` where no result is subnormal or infinite, with selections instead of branches.
///
/// Source: `expf.rs` of libm 0.2.16, after FreeBSD's `e_expf.c`, with its names and constants.
#[inline(always)]
fn exp_of(x: f32) -> f32 {
    const HALF: f32 = 0.5;
    const LN2_HI: f32 = f32::from_bits(0x3F31_7200);
    const LN2_LO: f32 = f32::from_bits(0x35BF_BE8E);
    const INV_LN2: f32 = f32::from_bits(0x3FB8_AA3B);
    const P1: f32 = 1.666_662_5e-1;
    const P2: f32 = -2.766_733_3e-3;
    let magnitude = x.to_bits() & 0x7FFF_FFFF;
    let k = if magnitude > 0x3F85_1592 {
        // Beyond 1.5 ln 2.
        (INV_LN2 * x + HALF.copysign(x)) as i32
    } else if magnitude > 0x3EB1_7218 {
        // Beyond 0.5 ln 2.
        1f32.copysign(x) as i32
    } else {
        0
    };
    let (hi, lo) = (x - k as f32 * LN2_HI, k as f32 * LN2_LO);
    let reduced = hi - lo;
    let xx = reduced * reduced;
    let c = reduced - xx * (P1 + xx * P2);
    let y = 1.0 + (reduced * c / (2.0 - c) - lo + hi);
    if magnitude > 0x3900_0000 {
        // 2^k
        y * f32::from_bits(((127 + k) as u32) << 23)
    } else {
        1.0 + x
    }
}

#[cfg(test)]
mod tests {
    use super::super::Avx2;
    use crate::tile::TILE;

    /// The largest bound on a scale, as `format::MAX_SCALE_CLIP` has it.
    const END: f32 = 80.0;

    /// Compares the numbers from 0 to ±80 in steps of so many representable ones.
    fn check_exp(step: usize) {
        let Some(avx2) = Avx2::detect() else { return };
        for first in (0..=END.to_bits()).step_by(step * TILE) {
            for sign in [1.0, -1.0] {
                let bits = |lane| (first + (lane * step) as u32).min(END.to_bits());
                let x = core::array::from_fn(|lane| sign * f32::from_bits(bits(lane)));
                let mut found = x;
                avx2.exp(&mut found);
                for (x, found) in x.iter().zip(found) {
                    assert_eq!(found.to_bits(), libm::expf(*x).to_bits(), "{x:e}");
                }
            }
        }
    }

    #[test]
    fn exp_has_the_bits_of_libm() {
        check_exp(1009);
        let mut nan = [f32::NAN; TILE];
        if let Some(avx2) = Avx2::detect() {
            avx2.exp(&mut nan);
            assert!(nan.iter().all(|x| x.is_nan()));
        }
    }

    #[test]
    #[ignore = "compares 2.2 billion numbers"]
    fn exp_has_the_bits_of_libm_for_every_number() {
        check_exp(1);
    }
}
