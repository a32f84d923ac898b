//! Samples in bounded steps.

use core::num::NonZeroU16;

use crate::model::Flow;
use crate::scratch::Workspace;

/// Takes noise to a point, one step at a time, with room for other work between them;
/// [`Model::steps`](crate::Model::steps) and [`Sampler::steps`](crate::Sampler::steps) make it.
///
/// A step is one coupling of a RealNVP, or one Euler step of a velocity field. The bits at the end are
/// those of [`Sampler::transport`](crate::Sampler::transport); until then, the point is none.
///
/// # Cost
///
/// One net a step: [`Model::mac_count`](crate::Model::mac_count) multiply-adds for flow matching, and
/// for a RealNVP that many over all steps together.
///
/// ```
/// use flowlet::{Model, Scratch, StandardNormal, include_model};
/// use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
///
/// let model = Model::from_bytes(include_model!("moons.flow"))?;
/// let mut scratch = Scratch::<34>::new();
/// let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
///
/// let mut x = [0.0; 2].map(|_: f32| StandardNormal.sample(&mut rng));
/// let mut steps = model.steps(&mut x, &[], &mut scratch)?;
/// assert_eq!(steps.remaining(), 6);
/// while steps.advance() {
///     // Other work: a task yields here.
/// }
/// assert!(x[0].abs() < 4.0 && x[1].abs() < 3.0);
/// # Ok::<(), flowlet::Error>(())
/// ```
#[derive(Debug)]
pub struct Steps<'s> {
    flow: Flow<'s>,
    x: &'s mut [f32],
    context: &'s [f32],
    workspace: Workspace<'s>,
    taken: u16,
    step_count: NonZeroU16,
}

impl<'s> Steps<'s> {
    /// Of sizes that are checked.
    pub(crate) fn new(
        flow: Flow<'s>,
        x: &'s mut [f32],
        context: &'s [f32],
        workspace: Workspace<'s>,
    ) -> Self {
        Self {
            step_count: match flow {
                Flow::RealNvp(flow) => flow.step_count(),
                Flow::VelocityField(field) => field.step_count(),
            },
            flow,
            x,
            context,
            workspace,
            taken: 0,
        }
    }

    /// With another number of Euler steps than the model's own, before the first; a RealNVP takes a
    /// step a layer, whatever is asked for.
    #[must_use]
    pub fn with_step_count(mut self, step_count: NonZeroU16) -> Self {
        if let Flow::VelocityField(_) = self.flow {
            self.step_count = step_count;
        }
        self
    }

    /// How many steps are left.
    pub fn remaining(&self) -> u16 {
        self.step_count.get().saturating_sub(self.taken)
    }

    /// Takes the next step, if one is left; tells whether more are.
    pub fn advance(&mut self) -> bool {
        let Some(later) = self.remaining().checked_sub(1) else {
            return false;
        };
        let (x, context, workspace) = (&mut *self.x, self.context, &mut self.workspace);
        match self.flow {
            Flow::RealNvp(flow) => {
                flow.inverse_step(x, usize::from(later), context, &mut workspace.buffers);
            }
            Flow::VelocityField(field) => {
                field.euler_step(x, self.taken, self.step_count, context, workspace);
            }
        }
        self.taken += 1;
        later > 0
    }
}
