//! Firmware for boards of silicon: linked for the chip, as its boot code wants it, and as large as the table says;
//! and run in QEMU, as far as QEMU has the chip.
//!
//! `FLOWLET_BLESS=1` writes the table anew, as `cargo xtask size --bless` does, and the README's with it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use flowlet_protocol::text::strip_checksum;
use flowlet_tests::c_program::Firmware;
use flowlet_tests::digest;
use flowlet_tests::elf::Elf;
use flowlet_tests::silicon::{EXAMPLES, SILICON, Silicon, examples};
use flowlet_tests::workload::{default_flow_matching, default_real_nvp};
use flowlet_trainer::board::{Board, Level};
use flowlet_trainer::model_file::ModelFile;

/// How much is no change: another release of the compiler or of a dependency.
const TOLERANCE_PERCENT: u64 = 2;

const HEAD: &str = "board,example,flash,ram";

/// What to do where the table is to be as the examples are.
const RENEW: &str = "type `cargo xtask size --bless`";

/// Bytes of flash and of RAM.
type Row = (String, [u64; 2]);

#[test]
fn examples_are_linked_for_their_chips_and_grow_on_purpose_only() {
    let mut measured: Vec<Row> = vec![];
    for silicon in &SILICON {
        for level in [None, Some(Level::Debug)] {
            for (example, elf) in silicon.build_all(level) {
                check_places(silicon, &elf);
                check_start(silicon, &elf);
                if example == "update" {
                    check_writing(silicon, &elf);
                }
                let lens = [elf.flash_len(), elf.len_within(&silicon.ram)];
                measured.push((row_name(silicon.name, example, level), lens));
            }
        }
    }
    let in_qemu = Board::QEMU.map(|board| (board, &EXAMPLES[..], None));
    // One of each of the two cores that differ in it; the examples log by the same code.
    let logging = [Board::QemuM0, Board::QemuRv32].map(|board| {
        let examples = &EXAMPLES[..1];
        (board, examples, Some(Level::Debug))
    });
    for (board, names, level) in in_qemu.into_iter().chain(logging) {
        for (example, elf) in examples(board, names, level) {
            let lens = [elf.flash_len(), elf.static_len()];
            measured.push((row_name(board.name(), example, level), lens));
        }
    }
    // The example in C as a whole, with its C library, and what the runtime is of it.
    let of_c = ["c", "c-library"].into_iter().zip(Firmware::new().lens());
    measured.extend(of_c.map(|(name, lens)| (format!("{},{name}", Firmware::BOARD), lens)));
    // Told where a test's output is shown, as by `cargo xtask size`.
    print!("{}", to_csv(&measured));
    if env::var_os("FLOWLET_BLESS").is_some() {
        fs::write(table(), to_csv(&measured)).expect("the table can be written");
        let text = with_sizes(&read(&readme()), &measured);
        fs::write(readme(), text).expect("the README can be written");
    }
    let problems = differences(&from_csv(&read(&table())), &measured);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn row_name(board: &str, example: &str, level: Option<Level>) -> String {
    format!("{board},{}", with_log(example, level.is_some()))
}

fn with_log(example: &str, is_logging: bool) -> String {
    let suffix = if is_logging { " with defmt" } else { "" };
    format!("{example}{suffix}")
}

/// All that is laid into flash lies in the program's part of it, and the model's is as long as told.
fn check_places(silicon: &Silicon, elf: &Elf) {
    let Silicon {
        name, flash, ram, ..
    } = silicon;
    for (start, bytes) in elf.segments() {
        let end = start + bytes.len() as u64;
        let is_within = |range: &std::ops::Range<u64>| range.start <= start && end <= range.end;
        // What is loaded into RAM at once is a part of an ESP's image.
        let is_in_place =
            flash.iter().any(is_within) || name == &"esp32c3" && ram.iter().any(is_within);
        assert!(is_in_place, "{name}: {start:#x} to {end:#x}");
    }
    let [start, end] = ["_model_start", "_model_end"].map(|symbol| {
        let address = elf.address(symbol);
        address.unwrap_or_else(|| panic!("{name} has no {symbol}"))
    });
    assert_eq!(end - start, silicon.region_len, "{name}");
    let board = Board::from_name(name).expect("the trainer knows the board");
    assert_eq!(end - start, board.model_len() as u64, "{name}");
    assert_eq!(start % 4, 0, "{name}");
    assert_eq!(start, flash[0].end, "{name}");
    // Where the core sees flash elsewhere than tools do, the map tells both.
    let in_flash = elf.address("_model_flash_start").unwrap_or(start);
    assert_eq!(in_flash, u64::from(board.model_region().start), "{name}");
}

/// What runs while flash cannot be read lies in RAM.
fn check_writing(silicon: &Silicon, elf: &Elf) {
    let functions: &[&str] = match silicon.name {
        "pico" => &["_flash_erase_page", "_flash_program_page"],
        "esp32c3" => &["_window_show", "_window_invalidate"],
        // Their cores wait.
        _ => &[],
    };
    for function in functions {
        let address = elf.address(function);
        let address = address.unwrap_or_else(|| panic!("{} has no {function}", silicon.name));
        let is_in_ram = silicon.ram.iter().any(|ram| ram.contains(&address));
        assert!(is_in_ram, "{}: {function} at {address:#x}", silicon.name);
    }
}

/// What the chip reads first is what it starts by.
fn check_start(silicon: &Silicon, elf: &Elf) {
    let name = silicon.name;
    let word = |address| {
        let bytes = elf
            .bytes_at(address, 4)
            .try_into()
            .expect("a word has 4 bytes");
        u64::from(u32::from_le_bytes(bytes))
    };
    let vectors = match name {
        "esp32c3" => {
            // The boot loader of ESP-IDF looks for a description of the program before all constants.
            assert_eq!(word(0x3C00_0020), 0xABCD_5432);
            return;
        }
        "pico" => {
            let boot2 = elf.bytes_at(silicon.flash[0].start, 256);
            let (code, checksum) = boot2.split_at(252);
            // The chip's own boot code starts nothing else.
            assert_eq!(boot_crc(code).to_le_bytes(), checksum);
            silicon.flash[0].start + 256
        }
        _ => silicon.flash[0].start,
    };
    let (stack, reset) = (word(vectors), word(vectors + 4));
    assert!(
        silicon.ram[0].contains(&(stack - 1)),
        "{name}: stack from {stack:#x}"
    );
    assert!(
        reset % 2 == 1 && silicon.flash[0].contains(&reset),
        "{name}: start at {reset:#x}"
    );
}

/// CRC-32 with the highest bit first, as the boot code of an RP2040 has it.
fn boot_crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| match crc >> 31 {
            0 => crc << 1,
            _ => crc << 1 ^ 0x04C1_1DB7,
        })
    })
}

#[test]
fn what_the_table_does_not_tell_is_told() {
    let row = |flash, ram| vec![("pico,sampler".to_owned(), [flash, ram])];
    let table = row(10_000, 1000);
    for within in [row(10_200, 1020), row(9800, 980)] {
        assert!(differences(&table, &within).is_empty(), "{within:?}");
    }
    for (beyond, word) in [(row(10_201, 1021), "grew"), (row(9799, 979), "shrank")] {
        let problems = differences(&table, &beyond);
        assert!(problems.len() == 2 && problems.iter().all(|problem| problem.contains(word)));
    }
    for (table, measured) in [(vec![], row(1, 1)), (row(1, 1), vec![])] {
        assert_eq!(differences(&table, &measured).len(), 1);
    }
}

/// What the table does not tell, or tells wrong: by how much something has grown or shrunk, too.
fn differences(table: &[Row], measured: &[Row]) -> Vec<String> {
    let has = |rows: &[Row], name: &str| rows.iter().any(|(known, _)| known == name);
    let gone = table.iter().filter(|(name, _)| !has(measured, name));
    let mut problems: Vec<String> = gone
        .map(|(name, _)| format!("{name} is in the table and not built: {RENEW}"))
        .collect();
    for (name, lens) in measured {
        let Some((_, before)) = table.iter().find(|(known, _)| known == name) else {
            problems.push(format!("{name} is not in the table: {RENEW}"));
            continue;
        };
        for (memory, (len, before)) in ["flash", "RAM"].iter().zip(lens.iter().zip(before)) {
            let (verb, advice) = if 100 * len > (100 + TOLERANCE_PERCENT) * before {
                let advice = format!("make it smaller, or {RENEW} and say why");
                ("grew", advice)
            } else if 100 * len < (100 - TOLERANCE_PERCENT) * before {
                ("shrank", RENEW.into())
            } else {
                continue;
            };
            problems.push(format!(
                "{memory} of {name} {verb} from {before} bytes to {len}: {advice}"
            ));
        }
    }
    problems
}

#[test]
fn the_readme_has_the_sizes_of_the_table() {
    let text = read(&readme());
    let expected = with_sizes(&text, &from_csv(&read(&table())));
    assert!(text == expected, "README.md has other sizes: {RENEW}");
}

/// The README with these sizes in its two tables of them: without the log, and with it.
fn with_sizes(readme: &str, rows: &[Row]) -> String {
    const HEADING: &str = "### Sizes\n";
    let (before, section) = readme.split_once(HEADING).expect("the README tells sizes");
    let (section, after) = section.split_at(section.find("\n### ").expect("another part follows"));
    let mut tables = [false, true].into_iter();
    let blocks = section.split("\n\n").map(|block| {
        if !block.starts_with('|') {
            return block.into();
        }
        sizes(rows, tables.next().expect("there are two tables"))
    });
    let section = blocks.collect::<Vec<String>>().join("\n\n");
    assert!(
        tables.next().is_none(),
        "the README has two tables of sizes"
    );
    [before, HEADING, &section, after].concat()
}

/// Flash and RAM of all examples on silicon.
fn sizes(rows: &[Row], is_logging: bool) -> String {
    let own = SILICON.iter().flat_map(|silicon| silicon.own_examples);
    let examples: Vec<&str> = EXAMPLES.iter().chain(own).copied().collect();
    let head = examples.iter().map(|example| format!(" `{example}` |"));
    let head = format!("| board |{}", head.collect::<String>());
    let rule = format!("|---|{}", "---|".repeat(examples.len()));
    let lines = SILICON.iter().map(|silicon| {
        let cells = examples.iter().map(|example| {
            let name = format!("{},{}", silicon.name, with_log(example, is_logging));
            let row = rows.iter().find(|(known, _)| *known == name);
            let lens = row.map(|(_, lens)| lens.map(with_commas).join(" + "));
            format!(" {} |", lens.unwrap_or_default())
        });
        format!("| `{}` |{}", silicon.name, cells.collect::<String>())
    });
    let lines = [head, rule].into_iter().chain(lines);
    lines.collect::<Vec<_>>().join("\n")
}

/// As prose has a number.
fn with_commas(len: u64) -> String {
    let digits = len.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[test]
fn the_readme_has_the_boards_and_targets_that_are_built_for() {
    let text = read(&readme());
    let silicon = SILICON.iter().map(|silicon| {
        let board = Board::from_name(silicon.name).expect("the trainer knows the board");
        let target = board.target();
        let examples = EXAMPLES.iter().chain(silicon.own_examples);
        let examples: Vec<_> = examples.map(|example| format!("`{example}`")).collect();
        format!("| `{board}` | `{target}` | {} |\n", examples.join(", "))
    });
    let expected = "| BOARD | TARGET | EXAMPLE |\n|---|---|---|\n".to_owned();
    let expected = expected + &silicon.collect::<String>();
    assert!(
        text.contains(&format!("\n{expected}\n")),
        "README.md has no\n{expected}"
    );
    let all = Board::ALL.iter().filter(|board| !board.is_emulated());
    let all: Vec<_> = all.map(|board| board.name()).collect();
    assert_eq!(all, SILICON.map(|silicon| silicon.name));
}

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("firmware-examples/README.md")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("example_size.csv")
}

fn to_csv(rows: &[Row]) -> String {
    let mut text = format!("{HEAD}\n");
    for (name, [flash, ram]) in rows {
        writeln!(text, "{name},{flash},{ram}").expect("a string takes text");
    }
    text
}

fn from_csv(text: &str) -> Vec<Row> {
    let rows = text.lines().filter(|line| *line != HEAD);
    rows.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let [board, example, flash, ram] = cells[..] else {
            panic!("a row has a board, an example, flash and RAM: {line}");
        };
        let lens = [flash, ram].map(|cell| cell.parse().expect("a length is a number"));
        (format!("{board},{example}"), lens)
    })
    .collect()
}

/// QEMU's machine with an STM32F405, which is an F407 without Ethernet and camera.
///
/// It has the chip's core, memory, serial lines and interrupts, and neither its clocks nor its random
/// source: the feature `emulated` goes without these two.
struct Machine {
    process: Child,
    lines: Receiver<String>,
}

/// Far beyond what any answer takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How long a line that has to be listened to is waited for before it is asked again.
const PATIENCE: Duration = Duration::from_millis(200);
/// What a line with a question mark is answered with.
const NO_COMMAND: &str = "error there is no such command";

impl Machine {
    fn start(elf: &Elf, model: Option<&ModelFile>, folder: &Path) -> Self {
        let program = folder.join("program.elf");
        fs::write(&program, elf.file()).expect("the folder takes files");
        let mut qemu = Command::new("qemu-system-arm");
        qemu.args(["-machine", "netduinoplus2", "-display", "none"])
            .args(["-monitor", "none", "-icount", "shift=0"])
            // The second serial line is USART2.
            .args(["-serial", "null", "-serial", "stdio", "-kernel"])
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(model) = model {
            let path = folder.join("model.flow");
            fs::write(&path, model.bytes()).expect("the folder takes files");
            let path = path.display();
            let loader = format!("loader,file={path},addr=0x08040000,force-raw=on");
            qemu.args(["-device", &loader]);
        }
        let mut process = qemu.spawn().expect("QEMU starts");
        let output = process.stdout.take().expect("its output is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.for_each(|line| drop(sender.send(line)));
        });
        Self { process, lines }
    }

    /// Waits until it listens: what comes before is lost.
    fn wake(&mut self) {
        let deadline = Instant::now() + TIME_LIMIT;
        while self.lines.recv_timeout(PATIENCE).is_err() {
            assert!(Instant::now() < deadline, "it does not listen");
            self.send(b"?\n");
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        let input = self.process.stdin.as_mut().expect("its input is piped");
        let sent = input.write_all(bytes).and_then(|()| input.flush());
        sent.expect("it takes input");
    }

    /// The next line that answers no [`wake`](Self::wake).
    fn line(&self) -> String {
        loop {
            let line = self.lines.recv_timeout(TIME_LIMIT).expect("it goes on");
            if !line.starts_with(NO_COMMAND) {
                return line;
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn stm32() -> Elf {
    SILICON[0].build("sampler", "support/emulated")
}

#[test]
fn the_stm32_firmware_has_the_bits_of_the_host_in_qemu() {
    let elf = stm32();
    for workload in [default_real_nvp(), default_flow_matching()] {
        let file = workload.file();
        let folder = tempfile::tempdir().expect("there is a place for files");
        let mut machine = Machine::start(&elf, Some(&file), folder.path());
        machine.wake();
        machine.send(b"digest 20 seed=5\n");
        let line = machine.line();
        let told = strip_checksum(&line).unwrap_or_else(|| panic!("{line}"));
        let expected = digest::of_host(&file, 20, None);
        let expected = format!("digest {expected:016x} of 20 samples in ");
        assert!(told.starts_with(&expected), "{told}");
        assert!(told.ends_with(" cycles"), "{told}");
    }
}

#[test]
fn the_stm32_firmware_loses_no_line_that_comes_while_it_samples() {
    let elf = stm32();
    let file = default_real_nvp().file();
    let folder = tempfile::tempdir().expect("there is a place for files");
    let mut machine = Machine::start(&elf, Some(&file), folder.path());
    machine.wake();
    machine.send(b"digest 50 seed=1\nmodel\nsample 1 seed=2\nhelp\n");
    let lines: Vec<String> = (0..5).map(|_| machine.line()).collect();
    let starts = ["digest ", "model ", "sample ", "done 1 ", "help "];
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{lines:?}");
        assert!(strip_checksum(line).is_some(), "{line}");
    }
}

#[test]
fn the_stm32_firmware_says_why_it_stops() {
    let elf = stm32();
    let folder = tempfile::tempdir().expect("there is a place for files");
    let machine = Machine::start(&elf, None, folder.path());
    let error = format!("error: {}", flowlet::Error::NotAModel);
    assert_eq!(machine.line(), error);
    let farewell = "stopped: reset the board to start it again";
    assert_eq!(machine.line(), farewell);

    // Without a seed it asks the chip for words, and QEMU's has no source of them.
    let file = default_real_nvp().file();
    let mut machine = Machine::start(&elf, Some(&file), folder.path());
    machine.wake();
    machine.send(b"sample 1\n");
    assert!(machine.line().starts_with("panicked at "));
    assert_eq!(machine.line(), "the random source gives no words");
    assert_eq!(machine.line(), farewell);
}
