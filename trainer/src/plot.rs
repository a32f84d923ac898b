//! Pictures of data beside samples, as PNG.

mod bars;
mod dots;
mod limits;

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

/// Pixels: the plot's width and greatest height, and what surrounds it.
const PLOT_WIDTH: u32 = 420;
const TITLE_HEIGHT: u32 = 48;
const CAPTION_HEIGHT: u32 = 28;
const LEFT: u32 = 70;
const RIGHT: u32 = 18;
const BOTTOM: u32 = 54;

const FONT: &str = "flowlet";
const TITLE_SIZE: u32 = 22;
const TEXT_SIZE: u32 = 15;

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
    let width = panels.len() as u32 * (LEFT + PLOT_WIDTH + RIGHT);
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
    let centre = (size.0 as i32 / 2, TITLE_HEIGHT as i32 / 2 + 4);
    title_area.draw_text(title, &centred(TITLE_SIZE), centre)?;
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
    let centre = ((LEFT + PLOT_WIDTH / 2) as i32, CAPTION_HEIGHT as i32 / 2);
    caption_area.draw_text(&caption(panel, limits), &centred(TEXT_SIZE), centre)?;
    let mut chart = ChartBuilder::on(&plot_area)
        .margin_right(RIGHT)
        .x_label_area_size(BOTTOM)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(limits.x.clone(), limits.y.clone())?;
    chart
        .configure_mesh()
        .x_desc(labels[0])
        .y_desc(if panel.points.ncols() == 1 {
            "density"
        } else {
            labels[1]
        })
        .x_labels(8)
        .y_labels(8)
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

fn centred(size: u32) -> TextStyle<'static> {
    let style = TextStyle::from((FONT, size).into_font()).color(&TEXT);
    style.pos(Pos::new(HPos::Center, VPos::Center))
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
