//! Pictures of data, models and training, as PNG or SVG.
//!
//! White ground and dark ink, for print. The colours are ones that people without full colour vision tell
//! apart, and what they tell is told by place, dashes, marks or words too.
//!
//! # Source
//!
//! The colours: Okabe and Ito, *Color Universal Design*, 2008.

mod bars;
mod bitmap;
mod canvas;
mod curves;
mod frame;
mod layout;
mod limits;
mod matrix;
mod plane;
mod svg;
mod ticks;

use std::ffi::OsStr;
use std::path::Path;

use ndarray::{Array2, ArrayView1, ArrayView2};

pub use canvas::Colour;
pub use curves::{Curve, Curves, Scale};
pub use matrix::correlations;
pub use plane::Plane;

use crate::Error;
use crate::output::write_whole;
use bitmap::Bitmap;
use canvas::{Anchor, Canvas, Text};
use frame::{Axes, Axis, Frame, INK, TEXT_SIZE};
use layout::{CAPTION_HEIGHT, Layout, RIGHT, TITLE_HEIGHT};
use limits::Limits;
use svg::Svg;

/// Blue, for data and the first of several things.
pub const BLUE: Colour = Colour(0x00, 0x72, 0xb2);
/// Vermilion, for samples and the second.
pub const VERMILION: Colour = Colour(0xd5, 0x5e, 0x00);
/// Bluish green, for the third.
pub const GREEN: Colour = Colour(0x00, 0x9e, 0x73);
/// Reddish purple, for the fourth.
pub const PURPLE: Colour = Colour(0xcc, 0x79, 0xa7);

/// Of what lies beneath other points.
const GREY: Colour = Colour(0x9a, 0xa4, 0xb2);

const COLOURS: [Colour; 4] = [BLUE, VERMILION, GREEN, PURPLE];

/// One of the plots of a figure.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// What it shows, above the plot; how many points are seen is added.
    pub caption: String,
    /// What is drawn.
    pub content: Content<'a>,
}

/// What a panel shows.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Points of two dimensions.
    Points {
        /// Where they lie.
        plane: &'a Plane,
        /// `[n, columns]`: the first two columns are drawn.
        points: ArrayView2<'a, f32>,
        /// Their colour.
        colour: Colour,
        /// What lies beneath them in grey, to compare them with.
        beneath: Option<ArrayView2<'a, f32>>,
    },
    /// A density over the plane, in bands of a nat.
    Density {
        /// Where it lies.
        plane: &'a Plane,
        /// `ln p` at [the cells](Plane::cells) of the plane.
        log_density: &'a [f32],
        /// Where the highest band begins to fall.
        top: f64,
    },
    /// Paths through the plane, with a ring where each begins and a disc where it ends.
    Paths {
        /// Where they lie.
        plane: &'a Plane,
        /// The points of each.
        paths: &'a [Vec<[f32; 2]>],
        /// Their colour.
        colour: Colour,
    },
    /// Histograms of columns on common axes, the first as bars and others as outlines over them.
    Histograms {
        /// The name of what is counted.
        label: &'a str,
        /// The columns, and the colour of each.
        columns: Vec<(ArrayView1<'a, f32>, Colour)>,
    },
    /// One number against another.
    Curves(Curves),
    /// A matrix of [correlations].
    Correlations {
        /// The names of the columns.
        names: &'a [String],
        /// The matrix.
        matrix: Array2<f64>,
    },
}

/// Panels in rows, under a title.
#[derive(Clone, Debug)]
pub struct Figure<'a> {
    /// What it is of; nothing to do without.
    pub title: &'a str,
    /// Panels in a row.
    pub columns: usize,
    /// Pixels that each plot is wide.
    pub plot_width: u32,
    /// The panels, row by row.
    pub panels: Vec<Panel<'a>>,
}

/// Pixels that a plot is wide where there are few.
pub const PLOT_WIDTH: u32 = 420;

/// Height of the title's letters.
const TITLE_SIZE: f64 = 22.0;

impl Figure<'_> {
    /// Writes the figure as SVG where the file's name ends so, else as PNG.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be written.
    ///
    /// # Panics
    ///
    /// If there is no panel or no column.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let ending = path.extension().and_then(OsStr::to_str);
        if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("svg")) {
            return write_whole(path, |output| output.write_all(self.svg().as_bytes()));
        }
        let layout = Layout::of(self);
        let mut bitmap = Bitmap::new(layout.size());
        self.draw(&mut bitmap, &layout);
        write_whole(path, |output| bitmap.write_png(output))
    }

    /// The figure as SVG.
    ///
    /// # Panics
    ///
    /// If there is no panel or no column.
    pub fn svg(&self) -> String {
        let layout = Layout::of(self);
        let mut svg = Svg::new(layout.size());
        let [width, height] = layout.size().map(f64::from);
        svg.rectangle([0.0, 0.0], [width, height], Colour(255, 255, 255));
        self.draw(&mut svg, &layout);
        svg.finish()
    }

    fn draw(&self, canvas: &mut dyn Canvas, layout: &Layout) {
        let width = f64::from(layout.size()[0]);
        draw_centred(
            canvas,
            self.title,
            TITLE_SIZE,
            [width / 2.0, TITLE_HEIGHT / 2.0],
            width - RIGHT,
        );
        for (i, panel) in self.panels.iter().enumerate() {
            let frame = layout.frame(i);
            let [left, top] = frame.corner;
            let middle = [left + frame.size[0] / 2.0, top - CAPTION_HEIGHT / 2.0];
            draw_centred(
                canvas,
                &panel.full_caption(),
                TEXT_SIZE,
                middle,
                frame.size[0],
            );
            panel.draw(canvas, &frame);
        }
    }
}

impl Panel<'_> {
    fn axes(&self) -> Axes {
        match &self.content {
            Content::Points { plane, .. }
            | Content::Density { plane, .. }
            | Content::Paths { plane, .. } => plane.axes(),
            Content::Histograms { label, columns } => {
                let columns: Vec<_> = columns.iter().map(|(column, _)| *column).collect();
                let limits = Limits::of_columns(&columns);
                Axes {
                    x: Axis::new(*label, limits.x),
                    y: Axis::new("density", limits.y),
                    aspect: limits.aspect,
                }
            }
            Content::Curves(curves) => curves.axes(),
            Content::Correlations { names, .. } => matrix::axes(names),
        }
    }

    fn draw(&self, canvas: &mut dyn Canvas, frame: &Frame<'_>) {
        frame.draw_grid(canvas);
        match &self.content {
            Content::Points {
                points,
                colour,
                beneath,
                ..
            } => {
                if let Some(beneath) = beneath {
                    plane::draw_points(canvas, frame, *beneath, GREY);
                }
                plane::draw_points(canvas, frame, *points, *colour);
            }
            Content::Density {
                log_density, top, ..
            } => plane::draw_density(canvas, frame, log_density, *top),
            Content::Paths { paths, colour, .. } => {
                plane::draw_paths(canvas, frame, paths, *colour);
            }
            Content::Histograms { columns, .. } => bars::draw(canvas, frame, columns),
            Content::Curves(curves) => curves.draw(canvas, frame),
            Content::Correlations { matrix, .. } => matrix::draw(canvas, frame, matrix),
        }
        frame.draw_axes(canvas);
    }

    /// The caption; of points with their number, and how many of them are not seen.
    fn full_caption(&self) -> String {
        let Content::Points { plane, points, .. } = &self.content else {
            return self.caption.clone();
        };
        let count = points.nrows();
        let noun = if count == 1 { "point" } else { "points" };
        let seen = format!("{}: {} {noun}", self.caption, grouped(count));
        match plane.outside(*points) {
            0 => seen,
            outside => format!("{seen}, {} outside", grouped(outside)),
        }
    }
}

/// Draws sets of points side by side on common axes, each with its caption; `[n, columns]`.
///
/// The bulk of the first set gives the axes, and each caption tells how many points lie outside. Points of
/// one column make one histogram, the first set as bars and the others as outlines over them.
///
/// # Errors
///
/// [`Error::Io`] where the file cannot be written.
///
/// # Panics
///
/// If there is no set, or the sets differ in having one column or more.
pub fn scatter(
    path: &Path,
    title: &str,
    labels: [&str; 2],
    sets: &[(&str, ArrayView2<'_, f32>)],
) -> Result<(), Error> {
    let coloured = || sets.iter().zip(COLOURS.into_iter().cycle());
    let plane;
    let panels = if sets[0].1.ncols() == 1 {
        let columns = coloured().map(|((_, points), colour)| (points.column(0), colour));
        let captions: Vec<&str> = sets.iter().map(|(caption, _)| *caption).collect();
        vec![Panel {
            // Bars and outlines, in this order.
            caption: captions.join(", outlined: "),
            content: Content::Histograms {
                label: labels[0],
                columns: columns.collect(),
            },
        }]
    } else {
        plane = Plane::around(labels, sets[0].1);
        let panels = coloured().map(|((caption, points), colour)| Panel {
            caption: (*caption).into(),
            content: Content::Points {
                plane: &plane,
                points: points.view(),
                colour,
                beneath: None,
            },
        });
        panels.collect()
    };
    let figure = Figure {
        title,
        columns: panels.len(),
        plot_width: PLOT_WIDTH,
        panels,
    };
    figure.write(path)
}

/// The number with a comma between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let from_right = |i: usize| digits.len() - i;
    let with_comma = |(i, digit)| match i > 0 && from_right(i) % 3 == 0 {
        true => vec![',', digit],
        false => vec![digit],
    };
    digits.chars().enumerate().flat_map(with_comma).collect()
}

/// Writes one line of text about a point, smaller where it is longer than `most` pixels.
fn draw_centred(canvas: &mut dyn Canvas, text: &str, size: f64, at: [f64; 2], most: f64) {
    let share = most / bitmap::width(text, size).max(1.0);
    let text = Text {
        text,
        size: size * share.min(1.0),
        colour: INK,
        anchor: Anchor::Middle,
        upwards: false,
    };
    canvas.text(at, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io};

    use ndarray::{array, s};

    /// Width, height and pixels of a picture of these sets, as read back from its file.
    fn picture(title: &str, sets: &[(&str, ArrayView2<f32>)]) -> (usize, usize, Vec<Colour>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moons.png");
        scatter(&path, title, ["first", "second"], sets).unwrap();
        let file = io::BufReader::new(fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        let colour = |rgb: &[u8]| Colour(rgb[0], rgb[1], rgb[2]);
        let pixels = bytes.chunks(3).map(colour).collect();
        (frame.width as usize, frame.height as usize, pixels)
    }

    /// Whether a pixel has this colour, or nearly so.
    fn is_near(pixel: Colour, colour: Colour) -> bool {
        let near = |a: u8, b: u8| a.abs_diff(b) < 60;
        near(pixel.0, colour.0) && near(pixel.1, colour.1) && near(pixel.2, colour.2)
    }

    /// The corners of a square, and a point in its middle.
    fn square() -> Array2<f32> {
        array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]]
    }

    #[test]
    fn panels_stand_side_by_side_each_in_its_colour() {
        let points = square();
        let sets = [("data", points.view()), ("samples", points.view())];
        let (width, _, pixels) = picture("moons", &sets);
        for (half, (own, other)) in [(0, (BLUE, VERMILION)), (1, (VERMILION, BLUE))] {
            let here = (0..pixels.len()).filter(|i| (i % width) / (width / 2) == half);
            let pixels: Vec<Colour> = here.map(|i| pixels[i]).collect();
            let count = |colour| {
                pixels
                    .iter()
                    .filter(|pixel| is_near(**pixel, colour))
                    .count()
            };
            assert!(count(own) > 5 * 10, "panel {half}: {}", count(own));
            assert_eq!(count(other), 0, "panel {half}");
        }
    }

    #[test]
    fn square_of_points_is_square_on_the_picture() {
        let points = square();
        let (width, _, pixels) = picture("square", &[("data", points.view())]);
        let dots = || (0..pixels.len()).filter(|i| is_near(pixels[*i], BLUE));
        let span = |values: Vec<usize>| values.iter().max().unwrap() - values.iter().min().unwrap();
        let across = span(dots().map(|i| i % width).collect());
        let down = span(dots().map(|i| i / width).collect());
        assert!(
            across > 300 && across.abs_diff(down) <= 1,
            "{across} by {down}"
        );
    }

    #[test]
    fn text_stays_inside_the_picture() {
        let points = square();
        let long = "a name that is far longer than one panel is wide ".repeat(3);
        let (width, height, pixels) = picture(&long, &[(&long, points.view())]);
        let is_rim = |i: usize| [0, width - 1].contains(&(i % width)) || i / width == height - 1;
        for i in (0..pixels.len()).filter(|i| is_rim(*i)) {
            let (column, row) = (i % width, i / width);
            assert_eq!(
                pixels[i],
                Colour(255, 255, 255),
                "column {column}, row {row}"
            );
        }
    }

    #[test]
    fn one_column_makes_a_histogram_with_an_outline() {
        let ramp = Array2::from_shape_fn((600, 1), |(i, _)| i as f32);
        let sets = [
            ("data", ramp.view()),
            ("samples", ramp.slice(s![..300, ..])),
        ];
        let (width, height, pixels) = picture("ramp", &sets);
        let count = |is: &dyn Fn(Colour) -> bool| pixels.iter().filter(|pixel| is(**pixel)).count();
        // Bars of the data fill less than half of the height that the samples' need.
        let bars = count(&|pixel| pixel.2 > 190 && pixel.0 < 140) as f64;
        assert!(bars / (width * height) as f64 > 0.15, "{bars}");
        assert!(count(&|pixel| is_near(pixel, VERMILION)) > 300);
    }

    #[test]
    fn odd_points_still_make_a_picture() {
        let constant = Array2::from_elem((3, 2), 1.0);
        let nan = Array2::from_elem((3, 2), f32::NAN);
        let largest = array![[f32::MIN, f32::MIN], [f32::MAX, f32::MAX]];
        let none = Array2::zeros((0, 2));
        for points in [&constant, &nan, &largest, &none] {
            picture("odd", &[("data", points.view())]);
            picture("odd", &[("data", points.slice(s![.., ..1]))]);
        }
    }

    #[test]
    fn caption_tells_what_is_not_seen() {
        let points = square();
        let plane = Plane::around(["x", "y"], points.view());
        let caption = |caption: &str, points: &Array2<f32>| {
            let content = Content::Points {
                plane: &plane,
                points: points.view(),
                colour: BLUE,
                beneath: None,
            };
            let caption = caption.into();
            Panel { caption, content }.full_caption()
        };
        let broken = array![[0.5, 0.5], [9.0, 0.5], [f32::NAN, 0.5]];
        assert_eq!(caption("data", &points), "data: 5 points");
        assert_eq!(caption("samples", &broken), "samples: 3 points, 2 outside");
        assert_eq!(caption("sample", &array![[0.5, 0.5]]), "sample: 1 point");
    }

    /// A figure with a panel of each kind.
    fn with_figure<T>(then: impl FnOnce(&Figure) -> T) -> T {
        let points = square();
        let plane = Plane::around(["x <first>", "y & z"], points.view());
        let density: Vec<f32> = plane
            .cells()
            .rows()
            .into_iter()
            .map(|cell| -8.0 * cell[0])
            .collect();
        let paths = vec![vec![[0.0, 0.0], [0.5, 0.2], [1.0, 1.0]]];
        let names = ["one".to_owned(), "two".to_owned()];
        let curve = |name: &str, colour| Curve {
            name: name.into(),
            points: vec![[1.0, 3.0], [10.0, 2.0], [100.0, 1.0]],
            colour,
        };
        let curves = Curves {
            labels: ["steps".into(), "distance".into()],
            scales: [Scale::Logarithmic, Scale::Linear],
            curves: vec![curve("first", BLUE), curve("second", GREEN)],
            ticks: vec![],
        };
        let plane = &plane;
        let contents = [
            Content::Points {
                plane,
                points: points.view(),
                colour: BLUE,
                beneath: Some(points.view()),
            },
            Content::Density {
                plane,
                log_density: &density,
                top: 0.0,
            },
            Content::Paths {
                plane,
                paths: &paths,
                colour: VERMILION,
            },
            Content::Histograms {
                label: "x",
                columns: vec![(points.column(0), BLUE)],
            },
            Content::Curves(curves),
            Content::Correlations {
                names: &names,
                matrix: correlations(points.view()),
            },
        ];
        let panel = |content| Panel {
            caption: "caption".into(),
            content,
        };
        then(&Figure {
            title: "\"all\" kinds",
            columns: 3,
            plot_width: 200,
            panels: contents.into_iter().map(panel).collect(),
        })
    }

    #[test]
    fn svg_is_well_formed_and_its_text_is_text() {
        let svg = with_figure(|figure| figure.svg());
        let mut open = vec![];
        for tag in svg.split('<').skip(1) {
            let (tag, rest) = tag.split_once('>').expect("a tag ends");
            assert!(!rest.contains('>') && !rest.contains('"'), "{rest}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            let name = tag.split_whitespace().next().unwrap();
            match (tag.strip_prefix('/'), tag.ends_with('/')) {
                (Some(name), _) => assert_eq!(open.pop(), Some(name)),
                (None, false) => open.push(name),
                (None, true) => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
        for text in [
            "&quot;all&quot; kinds",
            "x &lt;first&gt;",
            "y &amp; z",
            "second",
            "0.00",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn ending_of_the_name_chooses_the_format() {
        let folder = tempfile::tempdir().unwrap();
        for (name, start) in [
            ("a.svg", &b"<svg "[..]),
            ("a.SVG", b"<svg "),
            ("a.png", b"\x89PNG"),
            ("a", b"\x89PNG"),
        ] {
            let path = folder.path().join(name);
            with_figure(|figure| figure.write(&path)).unwrap();
            assert!(fs::read(&path).unwrap().starts_with(start), "{name}");
        }
    }

    #[test]
    fn every_panel_has_ink_of_its_own() {
        with_figure(|figure| {
            let layout = Layout::of(figure);
            let mut bitmap = Bitmap::new(layout.size());
            figure.draw(&mut bitmap, &layout);
            for (i, colour) in [
                BLUE,
                Colour(0x08, 0x2a, 0x5c),
                VERMILION,
                Colour(0x73, 0xb2, 0xd6),
                GREEN,
                Colour(0x00, 0x58, 0x96),
            ]
            .into_iter()
            .enumerate()
            {
                let frame = layout.frame(i);
                let count = bitmap.count(frame.corner, frame.end(), |pixel| is_near(pixel, colour));
                assert!(count > 15, "panel {i}: {count}");
            }
        });
    }

    #[test]
    fn thousands_are_kept_apart() {
        let written = [0, 999, 1000, 10_000, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "10,000", "1,234,567"]);
    }
}
