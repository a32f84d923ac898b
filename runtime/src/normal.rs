//! The noise.

use rand_core::Rng;

use crate::normal_table::{R, WIDTH};

/// The normal distribution with mean 0 and variance 1.
///
/// A ziggurat of 128 layers in `f32`: one 32-bit word gives the layer (7 bits), the sign (1 bit) and
/// the magnitude (24 bits), which share none. Values reach to 8.27; the same words give the same
/// bits on every target.
///
/// # Cost
///
/// One word, two table look-ups, one conversion and one product in 97.2 % of all draws; else also
/// `exp` or `ln`.
/// At most 64 tries, and as many in the tail: a generator that is stuck ends in a finite value, not in
/// a hang.
///
/// # Source
///
/// Marsaglia and Tsang, *The Ziggurat Method for Generating Random Variables*, 2000; the bits are
/// kept apart as Doornik asks (*An Improved Ziggurat Method*, 2005).
///
/// ```
/// use flowlet::StandardNormal;
/// use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
///
/// let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
/// let noise: [f32; 4] = core::array::from_fn(|_| StandardNormal.sample(&mut rng));
/// assert!(noise.iter().all(|z| z.abs() < 8.3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StandardNormal;

/// A try fails with a chance of 1.2 %, in the tail of 7 %: a working generator never comes near.
const MAX_TRIES: u32 = 64;

impl StandardNormal {
    /// Draws one value.
    pub fn sample<G: Rng + ?Sized>(&self, rng: &mut G) -> f32 {
        let mut x = 0.0;
        for _ in 0..MAX_TRIES {
            let word = rng.next_u32();
            let layer = (word & 0x7F) as usize;
            let negative = word & 0x80 != 0;
            let magnitude = word >> 8;
            x = magnitude as f32 * WIDTH[layer];
            let (width, above) = (edge(WIDTH[layer]), edge(WIDTH[layer + 1]));
            // Floats that are not negative are in the order of their bits.
            let accepted = if x.to_bits() < above.to_bits() {
                true
            } else if layer == 0 {
                x = R + beyond(rng);
                true
            } else {
                under_curve(width, above, x, rng)
            };
            x = if negative { -x } else { x };
            if accepted {
                break;
            }
        }
        x
    }
}

/// Where a layer ends: its width by 2²⁴, without a product.
fn edge(width: f32) -> f32 {
    f32::from_bits(width.to_bits() + (24 << (f32::MANTISSA_DIGITS - 1)))
}

/// Whether a point at `x`, uniform over the height of a layer from `width` to that `above`, lies under
/// the density.
#[cold]
fn under_curve<G: Rng + ?Sized>(width: f32, above: f32, x: f32, rng: &mut G) -> bool {
    let (low, high) = (density(width), density(above));
    low + unit(rng) * (high - low) < density(x)
}

/// The density, with a peak of 1.
fn density(x: f32) -> f32 {
    libm::expf(-0.5 * x * x)
}

/// How far beyond `R` a value of the tail lies.
///
/// A failed try must stay in the tail: the lowest layer's area is that of the density there, with
/// nothing to reject, so another layer in its place would thin the tail out.
#[cold]
fn beyond<G: Rng + ?Sized>(rng: &mut G) -> f32 {
    let mut x = 0.0;
    for _ in 0..MAX_TRIES {
        x = -libm::logf(unit(rng)) / R;
        let y = -libm::logf(unit(rng));
        if 2.0 * y >= x * x {
            break;
        }
    }
    x
}

/// Uniform in (0, 1], in steps of 2⁻²⁴.
fn unit<G: Rng + ?Sized>(rng: &mut G) -> f32 {
    ((rng.next_u32() >> 8) + 1) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn tables_follow_from_their_two_constants() {
        const R: f64 = 3.442619855899;
        const V: f64 = 9.91256303526217e-3;
        let density = |x: f64| (-0.5 * x * x).exp();
        let mut x = std::vec![V / density(R), R];
        for i in 1..127 {
            x.push((-2.0 * (V / x[i] + density(x[i])).ln()).sqrt());
        }
        x.push(0.0);
        let width: Vec<f32> = x.iter().map(|x| (x / 16_777_216.0) as f32).collect();
        assert_eq!(super::R, R as f32);
        assert_eq!(WIDTH.as_slice(), width);
    }

    #[test]
    fn a_layer_ends_where_its_width_says() {
        for width in &WIDTH[..128] {
            assert_eq!(edge(*width), width * 16_777_216.0);
        }
        // The top: nothing above it but 0 itself.
        assert!(edge(WIDTH[128]) < WIDTH[127]);
    }

    /// Every word the same, as from a random source that has failed.
    struct Stuck(u32);

    impl rand_core::TryRng for Stuck {
        type Error = rand_core::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.0)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from(self.0))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(self.0 as u8);
            Ok(())
        }
    }

    #[test]
    fn a_stuck_generator_ends_in_a_finite_value() {
        for word in [0, 1, 0x7F, 0x80, u32::MAX, u32::MAX - 0x7F, 0xFFFF_FF00] {
            let z = StandardNormal.sample(&mut Stuck(word));
            assert!(z.abs() <= 8.3, "{word:#x} gives {z}");
        }
    }
}
