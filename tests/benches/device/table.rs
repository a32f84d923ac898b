//! Tables of Markdown.

use std::fmt::{self, Display};

/// A table under a title.
pub(crate) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(title: &str) -> Self {
        Self {
            title: title.into(),
            rows: vec![],
        }
    }

    /// The first row.
    pub(crate) fn head<'a>(&mut self, first: &str, others: impl IntoIterator<Item = &'a str>) {
        self.row(first, others.into_iter().map(String::from));
    }

    /// One more row.
    pub(crate) fn row(&mut self, first: &str, others: impl IntoIterator<Item = String>) {
        let cells = std::iter::once(first.into()).chain(others);
        self.rows.push(cells.collect());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        for (i, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if i == 0 {
                writeln!(f, "|---|{}", "---:|".repeat(row.len() - 1))?;
            }
        }
        Ok(())
    }
}

/// With a comma at each thousand.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
