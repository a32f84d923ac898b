//! The ways of single points from noise to data.

use flowlet::{Flow, MAX_SCRATCH_LEN, Model, Scratch, VelocityField};
use ndarray::Array2;

use crate::Error;
use crate::evaluation::Space;
use crate::export::export;
use crate::flow;
use crate::inference::transport;

/// Where a point of two dimensions has been, from noise to data, in standardized space.
pub type Path = Vec<[f32; 2]>;

/// Follows each row of noise `[n, 2]` to its sample, step by step.
///
/// `flow` is the model in `f32`, of which a RealNVP's paths are computed; flow matching takes the model's
/// own steps. A coupling moves one of the two dimensions, so paths of a RealNVP have only right angles.
///
/// # Errors
///
/// [`Error::Runtime`] where the model is not one of two dimensions without context.
pub fn paths(
    model: &Model<'_>,
    flow: &flow::Flow,
    noise: &Array2<f32>,
) -> Result<Vec<Path>, Error> {
    crate::inference::check_columns(model, 2, 0)?;
    match model.flow() {
        Flow::RealNvp(_) => by_layers(flow, noise),
        Flow::VelocityField(field) => {
            let path = |x: ndarray::ArrayView1<f32>| by_steps(&field, [x[0], x[1]]);
            Ok(noise
                .rows()
                .into_iter()
                .map(path)
                .collect::<Result<_, _>>()?)
        }
    }
}

/// By the last two couplings, then by the last four, and so on: sampling goes backwards.
///
/// The first of two moves the one dimension and the second the other, which gives the point between.
fn by_layers(flow: &flow::Flow, noise: &Array2<f32>) -> Result<Vec<Path>, Error> {
    let points = |table: &Array2<f32>| -> Vec<[f32; 2]> {
        table
            .rows()
            .into_iter()
            .map(|row| [row[0], row[1]])
            .collect()
    };
    let context = Array2::zeros((noise.nrows(), 0));
    let mut paths: Vec<Path> = points(noise).into_iter().map(|x| vec![x]).collect();
    // Couplings of even number move the second dimension, so two at a time keep who moves what.
    for first in (0..flow.nets.len()).step_by(2).rev() {
        let nets = flow.nets[first..].to_vec();
        let last = export(
            &flow::Flow {
                nets,
                ..flow.clone()
            },
            flowlet::Precision::F32,
        )?;
        let model = last.model()?;
        let samples = transport(&model, noise, &context, None)?;
        let now = points(&Space::of(&model).standardize(&samples));
        for (path, now) in paths.iter_mut().zip(now) {
            let before = path[path.len() - 1];
            path.extend([[now[0], before[1]], now]);
        }
    }
    Ok(paths)
}

fn by_steps(field: &VelocityField<'_>, start: [f32; 2]) -> Result<Path, flowlet::Error> {
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let n = f32::from(field.step_count().get());
    let (mut x, mut v) = (start, [0.0; 2]);
    let mut path = vec![x];
    for k in 0..field.step_count().get() {
        field.velocity(&x, f32::from(k) / n, &[], &mut v, &mut scratch)?;
        x.iter_mut().zip(v).for_each(|(x, v)| *x += v / n);
        path.push(x);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Contender;
    use crate::data::toy::ToySet;
    use crate::fit::{Controls, FitOptions};
    use crate::inference::noise;

    #[test]
    fn paths_end_at_the_samples_and_turn_at_right_angles() {
        /// Standardized, of a data point's units in f32.
        const TOLERANCE: f32 = 1e-4;
        for options in [FitOptions::real_nvp(), FitOptions::flow_matching()] {
            let is_flow_matching = options == FitOptions::flow_matching();
            let options = FitOptions {
                layers: 4,
                hidden: vec![8],
                steps: 20,
                step_count: is_flow_matching.then_some(7),
                ..options
            };
            let mut report = |_: &_| {};
            let controls = Controls::new(&mut report);
            let trained = Contender::train(ToySet::Moons, 300, &options, controls).unwrap();
            let noise = noise(5, 2, 3);
            let file = match is_flow_matching {
                true => trained.file,
                false => export(&trained.fitted.flow, flowlet::Precision::F32).unwrap(),
            };
            let model = file.model().unwrap();
            let samples = transport(&model, &noise, &Array2::zeros((5, 0)), None).unwrap();
            let samples = Space::of(&model).standardize(&samples);
            let paths = paths(&model, &trained.fitted.flow, &noise).unwrap();
            for (i, path) in paths.iter().enumerate() {
                assert_eq!(path[0], [noise[[i, 0]], noise[[i, 1]]]);
                assert_eq!(path.len(), if is_flow_matching { 8 } else { 5 });
                let end = path[path.len() - 1];
                for axis in [0, 1] {
                    let error = (end[axis] - samples[[i, axis]]).abs();
                    assert!(error < TOLERANCE, "{error}");
                }
                let is_right =
                    |ends: &[[f32; 2]]| (0..2).any(|axis| ends[0][axis] == ends[1][axis]);
                assert_eq!(path.windows(2).all(is_right), !is_flow_matching);
            }
        }
    }
}
