//! The options of a training in a TOML file.
//!
//! A file's keys are the long names of the options, so that its values go through the command line's
//! own checks.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use flowlet_trainer::fit::{FitOptions, ModelKind};
use flowlet_trainer::output::write_whole;
use toml::{Spanned, Table, Value};

use super::super::is_same_file;

/// What is of one run and so is in no file.
const OF_ONE_RUN: [&str; 4] = ["config", "checkpoint", "resume", "json"];

/// The first words of a file that may be written over.
const WRITTEN: &str = "# Written by flowlet train";

/// Options from the command line and from a file.
#[derive(Debug)]
pub(super) struct Config<A> {
    /// All of them, as if typed.
    pub(super) arguments: A,
    /// The same by name, for a file.
    settings: Table,
    /// Whether the command line says anything that the file does not.
    has_flags: bool,
}

impl<A: Args> Config<A> {
    /// Adds to the options on the command line those of a file; what both have is as on the command
    /// line.
    pub(super) fn new(matches: &ArgMatches, path: Option<&Path>) -> anyhow::Result<Self> {
        let command = command::<A>();
        let given = settings(&command, matches, |source| {
            source == ValueSource::CommandLine
        });
        let has_flags = !given.is_empty();
        let Some(path) = path else {
            return Self::parsed(&command, matches, has_flags);
        };
        let mut all = read(&command, path)?;
        all.extend(given);
        ensure!(
            all.contains_key("data"),
            "{} names no data: write data = \"...\" there, or name it on the command line",
            path.display()
        );
        let matches = command.clone().try_get_matches_from(words(&all)?);
        let matches = matches.map_err(|error| anyhow!(sentence(&error)))?;
        Self::parsed(&command, &matches, has_flags)
    }

    fn parsed(command: &Command, matches: &ArgMatches, has_flags: bool) -> anyhow::Result<Self> {
        Ok(Self {
            arguments: A::from_arg_matches(matches)?,
            settings: settings(command, matches, |_| true),
            has_flags,
        })
    }

    /// Adds what was left to defaults.
    pub(super) fn fill(&mut self, key: &str, value: impl Into<Value>) {
        self.settings.entry(key).or_insert(value.into());
    }

    /// Adds what training made of all options.
    pub(super) fn fill_options(&mut self, options: &FitOptions) {
        let command = command::<A>();
        let options_by_name =
            serde_json::to_value(options).expect("options have names and numbers");
        let of_other_model = match options.model {
            ModelKind::RealNvp => "steps-default",
            ModelKind::FlowMatching => "layers",
        };
        for (key, value) in options_by_name.as_object().into_iter().flatten() {
            let is_option = storable(&command).any(|arg| name(arg) == key);
            if is_option && key != of_other_model && !value.is_null() {
                self.fill(key, from_json(value));
            }
        }
    }

    /// Where the options go beside a model; nowhere where they came from there, or where the model
    /// is no file.
    pub(super) fn output(
        &self,
        model: &Path,
        read: Option<&Path>,
    ) -> anyhow::Result<Option<PathBuf>> {
        let path = model.with_extension("toml");
        if model.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(None);
        }
        if read.is_some_and(|read| is_same_file(read, &path)) {
            ensure!(
                !self.has_flags,
                "{} would be written over with other options: choose another name with --output",
                path.display()
            );
            return Ok(None);
        }
        let is_other = |text: String| !text.starts_with(WRITTEN);
        ensure!(
            !fs::read_to_string(&path).is_ok_and(is_other),
            "{} is not of a model, and would be written over: choose another name with --output",
            path.display()
        );
        Ok(Some(path))
    }

    /// Writes all options in the order in which `--help` tells them.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let file = path.display();
        let mut text = format!("{WRITTEN}; flowlet train --config {file} does the same again.\n");
        for arg in command::<A>().get_arguments() {
            if let Some(value) = self.settings.get(name(arg)) {
                text += &format!("{} = {value}\n", name(arg));
            }
        }
        Ok(write_whole(path, |file| file.write_all(text.as_bytes()))?)
    }
}

/// `train` alone.
fn command<A: Args>() -> Command {
    A::augment_args(Command::new("train"))
}

/// The long name, or the name of what has no dashes.
fn name(arg: &Arg) -> &str {
    arg.get_long().unwrap_or_else(|| arg.get_id().as_str())
}

/// The options that may be in a file.
fn storable(command: &Command) -> impl Iterator<Item = &Arg> {
    let args = command.get_arguments();
    args.filter(|arg| !OF_ONE_RUN.contains(&name(arg)))
}

/// The values from some sources, by name.
fn settings(
    command: &Command,
    matches: &ArgMatches,
    wanted: impl Fn(ValueSource) -> bool,
) -> Table {
    let has_value = |arg: &&Arg| {
        matches
            .value_source(arg.get_id().as_str())
            .is_some_and(&wanted)
    };
    let pair = |arg: &Arg| (name(arg).to_owned(), value(arg, matches));
    storable(command).filter(has_value).map(pair).collect()
}

fn value(arg: &Arg, matches: &ArgMatches) -> Value {
    let raw = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
    let kind = arg.get_value_parser().type_id();
    let is_text = kind == TypeId::of::<String>() || kind == TypeId::of::<PathBuf>();
    let values = raw.map(|text| match text.to_string_lossy() {
        text if is_text => Value::from(text.as_ref()),
        text => number(&text),
    });
    let mut values: Vec<Value> = values.collect();
    match arg.get_action() {
        ArgAction::Append => values.into(),
        ArgAction::SetTrue => matches.get_flag(arg.get_id().as_str()).into(),
        _ => values.pop().expect("an option that is set has a value"),
    }
}

/// A number, if the text is one that TOML can hold.
fn number(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i64>() {
        return integer.into();
    }
    // A seed beyond the integers of TOML must not be rounded.
    match text.parse::<f64>() {
        Ok(float) if text.parse::<u64>().is_err() => float.into(),
        _ => text.into(),
    }
}

/// TOML has no integers beyond those of 64 bits with a sign, so not all are its numbers.
fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Bool(flag) => (*flag).into(),
        serde_json::Value::Array(values) => values.iter().map(from_json).collect::<Vec<_>>().into(),
        serde_json::Value::String(text) => text.as_str().into(),
        other => number(&other.to_string()),
    }
}

/// The settings in a file, each checked by itself so that the message tells its line.
fn read(command: &Command, path: &Path) -> anyhow::Result<Table> {
    let file = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {file}"))?;
    let text = String::from_utf8(bytes);
    let text = text.with_context(|| format!("{file} is no TOML file: give one of options"))?;
    let line = |span: Range<usize>| text[..span.start].matches('\n').count() + 1;
    let settings: BTreeMap<String, Spanned<Value>> = toml::from_str(&text).map_err(|error| {
        let line = line(error.span().unwrap_or_default());
        anyhow!("{file}, line {line}: {}", error.message())
    })?;
    let mut table = Table::new();
    for (key, value) in settings {
        let line = line(value.span());
        let value = value.into_inner();
        check(command, &key, &value).with_context(|| format!("{file}, line {line}"))?;
        table.insert(key, value);
    }
    Ok(table)
}

/// That the command line would take it.
fn check(command: &Command, key: &str, value: &Value) -> anyhow::Result<()> {
    ensure!(
        !OF_ONE_RUN.contains(&key),
        "{key} is for the command line only"
    );
    if !storable(command).any(|arg| name(arg) == key) {
        let known = storable(command).map(name);
        let nearest = known.max_by(|a, b| {
            let likeness = |known| strsim::jaro_winkler(key, known);
            likeness(a).total_cmp(&likeness(b))
        });
        let nearest = nearest.expect("there are options");
        bail!("there is no option {key}: the nearest is {nearest}");
    }
    let arg = storable(command).find(|arg| name(arg) == key);
    let is_flag = arg.is_some_and(|arg| matches!(arg.get_action(), ArgAction::SetTrue));
    ensure!(
        is_flag == value.is_bool(),
        "{key} is {}, not {}",
        if is_flag {
            "true or false"
        } else {
            "a number or a text"
        },
        value.type_str()
    );
    let alone = Table::from_iter([(key.to_owned(), value.clone())]);
    match command.clone().try_get_matches_from(words(&alone)?) {
        // The others may be elsewhere.
        Err(error) if error.kind() != ErrorKind::MissingRequiredArgument => {
            bail!(sentence(&error))
        }
        _ => Ok(()),
    }
}

/// The command line that says the same.
fn words(settings: &Table) -> anyhow::Result<Vec<String>> {
    let mut words = vec!["train".to_owned()];
    let mut data = None;
    for (key, value) in settings {
        match value {
            _ if key == "data" => data = Some(word(key, value)?),
            Value::Boolean(true) => words.push(format!("--{key}")),
            Value::Boolean(false) => {}
            Value::Array(values) => {
                for value in values {
                    words.push(format!("--{key}={}", word(key, value)?));
                }
            }
            _ => words.push(format!("--{key}={}", word(key, value)?)),
        }
    }
    // So that it may begin with a dash.
    words.extend(data.into_iter().flat_map(|data| ["--".into(), data]));
    Ok(words)
}

fn word(key: &str, value: &Value) -> anyhow::Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        other => bail!("{key} is a number or a text, not {}", other.type_str()),
    }
}

/// What clap says, without its advice on the command line.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let lines = first.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    lines.trim_start_matches("error: ").to_owned()
}
