//! Nets, evaluated for many points at a time.

use super::Mlp;
use crate::scratch::Buffers;
use crate::tile::{Lanes, NetMemory};

impl Mlp<'_> {
    /// Evaluates the net on each point of a tile and returns its outputs, one row each.
    ///
    /// The bits are those of [`evaluate`](Self::evaluate).
    pub(crate) fn evaluate_tile<'i, 's>(
        &self,
        input: impl Iterator<Item = &'i Lanes> + Clone,
        memory: &'s mut NetMemory<'_>,
    ) -> &'s mut [Lanes] {
        if !self.evaluate_side_by_side(input.clone(), memory) {
            self.evaluate_one_by_one(input, memory);
        }
        memory.outputs.get_mut(..self.outputs).unwrap_or_default()
    }

    fn evaluate_one_by_one<'i>(
        &self,
        input: impl Iterator<Item = &'i Lanes> + Clone,
        memory: &mut NetMemory<'_>,
    ) {
        let [x, y] = &mut *memory.layers;
        let mut buffers = Buffers(x.as_flattened_mut(), y.as_flattened_mut());
        for lane in 0..memory.count {
            let input = input.clone().filter_map(|row| row.get(lane).copied());
            let outputs = self.evaluate(input, &mut buffers);
            for (row, output) in memory.outputs.iter_mut().zip(outputs) {
                if let Some(y) = row.get_mut(lane) {
                    *y = *output;
                }
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Mlp<'_> {
    /// No kernel here takes points side by side.
    fn evaluate_side_by_side<'i>(
        &self,
        _input: impl Iterator<Item = &'i Lanes>,
        _memory: &mut NetMemory<'_>,
    ) -> bool {
        false
    }
}

#[cfg(target_arch = "x86_64")]
mod side_by_side {
    use super::super::Mlp;
    use crate::format::Precision;
    use crate::kernel::avx2::Avx2;
    use crate::tile::{Lanes, NetMemory, TILE};

    impl Mlp<'_> {
        /// Evaluates an integer net where the processor can, and returns whether it could.
        pub(super) fn evaluate_side_by_side<'i>(
            &self,
            input: impl Iterator<Item = &'i Lanes>,
            memory: &mut NetMemory<'_>,
        ) -> bool {
            match (self.net.precision, Avx2::detect()) {
                (Precision::Int8, Some(avx2)) => self.evaluate_avx2(avx2, input, memory),
                _ => return false,
            }
            true
        }

        fn evaluate_avx2<'i>(
            &self,
            avx2: Avx2,
            input: impl Iterator<Item = &'i Lanes>,
            memory: &mut NetMemory<'_>,
        ) {
            let (scale, unit) = self.scale_and_unit();
            let [x, y] = &mut *memory.layers;
            let (mut x, mut y) = (&mut x[..], &mut y[..]);
            let mut units = [unit; TILE];
            for (q, u) in x.iter_mut().zip(input.take(self.inputs)) {
                avx2.quantize(u, scale, q, &mut units);
            }
            for segment in self.segments() {
                let layer = segment.layer();
                match segment.is_first {
                    true => avx2.first_layer_tile(&layer, x, y, segment.finish, memory.count),
                    false => avx2.next_layer_tile(&layer, x, y, segment.finish, memory.count),
                }
                core::mem::swap(&mut x, &mut y);
            }
            for (output, z) in memory.outputs.iter_mut().zip(&*x).take(self.outputs) {
                avx2.dequantize(z, &units, output);
            }
        }
    }
}
