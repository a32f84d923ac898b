//! Pictures of data beside samples, as PNG.

mod bars;
mod dots;
mod limits;
mod ticks;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Once;

use ndarray::ArrayView2;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Error;
use crate::output::write_whole;
use limits::Limits;

/// One of the plots that stand side by side.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// What the points are; their number is added.
    pub caption: &'a str,
    /// `[n, columns]`: the first two columns are drawn, or a histogram where there is one.
    pub points: ArrayView2<'a, f32>,
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Chart<'a, 'b> =
    ChartContext<'a, BitMapBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn =
    Result<(), DrawingAreaErrorKind<<BitMapBackend<'static> as DrawingBackend>::ErrorType>>;

const BACKGROUND: RGBColor = RGBColor(0x12, 0x16, 0x1c);
const GRID: RGBColor = RGBColor(0x26, 0x2d, 0x38);
const AXIS: RGBColor = RGBColor(0x6c, 0x78, 0x8a);
const TEXT: RGBColor = RGBColor(0xd5, 0xdb, 0xe4);
/// One a panel, in turn.
const COLOURS: [RGBColor; 4] = [
    RGBColor(0x5c, 0xc8, 0xff),
    RGBColor(0xff, 0xb4, 0x54),
    RGBColor(0x8b, 0xe0, 0x7a),
    RGBColor(0xf2, 0x8f, 0xc0),
];

/// Pixels: the plot's width, and what surrounds it.
const PLOT_WIDTH: u32 = 420;
const TITLE_HEIGHT: u32 = 48;
const CAPTION_HEIGHT: u32 = 28;
const RIGHT: u32 = 18;
const BOTTOM: u32 = 56;
/// Between the picture's edge and an axis's name.
const RIM: u32 = 10;

const FONT: &str = "flowlet";
const TITLE_SIZE: u32 = 22;
const TEXT_SIZE: u32 = 15;
/// Pixels that a character of the text is wide.
const TEXT_ADVANCE: u32 = 8;

/// Draws panels side by side on common axes, one unit as long on both.
///
/// The bulk of the first panel's points gives the axes; each caption tells how many points lie
/// outside. Where the points spread over three times as far on one axis as on the other, each has
/// its own unit. Points of one column make a histogram, whose second axis is the density.
///
/// # Errors
///
/// [`Error::Io`] where the file cannot be written.
///
/// # Panics
///
/// If there is no panel, or the panels differ in having one column or more.
pub fn scatter(path: &Path, title: &str, labels: [&str; 2], panels: &[Panel]) -> Result<(), Error> {
    let is_histogram = |panel: &Panel| panel.points.ncols() == 1;
    let first_is = panels.first().map(is_histogram);
    assert!(
        panels
            .iter()
            .all(|panel| Some(is_histogram(panel)) == first_is)
    );
    let limits = Limits::of(panels);
    let width = panels.len() as u32 * (left(&limits) + PLOT_WIDTH + RIGHT);
    let plot_height = (f64::from(PLOT_WIDTH) * limits.aspect).round() as u32;
    let height = TITLE_HEIGHT + CAPTION_HEIGHT + plot_height + BOTTOM;
    let mut pixels = vec![0; 3 * (width * height) as usize];
    draw(&mut pixels, (width, height), title, labels, panels, &limits)
        .expect("drawing in memory with a font that is at hand cannot fail");
    write_whole(path, |output| write_png(output, (width, height), &pixels))
}

fn draw(
    pixels: &mut [u8],
    size: (u32, u32),
    title: &str,
    labels: [&str; 2],
    panels: &[Panel],
    limits: &Limits,
) -> Drawn {
    register_font();
    let whole = BitMapBackend::with_buffer(pixels, size).into_drawing_area();
    whole.fill(&BACKGROUND)?;
    let (title_area, rest) = whole.split_vertically(TITLE_HEIGHT);
    draw_centred(&title_area, title, TITLE_SIZE)?;
    let areas = rest.split_evenly((1, panels.len()));
    for (i, (area, panel)) in areas.iter().zip(panels).enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        draw_panel(area, panel, labels, limits, colour)?;
    }
    whole.present()
}

fn draw_panel(
    area: &Area,
    panel: &Panel,
    labels: [&str; 2],
    limits: &Limits,
    colour: RGBColor,
) -> Drawn {
    let (caption_area, plot_area) = area.split_vertically(CAPTION_HEIGHT);
    let (_, above_plot) = caption_area.split_horizontally(left(limits));
    draw_centred(&above_plot, &caption(panel, limits), TEXT_SIZE)?;
    let mut chart = ChartBuilder::on(&plot_area)
        .margin_right(RIGHT)
        .margin_left(RIM)
        .margin_bottom(RIM)
        .x_label_area_size(BOTTOM - RIM)
        .y_label_area_size(left(limits) - RIM)
        .build_cartesian_2d(limits.x.clone(), limits.y.clone())?;
    chart
        .configure_mesh()
        .x_desc(labels[0])
        .y_desc(if panel.points.ncols() == 1 {
            "density"
        } else {
            labels[1]
        })
        .x_labels(ticks::MOST)
        .y_labels(ticks::MOST)
        .x_label_formatter(&|x| ticks::label(*x, &limits.x))
        .y_label_formatter(&|y| ticks::label(*y, &limits.y))
        .max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(AXIS)
        .label_style((FONT, TEXT_SIZE, &TEXT))
        .draw()?;
    if panel.points.ncols() == 1 {
        bars::draw(&mut chart, panel.points, &limits.x, colour)
    } else {
        dots::draw(&chart, panel.points, colour)
    }
}

/// Pixels left of the plot: for the axis's name, its numbers and its ticks.
fn left(limits: &Limits) -> u32 {
    RIM + TEXT_SIZE + TEXT_ADVANCE * (ticks::longest(&limits.y) as u32 + 2)
}

/// What the points are, how many, and how many of them are not seen.
fn caption(panel: &Panel, limits: &Limits) -> String {
    let count = panel.points.nrows();
    let outside = limits.outside(panel.points);
    let noun = |n| if n == 1 { "point" } else { "points" };
    let seen = format!("{}: {} {}", panel.caption, grouped(count), noun(count));
    match outside {
        0 => seen,
        _ => format!("{seen}, {} outside", grouped(outside)),
    }
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

/// Draws one line of text in the middle of the area, smaller where it is too long.
fn draw_centred(area: &Area, text: &str, size: u32) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let style = |size: f64| {
        let style = TextStyle::from((FONT, size).into_font()).color(&TEXT);
        style.pos(Pos::new(HPos::Center, VPos::Center))
    };
    let size = f64::from(size);
    let (length, _) = area.estimate_text_size(text, &style(size))?;
    let share = f64::from(width - RIGHT) / f64::from(length.max(1));
    let centre = (width as i32 / 2, height as i32 / 2);
    area.draw_text(text, &style(size * share.min(1.0)), centre)
}

fn register_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let bytes = epaint_default_fonts::HACK_REGULAR;
        let registered = plotters::style::register_font(FONT, FontStyle::Normal, bytes);
        assert!(registered.is_ok(), "the embedded font is a font");
    });
}

fn write_png(output: &mut dyn Write, size: (u32, u32), pixels: &[u8]) -> io::Result<()> {
    let mut encoder = png::Encoder::new(output, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array, s};
    use std::fs;

    /// Width, height and pixels of a picture of these panels, as read back from its file.
    fn picture(title: &str, panels: &[Panel]) -> (usize, usize, Vec<RGBColor>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moons.png");
        scatter(&path, title, ["first", "second"], panels).unwrap();
        let file = io::BufReader::new(fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        let colour = |rgb: &[u8]| RGBColor(rgb[0], rgb[1], rgb[2]);
        let pixels = bytes.chunks(3).map(colour).collect();
        (frame.width as usize, frame.height as usize, pixels)
    }

    fn panel<'a>(caption: &'a str, points: &'a Array2<f32>) -> Panel<'a> {
        Panel {
            caption,
            points: points.view(),
        }
    }

    /// The corners of a square, and some points in its middle.
    fn square() -> Array2<f32> {
        array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]]
    }

    #[test]
    fn panels_stand_side_by_side_each_in_its_colour() {
        let points = square();
        let panels = [panel("data", &points), panel("samples", &points)];
        let (width, _, pixels) = picture("moons", &panels);
        for (half, (own, other)) in [(0, (0, 1)), (1, (1, 0))] {
            let is_here = |i: usize| (i % width) / (width / 2) == half;
            let count = |colour: RGBColor| {
                let dominant =
                    |c: RGBColor| c.0.abs_diff(colour.0) < 40 && c.2.abs_diff(colour.2) < 40;
                let here = pixels.iter().enumerate().filter(|(i, _)| is_here(*i));
                here.filter(|(_, pixel)| dominant(**pixel)).count()
            };
            assert!(count(COLOURS[own]) > 5 * 10, "panel {half}");
            assert_eq!(count(COLOURS[other]), 0, "panel {half}");
        }
    }

    #[test]
    fn square_of_points_is_square_on_the_picture() {
        let points = square();
        let (width, _, pixels) = picture("square", &[panel("data", &points)]);
        let is_dot = |pixel: &RGBColor| pixel.2 > 180 && pixel.0 < 110;
        let dots = || (0..pixels.len()).filter(|i| is_dot(&pixels[*i]));
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
        let (width, height, pixels) = picture(&long, &[panel(&long, &points)]);
        let is_rim = |i: usize| [0, width - 1].contains(&(i % width)) || i / width == height - 1;
        for i in (0..pixels.len()).filter(|i| is_rim(*i)) {
            assert_eq!(
                pixels[i],
                BACKGROUND,
                "column {}, row {}",
                i % width,
                i / width
            );
        }
    }

    #[test]
    fn one_column_makes_a_histogram() {
        let points = Array2::from_shape_fn((600, 1), |(i, _)| i as f32);
        let (width, height, pixels) = picture("ramp", &[panel("data", &points)]);
        let bar = COLOURS[0].mix(0.7);
        let is_bar = |pixel: &&RGBColor| pixel.2 > 150 && pixel.0 < bar.0;
        let share = pixels.iter().filter(is_bar).count() as f64 / (width * height) as f64;
        assert!(share > 0.3, "{share}");
    }

    #[test]
    fn odd_points_still_make_a_picture() {
        let constant = Array2::from_elem((3, 2), 1.0);
        let nan = Array2::from_elem((3, 2), f32::NAN);
        let largest = array![[f32::MIN, f32::MIN], [f32::MAX, f32::MAX]];
        let none = Array2::zeros((0, 2));
        for points in [&constant, &nan, &largest, &none] {
            picture("odd", &[panel("data", points)]);
            let column = points.slice(s![.., ..1]).to_owned();
            picture("odd", &[panel("data", &column)]);
        }
    }

    #[test]
    fn caption_tells_what_is_not_seen() {
        let points = square();
        let limits = Limits::of(&[panel("data", &points)]);
        let broken = array![[0.5, 0.5], [9.0, 0.5], [f32::NAN, 0.5]];
        let one = array![[0.5, 0.5]];
        assert_eq!(caption(&panel("data", &points), &limits), "data: 5 points");
        assert_eq!(
            caption(&panel("samples", &broken), &limits),
            "samples: 3 points, 2 outside"
        );
        assert_eq!(caption(&panel("sample", &one), &limits), "sample: 1 point");
    }

    #[test]
    fn thousands_are_kept_apart() {
        let written = [0, 999, 1000, 10_000, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "10,000", "1,234,567"]);
    }
}
