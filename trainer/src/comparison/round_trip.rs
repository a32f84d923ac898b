//! Points taken through a model and back.

use std::num::NonZeroU16;

use flowlet::{Flow, MAX_SCRATCH_LEN, Model, Scratch, VelocityField};
use ndarray::Array2;

use crate::evaluation::Space;

/// How far points are from themselves after the way there and back, in standardized space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundTrip {
    /// Root of the mean square over points and dimensions.
    pub rms: f64,
    /// The largest error of a number.
    pub largest: f64,
}

/// Takes data to the latent and back, by a model that does not whiten, as none of two dimensions does.
///
/// RealNVP does so by its exact inverse. Flow matching follows its velocity by Euler's method backward
/// from `t = 1`, `x_k = x_{k+1} − v(x_{k+1}, t_{k+1}) / n`, and then forward, by `step_count` steps or the
/// model's own.
///
/// # Shapes
///
/// `points`: `[n, dim]`, in the data's units.
///
/// # Errors
///
/// [`flowlet::Error::Dim`] or [`flowlet::Error::Context`] where the model is not one of such points
/// without context.
pub fn round_trip(
    model: &Model<'_>,
    points: &Array2<f32>,
    step_count: Option<NonZeroU16>,
) -> Result<RoundTrip, flowlet::Error> {
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let space = Space::of(model);
    let before = space.standardize(points);
    let mut there = match model.flow() {
        Flow::RealNvp(_) => points.as_standard_layout().into_owned(),
        Flow::VelocityField(_) => before.clone(),
    };
    for mut row in there.rows_mut() {
        let x = row.as_slice_mut().expect("rows are in one piece");
        match model.flow() {
            Flow::RealNvp(flow) => {
                flow.forward(x, &[], &mut scratch)?;
                flow.inverse(x, &[], &mut scratch)?;
            }
            Flow::VelocityField(field) => {
                let step_count = step_count.unwrap_or(field.step_count());
                backward(&field, x, step_count, &mut scratch)?;
                field.euler(x, step_count, &[], &mut scratch)?;
            }
        }
    }
    let back = space.standardize(&there);
    let errors = back
        .iter()
        .zip(&before)
        .map(|(b, a)| f64::from(*b) - f64::from(*a));
    let squares: f64 = errors.clone().map(|error| error * error).sum();
    Ok(RoundTrip {
        rms: (squares / before.len() as f64).sqrt(),
        largest: errors.map(f64::abs).fold(0.0, f64::max),
    })
}

/// Takes standardized data to noise.
fn backward(
    field: &VelocityField<'_>,
    x: &mut [f32],
    step_count: NonZeroU16,
    scratch: &mut Scratch<MAX_SCRATCH_LEN>,
) -> Result<(), flowlet::Error> {
    let n = f32::from(step_count.get());
    let mut v = vec![0.0; x.len()];
    for k in (1..=step_count.get()).rev() {
        field.velocity(x, f32::from(k) / n, &[], &mut v, scratch)?;
        x.iter_mut().zip(&v).for_each(|(x, v)| *x -= v / n);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use flowlet::Precision;
    use ndarray::array;

    use super::*;
    use crate::export::export;
    use crate::flow;

    #[test]
    fn euler_there_and_back_misses_by_what_its_steps_say() {
        // x goes to x (1 − 1/n)ⁿ and back to x (1 − 1/n²)ⁿ.
        const TOLERANCE: f64 = 1e-5;
        // The velocity x, whose exact flow multiplies by e.
        let field = flow::Flow::linear_field(1.0, 0.0, 10);
        let file = export(&field, Precision::F32).unwrap();
        let model = file.model().unwrap();
        let points = array![[5.0], [-1.0]];
        for steps in [1u16, 10, 100] {
            let found = round_trip(&model, &points, NonZeroU16::new(steps)).unwrap();
            let n = f64::from(steps);
            let expected = 1.0 - (1.0 - 1.0 / (n * n)).powf(n);
            for error in [found.rms, found.largest] {
                assert!((error - expected).abs() < TOLERANCE, "{steps}: {found:?}");
            }
        }
        let own = round_trip(&model, &points, None).unwrap();
        assert_eq!(
            own,
            round_trip(&model, &points, NonZeroU16::new(10)).unwrap()
        );
    }
}
