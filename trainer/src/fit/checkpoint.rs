//! Training kept in a file, to go on from after a crash.
//!
//! The file is a line that names it, its version, the CRC-32 of the rest, and the rest in postcard:
//! the options, a digest of the data, and the state. Another version of the trainer need not read it.

use std::path::Path;
use std::time::{Duration, Instant};

use crc32fast::Hasher;
use serde_json::Value;

use super::FitOptions;
use super::state::State;
use crate::Error;
use crate::data::Dataset;
use crate::output::write_whole;

/// How a checkpoint starts.
const MAGIC: &[u8] = b"flowlet checkpoint\n";

/// To be raised whenever the state or the options change.
const VERSION: u32 = 2;

/// Bytes before the postcard.
const HEAD: usize = MAGIC.len() + 8;

/// How much longer training goes on than the last checkpoint took to write.
const WORK_PER_WRITING: u32 = 50;

/// Where checkpoints of one run come from and go to.
pub(super) struct Checkpoints<'a> {
    resume: Option<&'a Path>,
    output: Option<&'a Path>,
    options: &'a FitOptions,
    /// Of the rows.
    digest: u32,
    due: Instant,
    /// What the first checkpoint that could not be written met.
    problem: Option<Error>,
}

impl<'a> Checkpoints<'a> {
    pub(super) fn new(
        resume: Option<&'a Path>,
        output: Option<&'a Path>,
        options: &'a FitOptions,
        dataset: &Dataset,
    ) -> Self {
        // Not for nothing: a digest of millions of rows takes a while.
        let used = resume.or(output).is_some();
        Self {
            resume,
            output,
            options,
            digest: if used { digest(dataset) } else { 0 },
            due: Instant::now(),
            problem: None,
        }
    }

    /// The state to go on from, if there is one.
    pub(super) fn resume(&self) -> Result<Option<State>, Error> {
        let Some(path) = self.resume else {
            return Ok(None);
        };
        let bytes = std::fs::read(path).map_err(|source| Error::cannot_read(path, source))?;
        self.decode(&bytes)
            .map(Some)
            .map_err(|problem| Error::Checkpoint {
                path: path.into(),
                problem,
            })
    }

    /// Writes a checkpoint if the last one is long enough ago.
    pub(super) fn keep_when_due(&mut self, state: &State) {
        if Instant::now() >= self.due {
            self.keep(state);
        }
    }

    /// Writes a checkpoint. One that cannot be written ends no run: what is in memory is worth more.
    pub(super) fn keep(&mut self, state: &State) {
        let Some(path) = self.output else {
            self.due += Duration::from_secs(3600);
            return;
        };
        let start = Instant::now();
        let bytes = self.encode(state);
        let written = write_whole(path, |file| file.write_all(&bytes));
        self.problem = self.problem.take().or(written.err());
        self.due = Instant::now() + WORK_PER_WRITING * start.elapsed();
    }

    /// Why a checkpoint is missing, if one is.
    pub(super) fn into_problem(self) -> Option<String> {
        self.problem.map(|problem| problem.to_string())
    }

    fn encode(&self, state: &State) -> Vec<u8> {
        let content = (self.options, self.digest, state);
        let content = postcard::to_allocvec(&content).expect("memory takes what the state holds");
        let crc = crc32fast::hash(&content);
        [
            MAGIC,
            &VERSION.to_le_bytes(),
            &crc.to_le_bytes(),
            content.as_slice(),
        ]
        .concat()
    }

    /// The state in a checkpoint of this run, or what is wrong with it.
    fn decode(&self, bytes: &[u8]) -> Result<State, String> {
        let Some((head, content)) = bytes.split_at_checked(HEAD) else {
            return Err("is no checkpoint: give --resume a file that --checkpoint wrote".into());
        };
        let (magic, numbers) = head.split_at(MAGIC.len());
        let (version, crc) = numbers.split_at(4);
        if magic != MAGIC {
            return Err("is no checkpoint: give --resume a file that --checkpoint wrote".into());
        }
        if version != VERSION.to_le_bytes() {
            return Err(
                "was written by another version of flowlet: resume it with that one".into(),
            );
        }
        let damaged = || "is damaged: begin anew, or from an older copy".to_owned();
        if crc != crc32fast::hash(content).to_le_bytes() {
            return Err(damaged());
        }
        let (options, digest, state): (FitOptions, u32, State) =
            postcard::from_bytes(content).map_err(|_| damaged())?;
        if let Some(difference) = difference(&options, self.options) {
            return Err(format!(
                "is of a run with {difference}: resume it with the options that it began with"
            ));
        }
        if digest != self.digest {
            return Err(
                "is of a run on other data: resume it with the data that it began with".into(),
            );
        }
        Ok(state)
    }
}

/// The first option that differs, as it was and as it is.
fn difference(old: &FitOptions, new: &FitOptions) -> Option<String> {
    let value = |options| serde_json::to_value(options).expect("options have names and numbers");
    let (old, new) = (value(old), value(new));
    let options = old.as_object().into_iter().flatten();
    let mut differing = options.filter(|(name, value)| new[name.as_str()] != **value);
    differing
        .next()
        .map(|(name, value)| format!("{name} {}, not {}", text(value), text(&new[name.as_str()])))
}

/// `64,64` for the list, `none` where there is nothing.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        _ => value.to_string(),
    }
}

/// The CRC-32 of all numbers and labels.
fn digest(dataset: &Dataset) -> u32 {
    let mut hasher = Hasher::new();
    for table in [&dataset.points, &dataset.context] {
        hasher.update(&table.ncols().to_le_bytes());
        for row in table.rows() {
            row.iter().for_each(|x| hasher.update(&x.to_le_bytes()));
        }
    }
    for label in &dataset.labels {
        hasher.update(label.as_bytes());
        hasher.update(b"\0");
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::atomic::AtomicBool;

    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use tempfile::TempDir;

    use super::*;
    use crate::data::toy::ToySet;
    use crate::fit::{Controls, End, Fitted, Progress, fit, fit_controlled};

    fn moons(seed: u64) -> Dataset {
        ToySet::Moons.sample(600, &mut Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    fn small(options: FitOptions) -> FitOptions {
        FitOptions {
            hidden: vec![8, 8],
            layers: 2,
            steps: 300,
            // Several rounds through the rows, none of which ends with a look.
            batch: 100,
            ..options
        }
    }

    /// The checkpoint of a run stopped after its first step.
    fn stopped(options: &FitOptions, folder: &TempDir) -> PathBuf {
        let path = folder.path().join("checkpoint");
        step(options, None, &path);
        path
    }

    fn refusal(dataset: &Dataset, options: &FitOptions, path: &Path) -> String {
        let mut report = |_: &_| {};
        let controls = Controls {
            resume: Some(path),
            ..Controls::new(&mut report)
        };
        let error = fit_controlled(dataset, options, controls).unwrap_err();
        assert!(matches!(error, Error::Checkpoint { .. }), "{error}");
        let message = error.to_string();
        let problem = message.strip_prefix(&format!("{} ", path.display()));
        problem.unwrap().to_owned()
    }

    /// One step of a run, from where the last one was stopped.
    fn step(options: &FitOptions, resume: Option<&Path>, path: &Path) -> Fitted {
        let (stop, mut report) = (AtomicBool::new(true), |_: &_| {});
        let controls = Controls {
            stop: &stop,
            checkpoint: Some(path),
            resume,
            ..Controls::new(&mut report)
        };
        fit_controlled(&moons(1), options, controls).unwrap()
    }

    #[test]
    fn a_checkpoint_that_cannot_be_written_ends_no_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no folder").join("checkpoint");
        let options = small(FitOptions::real_nvp());
        let fitted = step(&options, None, &path);
        let problem = fitted.checkpoint_problem.unwrap();
        assert!(problem.contains("no folder"), "{problem}");
        let kept = step(&options, None, &folder.path().join("checkpoint"));
        assert_eq!(kept.flow.nets, fitted.flow.nets);
        assert_eq!(kept.checkpoint_problem, None);
    }

    #[test]
    fn a_resumed_run_ends_as_the_unbroken_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        for options in [FitOptions::real_nvp(), FitOptions::flow_matching()] {
            let options = small(options);
            let unbroken = fit(&moons(1), &options, &mut |_| {}).unwrap();
            // Stopped at each step at first: by looks, between them, and in a new round of the rows.
            for steps in 1..=20 {
                let fitted = step(&options, (steps > 1).then_some(&path), &path);
                assert_eq!((fitted.end, fitted.steps), (End::Stopped, steps));
                // What a stop saw last is not kept, or the unbroken run would have seen it too.
                assert_eq!(fitted.history.last().unwrap().step, steps);
            }
            let mut report = |now: &Progress| assert!(now.step > 20, "begun anew");
            let controls = Controls {
                resume: Some(&path),
                ..Controls::new(&mut report)
            };
            let resumed = fit_controlled(&moons(1), &options, controls).unwrap();
            assert_eq!(unbroken.flow.nets, resumed.flow.nets);
            assert_eq!(unbroken.history, resumed.history);
            assert_eq!(unbroken.best_step, resumed.best_step);
        }
    }

    #[test]
    fn a_resumed_run_gives_up_when_the_unbroken_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let options = FitOptions {
            learning_rate: 1e38,
            ..small(FitOptions::real_nvp())
        };
        let unbroken = fit(&moons(1), &options, &mut |_| {}).unwrap_err();
        // Stopped after its first retreat, without any weights to keep.
        let (stop, mut report) = (AtomicBool::new(true), |_: &_| {});
        let controls = Controls {
            stop: &stop,
            checkpoint: Some(&path),
            ..Controls::new(&mut report)
        };
        fit_controlled(&moons(1), &options, controls).unwrap_err();
        let controls = Controls {
            resume: Some(&path),
            ..Controls::new(&mut report)
        };
        let resumed = fit_controlled(&moons(1), &options, controls).unwrap_err();
        assert_eq!(unbroken.to_string(), resumed.to_string());
    }

    #[test]
    fn a_damaged_checkpoint_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let options = small(FitOptions::real_nvp());
        let path = stopped(&options, &folder);
        let bytes = fs::read(&path).unwrap();
        let dataset = moons(1);
        let checkpoints = Checkpoints::new(Some(&path), None, &options, &dataset);
        assert!(checkpoints.decode(&bytes).is_ok());
        for length in (0..bytes.len()).step_by(7) {
            assert!(checkpoints.decode(&bytes[..length]).is_err(), "{length}");
        }
        for i in (0..bytes.len()).step_by(7) {
            let mut bytes = bytes.clone();
            bytes[i] ^= 1 << (i % 8);
            assert!(checkpoints.decode(&bytes).is_err(), "byte {i}");
        }
    }

    #[test]
    fn a_foreign_checkpoint_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let options = small(FitOptions::real_nvp());
        let path = stopped(&options, &folder);
        let other = |change: fn(&mut FitOptions)| {
            let mut options = options.clone();
            change(&mut options);
            refusal(&moons(1), &options, &path)
        };
        assert_eq!(
            other(|options| options.steps = 400),
            "is of a run with steps 300, not 400: resume it with the options that it began with"
        );
        let hidden = other(|options| options.hidden = vec![8]);
        assert!(hidden.starts_with("is of a run with hidden 8,8, not 8:"));
        let patience = other(|options| options.patience = Some(9));
        assert!(patience.starts_with("is of a run with patience none, not 9:"));
        assert_eq!(
            refusal(&moons(2), &options, &path),
            "is of a run on other data: resume it with the data that it began with"
        );
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let options = small(FitOptions::real_nvp());
        let path = folder.path().join("checkpoint");
        fs::write(&path, "x,y\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n").unwrap();
        let message = refusal(&moons(1), &options, &path);
        assert_eq!(
            message,
            "is no checkpoint: give --resume a file that --checkpoint wrote"
        );
        let mut bytes = [MAGIC, &[0; 8]].concat();
        bytes[MAGIC.len()] = 99;
        fs::write(&path, bytes).unwrap();
        let message = refusal(&moons(1), &options, &path);
        assert!(message.contains("another version"), "{message}");
    }
}
