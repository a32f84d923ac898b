//! Samples, for firmware.

use core::num::NonZeroU16;

use rand_core::Rng;

use crate::model::Flow;
use crate::normal::StandardNormal;
use crate::scratch::Workspace;
use crate::steps::Steps;

/// Draws points `[f32; DIM]` from a model; [`Model::sampler`](crate::Model::sampler) makes it.
///
/// # Cost
///
/// `DIM` normal numbers a sample, and [`Model::mac_count`](crate::Model::mac_count) multiply-adds,
/// times the number of Euler steps for flow matching.
///
/// ```
/// use flowlet::{Model, Sampler, Scratch, include_model};
/// use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
///
/// let model = Model::from_bytes(include_model!("moons.flow"))?;
/// let mut scratch = Scratch::<34>::new();
/// let mut sampler: Sampler<2> = model.sampler(&mut scratch)?;
/// let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
/// let mut x = [0.0; 2];
/// for _ in 0..10 {
///     sampler.sample(&mut rng, &mut x);
///     assert!(x[0].abs() < 4.0 && x[1].abs() < 3.0);
/// }
/// # Ok::<(), flowlet::Error>(())
/// ```
#[derive(Debug)]
pub struct Sampler<'s, const DIM: usize> {
    flow: Flow<'s>,
    context: &'s [f32],
    workspace: Workspace<'s>,
    step_count: NonZeroU16,
}

impl<'s, const DIM: usize> Sampler<'s, DIM> {
    pub(crate) fn new(flow: Flow<'s>, context: &'s [f32], workspace: Workspace<'s>) -> Self {
        let step_count = match flow {
            Flow::RealNvp(_) => NonZeroU16::MIN,
            Flow::VelocityField(field) => field.step_count(),
        };
        Self {
            flow,
            context,
            workspace,
            step_count,
        }
    }

    /// Sets the number of Euler steps, the model's own until then; a RealNVP takes none.
    pub fn set_step_count(&mut self, step_count: NonZeroU16) {
        self.step_count = step_count;
    }

    /// Draws one point, in the data's units.
    ///
    /// The noise comes in the order of the dimensions, so one seed gives one sequence of points.
    pub fn sample<G: Rng + ?Sized>(&mut self, rng: &mut G, x: &mut [f32; DIM]) {
        x.iter_mut().for_each(|x| *x = StandardNormal.sample(rng));
        self.transport(x);
    }

    /// Takes noise to a point as [`transport`](Self::transport) does, in bounded steps.
    pub fn steps<'x>(&'x mut self, x: &'x mut [f32; DIM]) -> Steps<'x> {
        let steps = Steps::new(self.flow, x, self.context, self.workspace.reborrow());
        steps.with_step_count(self.step_count)
    }

    /// Takes noise to a point, in place: the part of [`sample`](Self::sample) after the draw.
    pub fn transport(&mut self, x: &mut [f32; DIM]) {
        match &self.flow {
            Flow::RealNvp(flow) => flow.inverse_in(x, self.context, &mut self.workspace.buffers),
            Flow::VelocityField(field) => {
                field.euler_in(x, self.step_count, self.context, &mut self.workspace);
            }
        }
    }
}
