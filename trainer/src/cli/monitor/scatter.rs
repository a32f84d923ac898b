//! Points in characters, each of two by four dots (Braille, U+2800 to U+28FF).

/// From the least to the largest number seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) low: f32,
    pub(super) high: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            low: f32::INFINITY,
            high: f32::NEG_INFINITY,
        }
    }
}

impl Limits {
    /// Takes in a number; what is not finite has no place.
    pub(super) fn include(&mut self, x: f32) {
        if x.is_finite() {
            self.low = self.low.min(x);
            self.high = self.high.max(x);
        }
    }

    /// Which of `count` equal parts the number is in.
    fn place(self, x: f32, count: usize) -> Option<usize> {
        let is_within = x >= self.low && x <= self.high;
        let width = f64::from(self.high) - f64::from(self.low);
        let share = match width > 0.0 {
            true => (f64::from(x) - f64::from(self.low)) / width,
            false => 0.5,
        };
        is_within.then_some(((share * count as f64) as usize).min(count.saturating_sub(1)))
    }
}

/// The bit of each dot, by column and line from the top.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Draws points in `lines` lines of `columns` characters: the first number to the right, the second upwards.
pub(super) fn scatter(
    points: &[[f32; 2]],
    limits: [Limits; 2],
    columns: usize,
    lines: usize,
) -> String {
    let mut cells = vec![vec![0u8; columns]; lines];
    for [x, y] in points {
        let across = limits[0].place(*x, 2 * columns);
        let up = limits[1].place(*y, 4 * lines);
        if let (Some(across), Some(up)) = (across, up)
            && columns > 0
            && lines > 0
        {
            let down = 4 * lines - 1 - up;
            cells[down / 4][across / 2] |= DOTS[across % 2][down % 4];
        }
    }
    let braille = |dots: &u8| char::from_u32(0x2800 + u32::from(*dots)).unwrap_or(' ');
    let lines = cells.iter().map(|line| line.iter().map(braille).collect());
    lines.map(|line: String| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> [Limits; 2] {
        let mut limits = [Limits::default(); 2];
        limits.iter_mut().for_each(|limits| {
            limits.include(-1.0);
            limits.include(1.0);
        });
        limits
    }

    #[test]
    fn corners_are_where_they_belong() {
        let draw = |x, y| scatter(&[[x, y]], limits(), 2, 2);
        assert_eq!(draw(-1.0, 1.0), "⠁⠀\n⠀⠀\n");
        assert_eq!(draw(1.0, 1.0), "⠀⠈\n⠀⠀\n");
        assert_eq!(draw(-1.0, -1.0), "⠀⠀\n⡀⠀\n");
        assert_eq!(draw(1.0, -1.0), "⠀⠀\n⠀⢀\n");
    }

    #[test]
    fn what_is_not_finite_or_beyond_is_left_out() {
        let mut limits = limits();
        limits[0].include(f32::NAN);
        limits[1].include(f32::INFINITY);
        let points = [[f32::NAN, 0.0], [0.0, f32::INFINITY], [2.0, 0.0]];
        assert_eq!(scatter(&points, limits, 1, 1), "⠀\n");
        assert_eq!(scatter(&[[0.0, 0.0]], limits, 0, 0), "");
    }
}
