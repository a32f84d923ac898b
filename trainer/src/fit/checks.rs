//! What makes no sense is said before training, not after.

use flowlet::format::{MAX_CONTEXT_DIM, MAX_DEPTH, MAX_DIM, MAX_LAYER_COUNT, MAX_WIDTH};

use ndarray::Axis;

use super::FitOptions;
use crate::Error;
use crate::data::Dataset;
use crate::flow::FlowKind;

/// Checks that a model file can hold the flow, and that the numbers of the optimizer are sane.
pub(super) fn check(dataset: &Dataset, options: &FitOptions) -> Result<(), Error> {
    limit("dimension", dataset.points.ncols(), 1, MAX_DIM)?;
    limit("context", dataset.context.ncols(), 0, MAX_CONTEXT_DIM)?;
    limit("depth", options.hidden.len() + 1, 1, MAX_DEPTH)?;
    for &width in &options.hidden {
        limit("width", width, 1, MAX_WIDTH)?;
    }
    match options.kind() {
        FlowKind::RealNvp { .. } => limit("number of layers", options.layers, 1, MAX_LAYER_COUNT)?,
        FlowKind::FlowMatching { step_count: 0 } => return Err(Error::NoSteps),
        FlowKind::FlowMatching { .. } => {}
    }
    let FitOptions {
        steps,
        batch,
        learning_rate: rate,
        validation_share: share,
        ..
    } = *options;
    option("number of steps", steps, steps > 0, "1 or more")?;
    let patient = options.patience != Some(0);
    option("patience", 0, patient, "1 look or more")?;
    option("batch", batch, batch > 0, "1 row or more")?;
    let sane = rate > 0.0 && rate.is_finite();
    option("learning rate", rate, sane, "a number above 0")?;
    let sane = share > 0.0 && share <= 0.5;
    option("validation share", share, sane, "above 0, at most 0.5")?;
    finite(dataset)
}

/// That every number is one.
fn finite(dataset: &Dataset) -> Result<(), Error> {
    let dim = dataset.points.ncols();
    for (table, first) in [(&dataset.points, 0), (&dataset.context, dim)] {
        let bad = table.indexed_iter().find(|(_, x)| !x.is_finite());
        if let Some(((row, column), &value)) = bad {
            let label = dataset.labels.get(first + column);
            return Err(Error::NotFinite {
                column: label.cloned().unwrap_or_default(),
                row: row + 1,
                value,
            });
        }
    }
    Ok(())
}

/// Checks that no column has one value only, and names all that do.
pub(super) fn check_columns_vary(dataset: &Dataset) -> Result<(), Error> {
    // One row is too few, which is told elsewhere.
    let rows = dataset.points.nrows();
    let columns = dataset.points.axis_iter(Axis(1)).enumerate();
    let columns = columns.filter(|_| rows > 1);
    let constants = columns.filter_map(|(i, values)| {
        let value = *values.first()?;
        let label = dataset.labels.get(i).cloned().unwrap_or_default();
        values.iter().all(|x| *x == value).then_some((label, value))
    });
    match constants.collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        [(column, value)] => Err(Error::ConstantColumn {
            column: column.clone(),
            value: *value,
        }),
        several => {
            let shown = several
                .iter()
                .map(|(label, value)| format!("{label} ({value})"));
            Err(Error::ConstantColumns {
                columns: shown.collect::<Vec<_>>().join(", "),
            })
        }
    }
}

fn limit(what: &'static str, found: usize, min: usize, max: usize) -> Result<(), Error> {
    let held = (min..=max).contains(&found);
    held.then_some(()).ok_or(Error::Limit { what, found, max })
}

fn option(
    option: &'static str,
    found: impl ToString,
    sane: bool,
    expected: &'static str,
) -> Result<(), Error> {
    sane.then_some(()).ok_or_else(|| Error::Option {
        option,
        found: found.to_string(),
        expected,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn message(change: impl FnOnce(&mut FitOptions)) -> String {
        let dataset = Dataset {
            name: "test".into(),
            points: Array2::zeros((100, 2)),
            context: Array2::zeros((100, 0)),
            labels: Vec::new(),
        };
        let mut options = FitOptions::real_nvp();
        check(&dataset, &options).unwrap();
        change(&mut options);
        check(&dataset, &options).unwrap_err().to_string()
    }

    #[test]
    fn a_flow_that_no_file_can_hold_is_refused() {
        let width = message(|options| options.hidden = vec![64, 0]);
        assert_eq!(width, "the flow's width is 0, a model file holds 1 to 256");
        let layers = message(|options| options.layers = 33);
        assert_eq!(
            layers,
            "the flow's number of layers is 33, a model file holds 1 to 32"
        );
        let steps = message(|options| {
            *options = FitOptions::flow_matching();
            options.step_count = Some(0);
        });
        assert_eq!(steps, "a flow-matching model needs at least one Euler step");
    }

    #[test]
    fn all_constant_columns_are_named() {
        let check = |cells: [[f32; 3]; 2]| {
            check_columns_vary(&Dataset {
                name: "test".into(),
                points: Array2::from(cells.to_vec()),
                context: Array2::ones((2, 1)),
                labels: ["a", "b", "c", "kind=x"].map(String::from).to_vec(),
            })
            .map_err(|error| error.to_string())
        };
        assert_eq!(
            check([[1.0, 2.0, 3.0], [1.0, 0.5, 3.0]]).unwrap_err(),
            "columns a (1), c (3) are constant: leave them out with --columns"
        );
        assert_eq!(
            check([[1.0, 2.0, 3.0], [2.0, 2.0, 4.0]]).unwrap_err(),
            "column b is constant at 2: leave it out with --columns"
        );
        check([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]).unwrap();
    }

    #[test]
    fn senseless_numbers_are_refused() {
        let steps = message(|options| options.steps = 0);
        assert_eq!(steps, "the number of steps is 0: it must be 1 or more");
        let batch = message(|options| options.batch = 0);
        assert_eq!(batch, "the batch is 0: it must be 1 row or more");
        let rate = message(|options| options.learning_rate = f64::NAN);
        assert_eq!(
            rate,
            "the learning rate is NaN: it must be a number above 0"
        );
        let share = message(|options| options.validation_share = 1.0);
        assert_eq!(
            share,
            "the validation share is 1: it must be above 0, at most 0.5"
        );
    }
}
