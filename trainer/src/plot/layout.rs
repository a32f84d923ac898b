//! Where the panels of a figure are.

use super::frame::{Axes, Frame};
use super::{Figure, Panel};

/// Pixels above the plots, right of each, and between rows.
pub(super) const TITLE_HEIGHT: f64 = 48.0;
pub(super) const CAPTION_HEIGHT: f64 = 28.0;
pub(super) const RIGHT: f64 = 18.0;
const BOTTOM: f64 = 12.0;

/// Where the panels of a figure are.
#[derive(Debug)]
pub(super) struct Layout {
    title_height: f64,
    axes: Vec<Axes>,
    columns: usize,
    plot_width: f64,
    /// Pixels left of each plot.
    left: f64,
    /// Height of each row.
    rows: Vec<f64>,
}

impl Layout {
    pub(super) fn of(figure: &Figure<'_>) -> Self {
        let axes: Vec<Axes> = figure.panels.iter().map(Panel::axes).collect();
        let columns = figure.columns.min(axes.len());
        let plot_width = f64::from(figure.plot_width);
        let height = |axes: &Axes| {
            CAPTION_HEIGHT + (plot_width * axes.aspect).round() + axes.below() + BOTTOM
        };
        let highest = |row: &[Axes]| row.iter().map(height).fold(0.0, f64::max);
        Self {
            title_height: if figure.title.is_empty() {
                0.0
            } else {
                TITLE_HEIGHT
            },
            left: axes.iter().map(Axes::left).fold(0.0, f64::max).ceil(),
            rows: axes.chunks(columns).map(highest).collect(),
            axes,
            columns,
            plot_width,
        }
    }

    fn cell_width(&self) -> f64 {
        self.left + self.plot_width + RIGHT
    }

    pub(super) fn size(&self) -> [u32; 2] {
        let height = self.title_height + self.rows.iter().sum::<f64>();
        [self.columns as f64 * self.cell_width(), height].map(|length| length.ceil() as u32)
    }

    pub(super) fn frame(&self, i: usize) -> Frame<'_> {
        let (row, column) = (i / self.columns, i % self.columns);
        let above = self.rows[..row].iter().sum::<f64>();
        let axes = &self.axes[i];
        Frame {
            axes,
            corner: [
                column as f64 * self.cell_width() + self.left,
                (self.title_height + above + CAPTION_HEIGHT).round(),
            ],
            size: [self.plot_width, (self.plot_width * axes.aspect).round()],
        }
    }
}
