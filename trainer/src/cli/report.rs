//! What a command found out: a table for people or an object for machines.

use std::io::{self, Write};

use serde_json::{Map, Value};

/// Lines that come first, then facts in the order in which they are told, then tables.
#[derive(Debug, Default)]
pub(super) struct Report {
    heading: String,
    lines: Vec<(String, String)>,
    tables: String,
    values: Map<String, Value>,
}

impl Report {
    /// Adds a fact: its key and value for machines, its label and text for people.
    pub(super) fn fact(
        &mut self,
        key: &str,
        value: impl Into<Value>,
        label: impl Into<String>,
        text: impl Into<String>,
    ) {
        self.values.insert(key.into(), value.into());
        self.lines.push((label.into(), text.into()));
    }

    /// Adds a line that only people are told.
    pub(super) fn line(&mut self, text: &str) {
        self.heading.push_str(text);
        self.heading.push('\n');
    }

    /// Adds a table that only people are told, its head first; columns of numbers end at one edge.
    pub(super) fn table(&mut self, rows: &[impl AsRef<[String]>]) {
        let head = rows.first().map_or(0, |row| row.as_ref().len());
        let columns: Vec<(usize, bool)> = (0..head).map(|i| column(rows, i)).collect();
        self.tables.push('\n');
        for row in rows {
            let cells = row.as_ref().iter().zip(&columns);
            let cells = cells.map(|(cell, (width, is_numbers))| match is_numbers {
                true => format!("{cell:>width$}"),
                false => format!("{cell:width$}"),
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            self.tables += line.trim_end();
            self.tables.push('\n');
        }
    }

    /// Adds a fact that only machines are told.
    pub(super) fn value(&mut self, key: &str, value: impl Into<Value>) {
        self.values.insert(key.into(), value.into());
    }

    /// Adds all facts of `other` after these.
    pub(super) fn append(&mut self, other: Self) {
        self.heading += &other.heading;
        self.lines.extend(other.lines);
        self.tables += &other.tables;
        self.values.extend(other.values);
    }

    /// Prints the facts on standard output.
    pub(super) fn print(&self, json: bool) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut output, &self.values)?;
            return writeln!(output);
        }
        write!(output, "{}", self.heading)?;
        let width = self.lines.iter().map(|(label, _)| label.chars().count());
        let width = width.max().unwrap_or(0);
        for (label, text) in &self.lines {
            writeln!(output, "{label:width$}  {text}")?;
        }
        write!(output, "{}", self.tables)
    }
}

/// The width of a column, and whether it is of numbers, by its last cell.
fn column(rows: &[impl AsRef<[String]>], i: usize) -> (usize, bool) {
    let cells = || rows.iter().map(|row| row.as_ref()[i].as_str());
    let width = cells().map(|cell| cell.chars().count()).max();
    let starts_number =
        |cell: &str| cell.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
    (
        width.unwrap_or(0),
        cells().next_back().is_some_and(starts_number),
    )
}

/// A number for machines; JSON has none that is infinite or NaN, so those are strings.
pub(super) fn number(number: f64) -> Value {
    if number.is_finite() {
        number.into()
    } else {
        number.to_string().into()
    }
}

/// `12345` as `12,345`.
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
