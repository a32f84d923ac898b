//! One number against another, by lines with marks.

use std::ops::Range;

use super::canvas::{Anchor, Canvas, Colour, Pixel, Stroke};
use super::frame::{Axes, Axis, Frame, GAP, TEXT_SIZE, label};
use super::ticks;

/// A line through points, told apart from others by colour, dashes and marks.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What it is of.
    pub name: String,
    /// Its points from left to right.
    pub points: Vec<[f64; 2]>,
    /// Its colour.
    pub colour: Colour,
}

/// The scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A unit is as long everywhere.
    Linear,
    /// A doubling is as long everywhere.
    Logarithmic,
}

/// Curves on common axes.
#[derive(Clone, Debug)]
pub struct Curves {
    /// The names of both axes.
    pub labels: [String; 2],
    /// Their scales.
    pub scales: [Scale; 2],
    /// The curves.
    pub curves: Vec<Curve>,
    /// Numbers on the first axis; round ones if there are none.
    pub ticks: Vec<f64>,
}

/// Height over width.
const ASPECT: f64 = 0.75;
/// Beyond the points, as a share of their span.
const MARGIN: f64 = 0.06;
/// Pixels of a dash, the first curve's being one line.
const DASHES: [Option<f64>; 4] = [None, Some(9.0), Some(4.0), Some(14.0)];
/// Points up to which each has a mark.
const MARKED: usize = 20;
/// Height of each name at the top, as a share of the plot's, of which the smallest has 225 pixels.
const NAME: f64 = TEXT_SIZE / 225.0;
/// Numbers on a logarithmic axis at the least.
const FEWEST_TICKS: usize = 3;
/// Pixels of the line before a name.
const SAMPLE: f64 = 34.0;

impl Scale {
    fn apply(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
        }
    }
}

impl Curves {
    pub(super) fn axes(&self) -> Axes {
        let [mut x, y] = [0, 1].map(|i| self.axis(i));
        if !self.ticks.is_empty() {
            let tick = |value: &f64| (self.scales[0].apply(*value), value.to_string());
            x.ticks = self.ticks.iter().map(tick).collect();
        }
        let aspect = ASPECT;
        Axes { x, y, aspect }
    }

    fn axis(&self, i: usize) -> Axis {
        let scale = self.scales[i];
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let values = points.map(|point| scale.apply(point[i]));
        let mut span = span(values.filter(|value| value.is_finite()));
        if i == 1 {
            // So that no curve is behind the names.
            let names = NAME * (self.curves.len() as f64 + 0.3);
            span.end += (span.end - span.start) * names / (1.0 - names);
        }
        let name = self.labels[i].clone();
        match scale {
            Scale::Linear => Axis::new(name, span),
            Scale::Logarithmic => Axis {
                name,
                ticks: logarithmic_ticks(&span),
                range: span,
            },
        }
    }

    pub(super) fn draw(&self, canvas: &mut dyn Canvas, frame: &Frame<'_>) {
        let place = |point: &[f64; 2]| {
            frame.place(
                self.scales[0].apply(point[0]),
                self.scales[1].apply(point[1]),
            )
        };
        for (i, curve) in self.curves.iter().enumerate() {
            let places: Vec<Pixel> = curve.points.iter().map(place).collect();
            let places: Vec<Pixel> = places.into_iter().filter(|[_, y]| y.is_finite()).collect();
            let dash = DASHES[i % DASHES.len()];
            let stroke = Stroke {
                dash,
                ..Stroke::solid(curve.colour, 2.0)
            };
            canvas.line(&places, stroke);
            if places.len() <= MARKED {
                places
                    .iter()
                    .for_each(|place| mark(canvas, *place, i, curve.colour));
            }
            let y = frame.corner[1] + TEXT_SIZE * (i as f64 + 0.8);
            let right = frame.end()[0] - GAP;
            canvas.text([right - SAMPLE - GAP, y], label(&curve.name, Anchor::Right));
            canvas.line(&[[right - SAMPLE, y], [right, y]], stroke);
            if places.len() <= MARKED {
                mark(canvas, [right - SAMPLE / 2.0, y], i, curve.colour);
            }
        }
    }
}

/// Draws a disc, a square or a ring in turn.
fn mark(canvas: &mut dyn Canvas, at: Pixel, kind: usize, colour: Colour) {
    const SIZE: f64 = 4.0;
    match kind % 3 {
        0 => canvas.discs(&[at], SIZE, colour, 1.0),
        1 => {
            let corner = |by: f64| at.map(|position| (position + by).round());
            canvas.rectangle(corner(-SIZE), corner(SIZE), colour);
        }
        _ => {
            canvas.discs(&[at], SIZE, colour, 1.0);
            canvas.discs(&[at], SIZE - 1.6, Colour(255, 255, 255), 1.0);
        }
    }
}

/// From the least to the greatest value, and a margin.
fn span(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let (least, greatest) = (
        values.clone().fold(f64::INFINITY, f64::min),
        values.fold(f64::NEG_INFINITY, f64::max),
    );
    if least > greatest {
        return 0.0..1.0;
    }
    let margin = match greatest - least {
        0.0 => 0.5,
        length => MARGIN * length,
    };
    least - margin..greatest + margin
}

/// Logarithms of 1, 2 and 5 times the powers of ten in the range, or of the powers alone in a long one, or
/// of numbers with one step in a short one.
fn logarithmic_ticks(range: &Range<f64>) -> Vec<(f64, String)> {
    let factors: &[f64] = if range.end - range.start > 2.5 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let powers = range.start.floor() as i32..=range.end.ceil() as i32;
    let values = powers.flat_map(|power| factors.iter().map(move |f| f * 10f64.powi(power)));
    let ticks = values.map(|value| (value.log10(), format!("{}", value as f32)));
    let ticks: Vec<_> = ticks.filter(|(at, _)| range.contains(at)).collect();
    if ticks.len() >= FEWEST_TICKS {
        return ticks;
    }
    let values = 10f64.powf(range.start)..10f64.powf(range.end);
    let tick = |value: f64| (value.log10(), ticks::label(value, &values));
    ticks::positions(&values).into_iter().map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithmic_ticks_are_round() {
        let ticks = logarithmic_ticks(&(-0.05..1.4));
        let texts: Vec<&str> = ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["1", "2", "5", "10", "20"]);
    }

    #[test]
    fn a_short_logarithmic_axis_has_numbers_too() {
        // From 3.2 to 4.5.
        let ticks = logarithmic_ticks(&(0.505..0.653));
        let texts: Vec<&str> = ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["3.2", "3.4", "3.6", "3.8", "4.0", "4.2", "4.4"]);
        assert!(ticks.iter().all(|(at, _)| (0.505..0.653).contains(at)));
    }

    #[test]
    fn no_curve_is_behind_the_names() {
        let curve = |name: &str| Curve {
            name: name.into(),
            points: vec![[0.0, 1.0], [1.0, 3.0]],
            colour: Colour(0, 0, 0),
        };
        for count in 1..=3 {
            let curves = Curves {
                labels: ["step", "loss"].map(String::from),
                scales: [Scale::Linear; 2],
                curves: vec![curve("curve"); count],
                ticks: vec![],
            };
            let axes = curves.axes();
            let frame = Frame {
                axes: &axes,
                corner: [0.0, 0.0],
                size: [300.0, 225.0],
            };
            let names_end = TEXT_SIZE * (count as f64 + 0.3);
            assert!(frame.place(1.0, 3.0)[1] > names_end, "{count}");
        }
    }

    #[test]
    fn all_points_are_between_the_axes() {
        let curve = |points: &[[f64; 2]]| Curve {
            name: "curve".into(),
            points: points.to_vec(),
            colour: Colour(0, 0, 0),
        };
        let curves = Curves {
            labels: ["steps", "distance"].map(String::from),
            scales: [Scale::Logarithmic, Scale::Linear],
            curves: vec![
                curve(&[[1.0, 9.0], [100.0, f64::NAN]]),
                curve(&[[4.0, -2.0]]),
            ],
            ticks: vec![1.0, 10.0],
        };
        let axes = curves.axes();
        for (axis, values) in [(&axes.x, [0.0, 2.0]), (&axes.y, [-2.0, 9.0])] {
            assert!(
                values.iter().all(|value| axis.range.contains(value)),
                "{axis:?}"
            );
        }
        let ticks = [(0.0, "1".to_owned()), (1.0, "10".to_owned())];
        assert_eq!(axes.x.ticks, ticks);
    }
}
