//! Tables as they are named on the command line, and what is said of them.

use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use csv::{ReaderBuilder, StringRecord, Trim};
use flowlet_trainer::data::table::{Selected, Table};
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::data::{Dataset, coarse_columns};

use super::report::grouped;

/// How tables are read.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Reading {
    /// Leave out rows without a value (empty, NA, NaN, null or ?) in a column that is read, and tell
    /// how many
    #[arg(long, help_heading = "Data")]
    pub(super) drop_missing: bool,
}

impl Reading {
    /// Opens a table, and tells on standard error if it has no header.
    pub(super) fn open(self, path: &Path) -> anyhow::Result<Table> {
        let table = Table::read(path)?;
        if table.lacks_header() {
            eprintln!(
                "note: {} has no header: columns are {}",
                shown(path),
                indices(table.names().len())
            );
        }
        Ok(match self.drop_missing {
            true => table.dropping_missing(),
            false => table,
        })
    }
}

/// That what is no toy set's name is not meant as one.
pub(super) fn check_is_file(path: &Path) -> anyhow::Result<()> {
    let is_name = path != Path::new("-") && path.extension().is_none() && !path.exists();
    let known = ToySet::ALL.map(ToySet::name).join(", ");
    ensure!(
        !is_name,
        "{} is neither a toy set ({known}) nor a file",
        path.display()
    );
    Ok(())
}

/// The rows that were taken; tells on standard error how many were dropped.
pub(super) fn data(selected: Selected, path: &Path) -> Dataset {
    let dropped = selected.dropped.len();
    if dropped > 0 {
        eprintln!(
            "note: {} of {} rows of {} were dropped, since they lack a value",
            grouped(dropped),
            grouped(dropped + selected.data.points.nrows()),
            shown(path)
        );
    }
    selected.data
}

/// Tells on standard error of columns whose values `f32` hardly keeps apart.
pub(super) fn tell_coarse(data: &Dataset, path: &Path) {
    for (column, step) in coarse_columns(data.points.view()) {
        eprintln!(
            "note: column {} of {} is so far from 0 that 32-bit numbers tell its values to {step} only: \
             subtract an offset, or leave it out with --columns",
            data.labels[column],
            shown(path)
        );
    }
}

/// The items of a list such as `a,b,"c, d"`, parted and quoted as the cells of a CSV file, each time
/// the option was given.
pub(super) fn items(option: &str, lists: &[String]) -> anyhow::Result<Vec<String>> {
    let mut items = Vec::new();
    for list in lists {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .trim(Trim::All)
            .from_reader(list.as_bytes());
        let mut record = StringRecord::new();
        reader
            .read_record(&mut record)
            .with_context(|| format!("cannot read the list {option} {list}"))?;
        if record.iter().any(str::is_empty) || record.is_empty() {
            return Err(anyhow!(
                "{option} {list:?} has an empty item: write a,b or, with a comma in a name, a,\"b, c\""
            ));
        }
        items.extend(record.iter().map(String::from));
    }
    Ok(items)
}

fn shown(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "stdin".into(),
        _ => path.display().to_string(),
    }
}

/// `0, 1, 2`, or `0, 1, ..., 9`.
fn indices(count: usize) -> String {
    match count {
        0..=4 => (0..count)
            .map(|i| i.to_string())
            .collect::<Vec<_>>()
            .join(", "),
        _ => format!("0, 1, ..., {}", count - 1),
    }
}
