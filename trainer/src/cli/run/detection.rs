//! `flowlet run --example detector`.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use flowlet::Model;
use flowlet_trainer::board::{Board, Detection, Recordings, Window, detect, windows};
use flowlet_trainer::data::Dataset;
use flowlet_trainer::data::table::{RowWriter, Selection, cell};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::{check_writable, write_whole};
use ndarray::ArrayView1;
use serde_json::{Value, json};

use super::super::check_apart;
use super::super::filter;
use super::super::numbers::{MOST, count};
use super::super::on_board::OnBoard;
use super::super::report::{Report, grouped};
use super::super::tables::{self, Reading};
use super::Arguments;

/// What windows' features are called, before the name of their channel.
const FEATURE: &str = "logstd_";

/// The recordings that a checkout has, each of so many samples, and what most models are trained to know.
const RECORDED: &str = "tests/data/imu_test.csv";
const RECORDED_LEN: usize = 100;
const RECORDED_NORMAL: [&str; 2] = ["activity", "walking"];

/// What the detector is fed.
#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// For the detector: the table of a sensor's samples, with the columns that the model's features are
    /// of: ax for logstd_ax; the checkout's tests/data/imu_test.csv unless given
    #[arg(long, value_name = "FILE.csv", help_heading = "Detector")]
    replay: Option<PathBuf>,
    /// Samples of a recording, where the table has several one after another: no window reaches over its end
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(1..=MOST),
        allow_negative_numbers = true,
        help_heading = "Detector"
    )]
    recording: Option<usize>,
    /// The column that tells what went on, and what of it is normal: alarms there are false, others are
    /// detections; activity=walking of the checkout's table
    #[arg(
        long,
        value_name = "COLUMN=VALUE",
        value_parser = filter,
        help_heading = "Detector"
    )]
    normal: Option<(String, String)>,
}

impl Replay {
    /// That nothing of it is given, where it is not for the detector.
    pub(super) fn check_absent(&self) -> anyhow::Result<()> {
        ensure!(
            self.replay.is_none() && self.recording.is_none() && self.normal.is_none(),
            "--replay, --recording and --normal are for the detector: add `--example detector`"
        );
        Ok(())
    }

    /// What is given, or what the checkout has.
    fn choose(&self) -> anyhow::Result<Chosen> {
        if let Some(table) = &self.replay {
            return Ok(Chosen {
                table: table.clone(),
                len: self.recording,
                normal: self.normal.clone(),
            });
        }
        ensure!(
            self.recording.is_none(),
            "the checkout's recordings have {RECORDED_LEN} samples: leave out --recording, or give others by --replay"
        );
        let table = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(RECORDED);
        ensure!(
            table.is_file(),
            "there are no recordings at {}: give a sensor's samples by --replay FILE.csv",
            table.display()
        );
        let normal = self.normal.clone();
        Ok(Chosen {
            table,
            len: Some(RECORDED_LEN),
            normal: normal.or(Some(RECORDED_NORMAL.map(String::from).into())),
        })
    }
}

/// What is replayed.
struct Chosen {
    table: PathBuf,
    /// Samples of a recording; without, all are one.
    len: Option<usize>,
    /// A column, and what of it is normal.
    normal: Option<(String, String)>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let [path] = &arguments.models[..] else {
        bail!("the detector takes one model: leave out the others");
    };
    ensure!(
        arguments.plot.is_none() && arguments.on_board.n.is_none(),
        "the detector draws no samples: leave out --plot and -n"
    );
    arguments.on_board.draw.check_absent()?;
    let replayed = arguments.replay.choose()?;
    let program = arguments.on_board.firmware.as_deref();
    check_apart(
        &[Some(path), Some(&replayed.table), program],
        &[arguments.output.as_deref()],
    )?;
    arguments.output.as_deref().map_or(Ok(()), check_writable)?;
    let file = ModelFile::read(path)?;
    let model = file.model()?;
    let data = samples(&model, &replayed)?;
    let recordings = Recordings {
        samples: data.points.view(),
        len: replayed.len.unwrap_or(data.points.nrows().max(1)),
    };
    let expected = windows(&model, &recordings)?;
    ensure!(
        !expected.is_empty(),
        "no recording is as long as a window: --recording is the number of samples of each"
    );
    let OnBoard { board, logged, .. } = &arguments.on_board;
    let log = logged.log();
    let found = detect(*board, &file, &recordings, program, log.as_ref())?;
    check_same(&found.windows, &expected)?;
    if let Some(path) = &arguments.output {
        let labels: Vec<String> = model.labels().map(Into::into).collect();
        write_whole(path, |file| write(file, &labels, &found.windows))?;
    }
    let mut report = Report::default();
    add_facts(&mut report, *board, &replayed.table, &recordings, &found);
    add_table(&mut report, replayed.normal.as_ref(), &data, &found.windows);
    Ok(report.print(arguments.on_board.json)?)
}

/// The columns of the model's channels, and that which tells what went on.
fn samples(model: &Model<'_>, replayed: &Chosen) -> anyhow::Result<Dataset> {
    let channel = |label: &str| label.strip_prefix(FEATURE).map(Into::into);
    let columns: Option<Vec<String>> = model.labels().map(channel).collect();
    let columns = columns.filter(|columns| !columns.is_empty()).with_context(|| {
        format!("the model is none of a sensor's windows: its columns are not called {FEATURE}ax and so on")
    })?;
    let context = replayed.normal.iter();
    let selection = Selection {
        columns,
        context: context.map(|(column, _)| column.clone()).collect(),
        ..Selection::default()
    };
    // A row that is left out would join what lies before it to what lies behind.
    let selected = Reading::default()
        .open(&replayed.table)?
        .select(&selection)?;
    let data = tables::data(selected, &replayed.table);
    if let Some((column, value)) = &replayed.normal {
        let found = Categories::of(&data).names;
        ensure!(
            found.contains(value),
            "--normal {column}={value} is in no row: there are {column}={}",
            found.join(&format!(", {column}="))
        );
    }
    Ok(data)
}

/// What there is in the column that tells what went on.
struct Categories {
    names: Vec<String>,
    /// Which of them each row has.
    of_rows: Vec<usize>,
}

impl Categories {
    fn of(data: &Dataset) -> Self {
        let labels = &data.labels[data.points.ncols()..];
        match labels {
            // Numbers stand for something here, as 1 for walking.
            [column] if !column.contains('=') => Self::of_numbers(data.context.column(0)),
            _ => Self {
                names: labels
                    .iter()
                    .map(|label| label.split_once('=').map_or("", |(_, value)| value).into())
                    .collect(),
                of_rows: data
                    .context
                    .rows()
                    .into_iter()
                    .map(|row| row.iter().position(|x| *x == 1.0).unwrap_or_default())
                    .collect(),
            },
        }
    }

    fn of_numbers(column: ArrayView1<'_, f32>) -> Self {
        let mut values = column.to_vec();
        values.sort_by(f32::total_cmp);
        values.dedup();
        let place = |x: &f32| values.partition_point(|value| value < x);
        Self {
            of_rows: column.iter().map(place).collect(),
            names: values.iter().map(f32::to_string).collect(),
        }
    }
}

fn check_same(found: &[Window], expected: &[Window]) -> anyhow::Result<()> {
    let mut pairs = found.iter().zip(expected);
    match pairs.position(|(found, expected)| found != expected) {
        None => Ok(()),
        Some(i) => bail!(
            "window {i} has log_prob {} on the board and {} on this computer: this is a fault in flowlet",
            found[i].log_prob,
            expected[i].log_prob
        ),
    }
}

/// Writes each window's last row, its features, whether it is strange, and its log-probability.
fn write(file: &mut dyn io::Write, labels: &[String], windows: &[Window]) -> io::Result<()> {
    let mut names = vec!["row".to_owned()];
    names.extend_from_slice(labels);
    names.extend(["strange", "log_prob"].map(String::from));
    let mut rows = RowWriter::new(file, &names)?;
    for window in windows {
        // A whole number as it is: not every row's number is one of 32 bits with a point.
        let mut cells = vec![window.end.to_string()];
        cells.extend(window.x.map(cell));
        cells.extend([
            u8::from(window.is_strange).to_string(),
            cell(window.log_prob),
        ]);
        rows.write_cells(&cells)?;
    }
    rows.finish()
}

fn add_facts(
    report: &mut Report,
    board: Board,
    table: &Path,
    recordings: &Recordings<'_>,
    found: &Detection,
) {
    report.fact("board", board.name(), "board", board.description());
    let (n, len) = (recordings.samples.nrows(), recordings.len);
    let name = table.file_name().unwrap_or(table.as_os_str());
    let form = match len < n {
        true => format!("in recordings of {}", grouped(len)),
        false => "one recording".into(),
    };
    let text = format!("{} samples of {}, {form}", grouped(n), name.display());
    report.fact("replay", table.display().to_string(), "replayed", text);
    let count = found.windows.len();
    let text = format!("{}, bit for bit those of this computer", grouped(count));
    report.fact("windows", count, "windows", text);
    if let Some((key, each, text)) = super::spent(found.spent, count) {
        report.fact(key, each, "a window took", text);
    }
}

/// How many windows are strange, of what is normal and of all else.
fn add_table(
    report: &mut Report,
    normal: Option<&(String, String)>,
    data: &Dataset,
    windows: &[Window],
) {
    let Some((column, normal)) = normal else {
        let strange = windows.iter().filter(|window| window.is_strange).count();
        let text = share(strange, windows.len());
        report.fact("strange", strange, "strange", text);
        return;
    };
    let mut rows = vec![[column.as_str(), "windows", "strange", "", ""].map(String::from)];
    let mut values: Vec<Value> = vec![];
    let categories = Categories::of(data);
    for (category, name) in categories.names.iter().enumerate() {
        let of = windows
            .iter()
            .filter(|window| categories.of_rows[window.end] == category);
        let (count, strange) = of.fold((0, 0), |(count, strange), window| {
            (count + 1, strange + usize::from(window.is_strange))
        });
        let is_normal = name == normal;
        let verdict = if is_normal {
            "false alarms"
        } else {
            "detected"
        };
        let percent = 100.0 * strange as f64 / f64::max(count as f64, 1.0);
        let numbers = [grouped(count), grouped(strange), format!("{percent:.1} %")];
        let [count_text, strange_text, percent] = numbers;
        rows.push([
            name.clone(),
            count_text,
            strange_text,
            percent,
            verdict.into(),
        ]);
        values.push(json!({
            "value": name,
            "is_normal": is_normal,
            "windows": count,
            "strange": strange,
        }));
    }
    report.table(&rows);
    report.value("categories", values);
}

fn share(strange: usize, count: usize) -> String {
    let percent = 100.0 * strange as f64 / count as f64;
    format!(
        "{} of {} ({percent:.1} %)",
        grouped(strange),
        grouped(count)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_their_numbers_however_many_there_are() {
        let window = Window {
            // The least that no number of 24 bits is.
            end: (1 << 24) + 1,
            x: [0.1, -0.0, 1e-9, 3.0, 4.0, 5.0],
            log_prob: f32::NEG_INFINITY,
            is_strange: true,
        };
        let labels = ["a", "b", "c", "d", "e", "f"].map(String::from);
        let mut file = vec![];
        write(&mut file, &labels, &[window]).unwrap();
        let expected =
            "row,a,b,c,d,e,f,strange,log_prob\n16777217,0.1,-0.0,1e-9,3.0,4.0,5.0,1,-inf\n";
        assert_eq!(String::from_utf8(file).unwrap(), expected);
    }
}
