//! What the least firmware that samples a model takes of a board's memory.

use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::Build;

use crate::counter::Counts;
use crate::elf::Elf;
use crate::workload::Workload;

/// The profiles of `firmware-examples` that firmware is built in: for speed, and for size.
pub const PROFILES: [&str; 2] = ["release", "small"];

/// Bytes of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Flash of the program: code, its constants, the vector table.
    pub code: u64,
    /// Flash of the runtime's tables, which all models share.
    pub tables: u64,
    /// Flash of the model.
    pub model: u64,
    /// RAM of the program's variables.
    pub variables: u64,
    /// RAM of the stack at its deepest, from load to sample, without the scratch that is on it.
    pub stack: u64,
    /// RAM of the model's scratch.
    pub scratch: u64,
}

impl Size {
    /// Builds `firmware-examples/minimal` around a model, and has it run.
    ///
    /// # Panics
    ///
    /// If the build or the run fails, or if the firmware has a way to panic.
    pub fn of(board: Board, profile: &str, workload: &Workload) -> Self {
        let file = workload.file();
        let build = Build {
            model: Some(&file),
            profile,
            ..Build::new(board, "minimal")
        };
        let program = build.run();
        let program = program.unwrap_or_else(|error| panic!("{error}"));
        let elf = Elf::read(&program.path());
        assert_no_panic(&elf);
        let model = file.model().expect("the firmware is built around it");
        let (model_len, scratch) = (file.bytes().len() as u64, 4 * model.scratch_len() as u64);
        let tables = elf.data_len("flowlet");
        Self {
            code: elf.flash_len() - tables - model_len,
            tables,
            model: model_len,
            variables: elf.static_len(),
            stack: Counts::of(board, &program, "").median("").stack - scratch,
            scratch,
        }
    }

    /// Flash that a firmware pays for the runtime, whatever its model.
    pub fn flash(&self) -> u64 {
        self.code + self.tables
    }

    /// RAM that a firmware pays for the runtime, whatever its model.
    pub fn ram(&self) -> u64 {
        self.variables + self.stack
    }
}

fn assert_no_panic(elf: &Elf) {
    let names = elf.names();
    assert!(
        names.iter().any(|name| name == "main"),
        "the symbols are stripped"
    );
    let panics: Vec<_> = names.iter().filter(|name| name.contains("panic")).collect();
    assert!(panics.is_empty(), "the firmware can panic: {panics:?}");
}
