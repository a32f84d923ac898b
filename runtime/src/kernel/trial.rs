//! Single layers, for tests that hold kernels against their definition.

use super::{Finish, Layer, portable};
use crate::format::Activation;

/// An affine layer in integers, and what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// Whether it is a net's first layer.
    pub is_first: bool,
    /// Its words after the header, as the file has them.
    pub blocks: &'a [u32],
    /// Inputs, without padding.
    pub inputs: usize,
    /// From the header.
    pub shift: u32,
    /// From the header.
    pub exponent: u32,
    /// None for a net's last layer.
    pub activation: Option<Activation>,
}

impl Trial<'_> {
    /// The layer by the kernel that models are evaluated with on this target.
    pub fn by_target(&self, input: &[u32], out: &mut [u32]) {
        match self.is_first {
            true => super::first_layer(&self.layer(), input, out, self.finish()),
            false => super::next_layer(&self.layer(), input, out, self.finish()),
        }
    }

    /// The layer by the target's kernel in assembly, which `call` has to call: the function at the
    /// first address, with the second as its argument.
    #[cfg(assembly)]
    pub fn by_call(&self, input: &[u32], out: &mut [u32], call: impl FnOnce(*const (), *const ())) {
        use super::assembly::{first_layer_by, next_layer_by};
        match self.is_first {
            true => first_layer_by(&self.layer(), input, out, self.finish(), call),
            false => next_layer_by(&self.layer(), input, out, self.finish(), call),
        }
    }

    /// The layer by the definition.
    pub fn by_definition(&self, input: &[u32], out: &mut [u32]) {
        match self.is_first {
            true => portable::first_layer(&self.layer(), input, out, self.finish()),
            false => portable::next_layer(&self.layer(), input, out, self.finish()),
        }
    }

    fn layer(&self) -> Layer<'_> {
        Layer {
            blocks: self.blocks,
            inputs: self.inputs,
            shift: self.shift,
            exponent: self.exponent,
        }
    }

    fn finish(&self) -> Finish {
        match self.activation {
            Some(Activation::Tanh) => Finish::Tanh,
            Some(Activation::Elu) => Finish::Elu,
            None => Finish::Linear,
        }
    }
}
