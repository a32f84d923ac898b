//! What programs of the boards do between markers, counted exactly by the plugin `tests/counter`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use flowlet_trainer::board::firmware::Program;
use flowlet_trainer::board::{Board, Launch, run_program};

use crate::build::{self, Output};
use crate::elf::Elf;

/// Far beyond what a program takes: a hundred steps of flow matching in software floats are 10^9
/// instructions.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// What a core did from one marker to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Instructions executed.
    pub instructions: u64,
    /// Words or less read from memory.
    pub loads: u64,
    /// Words or less written to memory.
    pub stores: u64,
    /// Bytes of stack at its deepest.
    pub stack: u64,
}

/// Counts, with their names, in their order.
#[derive(Clone, Debug, Default)]
pub struct Counts(Vec<(String, Count)>);

impl Counts {
    /// Runs `program` with one line of input, and counts.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn of(board: Board, program: &Program, input: &str) -> Self {
        let floor = Elf::read(&program.path()).static_end();
        let plugin = format!("{},floor={floor}", plugin().display());
        let launch = Launch {
            program: &program.path(),
            image: &[],
            input: &format!("{input}\n"),
            plugin: Some(&plugin),
            limit: TIME_LIMIT,
        };
        let output = run_program(board, &launch).unwrap_or_else(|error| panic!("{error}"));
        Self::parse(&String::from_utf8_lossy(&output))
    }

    /// All counts called `name`.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn all(&self, name: &str) -> Vec<Count> {
        let named = self.0.iter().filter(|(other, _)| other == name);
        let counts: Vec<_> = named.map(|(_, count)| *count).collect();
        assert!(!counts.is_empty(), "nothing called {name:?} was counted");
        counts
    }

    /// The count called `name` with the median number of instructions, and the deepest stack of all.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn median(&self, name: &str) -> Count {
        let mut counts = self.all(name);
        counts.sort_by_key(|count| count.instructions);
        let deepest = counts.iter().map(|count| count.stack).max();
        Count {
            stack: deepest.unwrap_or_default(),
            ..counts[counts.len() / 2]
        }
    }

    /// Counts without a name before them are called "".
    fn parse(transcript: &str) -> Self {
        let mut counts = vec![];
        let mut name = "";
        for line in transcript.lines() {
            if let Some(next) = line.strip_prefix("bracket ") {
                name = next;
            } else if let Some(count) = parse_count(line) {
                counts.push((std::mem::take(&mut name).into(), count));
            }
        }
        Self(counts)
    }
}

fn parse_count(line: &str) -> Option<Count> {
    let words: Vec<_> = line.strip_prefix("count ")?.split(' ').collect();
    let [
        "instructions",
        instructions,
        "loads",
        loads,
        "stores",
        stores,
        "stack",
        stack,
    ] = words[..]
    else {
        panic!("{line:?} is no count");
    };
    let number = |word: &str| word.parse().expect("a count is a number");
    Some(Count {
        instructions: number(instructions),
        loads: number(loads),
        stores: number(stores),
        stack: number(stack),
    })
}

/// The plugin, built.
fn plugin() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build::build("flowlet-counter", Output::Library))
}
