//! `--log`: what firmware logs, of boards in QEMU, and of one of silicon by a probe-rs that is played.
//!
//! Its words are those of probe-rs 0.32.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use flowlet_tests::command::run;
use flowlet_trainer::board::firmware::{build, build_logging};
use flowlet_trainer::board::{Board, Level};

use super::flash::tool;
use super::monitor::{Fault, LIMIT, Played};
use super::*;

static MOONS: &[u8] = include_bytes!("../../../runtime/src/moons.flow");

/// A folder with a model, and two programs: one that logs and one that does not.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("moons.flow", MOONS);
    let logging = build_logging(Board::QemuM4, "sampler", Level::Debug).unwrap();
    fs::copy(logging.path(), folder.path("logging.elf")).unwrap();
    let silent = build(Board::QemuM4, "sampler", None).unwrap();
    fs::copy(silent.path(), folder.path("silent.elf")).unwrap();
    folder
}

/// What a command prints, and what it says beside.
fn outputs(command: &mut Command) -> (bool, String, String) {
    let output = run(command);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let success = output.status.success();
    (success, text(output.stdout), text(output.stderr))
}

/// Whether a line of the log starts so, and has its place in the source.
#[track_caller]
fn assert_logged(said: &str, start: &str, place: &str) {
    let mut lines = said.lines();
    let found = lines.any(|line| line.starts_with(start) && line.contains(place));
    assert!(found, "{start} … {place} is not in\n{said}");
}

#[test]
fn the_log_of_an_emulated_board_comes_beside_what_is_printed() {
    let folder = folder();
    for (line, log, count) in [
        ("run moons.flow -n 3 --json", "--log", 2),
        ("verify moons.flow -n 3 --json", "--log=debug", 3),
    ] {
        let line = format!("{line} --board qemu-m4 --firmware");
        let printed = folder.succeed(&format!("{line} silent.elf"));
        let with_log = format!("{line} logging.elf {log}");
        let (success, with_log, said) = outputs(&mut folder.command(&with_log));
        assert!(success, "{said}");
        assert_eq!(with_log, printed);
        let model = "log INFO  model moons: RealNvp { layer_count: 6";
        assert_logged(&said, model, "(sampler/src/main.rs:");
        assert_logged(&said, "log INFO  sampled 3", "(support/src/sampling.rs:");
        if count == 3 {
            let asked = "log DEBUG asked: sample 3";
            assert_logged(&said, asked, "(support/src/requests.rs:");
        }
        assert_eq!(said.lines().count(), count, "{said}");
    }
    let line = "monitor moons.flow --board qemu-m4 -n 3 --firmware logging.elf --log";
    let (success, printed, said) = outputs(&mut folder.command(line));
    assert!(success && numbers(&printed).1.len() == 3, "{said}");
    assert_logged(&said, "log INFO  sampled 3", "(support/src/sampling.rs:");
}

#[test]
fn an_update_is_logged_from_its_first_frame_to_the_new_model() {
    let folder = folder();
    let line = "update moons.flow --old moons.flow --board qemu-m0 --log=debug";
    let (success, _, said) = outputs(&mut folder.command(line));
    assert!(success, "{said}");
    for start in [
        "log INFO  model moons",
        "log DEBUG update: begin 8172 bytes, CRC-32 ",
        "log DEBUG update: data from 256 on, 256 bytes, then Ready { offset: 512 }",
        "log INFO  the new model is active",
        "log DEBUG asked: sample 8 seed=0",
    ] {
        assert_logged(&said, start, "/src/main.rs:");
    }
}

#[test]
fn a_log_that_cannot_be_is_refused_in_a_sentence() {
    let folder = folder();
    folder.write("table.elf", "x,y\n");
    let port = "--board nrf52840-dk --port x";
    for (line, facts) in [
        (
            "run moons.flow --firmware silent.elf --log".to_owned(),
            ["silent.elf was built without defmt", "leave out --log"],
        ),
        (
            "run moons.flow --firmware table.elf --log".to_owned(),
            ["table.elf logs cannot be read", "no program"],
        ),
        (
            "run moons.flow --log=loud".to_owned(),
            ["'loud'", "error, warn, info, debug or trace"],
        ),
        (
            format!("verify moons.flow {port} --log"),
            ["by its debug probe", "flowlet monitor --log"],
        ),
        (
            "monitor --board nrf52840-dk --log --firmware logging.elf".to_owned(),
            ["where the board is connected", "--port"],
        ),
        (
            format!("monitor {port} --log"),
            ["--firmware", "flowlet flash --log"],
        ),
        (
            format!("monitor {port} --log --firmware silent.elf"),
            [
                "silent.elf was built without defmt",
                "`flowlet flash --log` kept",
            ],
        ),
        (
            format!("monitor {port} --log --firmware none.elf"),
            ["no firmware at none.elf", "ELF"],
        ),
        (
            "flash moons.flow --board pico --model-only --log".to_owned(),
            ["--log is for firmware that is built", "--model-only"],
        ),
    ] {
        assert_tells(&folder.fail(&line), &facts);
    }
}

/// A probe-rs that does `script` when it attaches.
fn attaching(folder: &Folder, script: &str) {
    let script = format!(
        "#!/bin/sh\n\
         echo \"$@\" >> calls\n\
         case $1 in\n\
         read) echo '10000100: 00052840';;\n\
         attach) {script};;\n\
         esac\n"
    );
    tool(folder, "probe-rs", &script);
}

/// A board that gives no sample before `is_ready` finds what it looks for in the file `name`, which a script writes.
fn holding(folder: &Folder, name: &str, is_ready: fn(&Path) -> bool) -> Played {
    let path: PathBuf = folder.path(name);
    Played::holding(Fault::None, move || is_ready(&path))
}

/// Whether the process has ended whose number is in the file.
fn is_over(path: &Path) -> bool {
    let Ok(number) = fs::read_to_string(path) else {
        return false;
    };
    // One that nobody has waited for yet has no command line.
    let line = fs::read(format!("/proc/{}/cmdline", number.trim()));
    number.ends_with('\n') && line.map_or(true, |line| line.is_empty())
}

/// `monitor` of a board of silicon with its log.
fn monitor(folder: &Folder, port: &str, n: u32) -> Command {
    let line = format!(
        "monitor --board nrf52840-dk --port {port} -n {n} --log --firmware logging.elf --probe 1366:1015"
    );
    let mut command = folder.command(&line);
    let tools = folder.path("bin");
    command.env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
    command
}

#[test]
fn the_log_of_a_board_of_silicon_comes_beside_its_samples() {
    let folder = folder();
    let board = holding(&folder, "told", Path::exists);
    let script = "echo 'INFO  sampled 50 (support/src/sampling.rs:30)'; touch told; exec sleep 60";
    attaching(&folder, script);
    let (success, printed, said) = outputs(&mut monitor(&folder, &board.port, 60));
    assert!(success, "{said}");
    assert_eq!(numbers(&printed).1.len(), 60);
    assert_eq!(said, "log INFO  sampled 50 (support/src/sampling.rs:30)\n");
    let calls = folder.text("calls");
    let attach = "attach --chip nRF52840_xxAA --non-interactive --probe 1366:1015 --no-catch-reset \
                  --no-catch-hardfault --log-format {L:<5} {s} ({fff}:{l}) logging.elf";
    assert!(calls.lines().any(|call| call == attach), "{calls}");
}

#[test]
fn a_log_that_ends_is_told_and_the_samples_go_on() {
    let folder = folder();
    let board = holding(&folder, "number", is_over);
    let script = "echo 'Error: Probe is already in use' >&2; echo $$ > number; exit 1";
    attaching(&folder, script);
    let (success, printed, said) = outputs(&mut monitor(&folder, &board.port, 60));
    assert!(success, "{said}");
    assert_eq!(numbers(&printed).1.len(), 60);
    let ended = "log ?     the log has ended: another program uses the debug probe: close it";
    assert!(
        said.starts_with(ended) && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn ctrl_c_in_a_terminal_ends_the_log_without_a_word() {
    let folder = folder();
    attaching(
        &folder,
        "trap 'echo Exited by user request; echo Received Ctrl+C, exiting >&2; exit' INT\n\
         echo 'INFO  begun'; echo $$ > number; sleep 60",
    );
    let (number, (asked, is_asked)) = (folder.path("number"), channel());
    let board = Played::holding(Fault::None, move || {
        if number.exists() {
            // Who has heard it once listens no more.
            let _ = asked.send(());
        }
        is_over(&number)
    });
    let mut command = monitor(&folder, &board.port, 60);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).spawn().unwrap();
    is_asked.recv_timeout(LIMIT).unwrap();
    // As a terminal does, to the whole group.
    let interrupt = format!("kill -s INT -- -{}", child.id());
    let interrupted = run(Command::new("sh").args(["-c", &interrupt]));
    assert!(interrupted.status.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "log INFO  begun\n");
}

#[test]
fn no_tool_for_a_log_and_no_probe_are_told_before_any_sample() {
    let (folder, board) = (folder(), Played::new(Fault::None));
    let (success, printed, said) = outputs(&mut monitor(&folder, &board.port, 60));
    assert!(!success && printed.is_empty(), "{printed}");
    assert_tells(
        &said,
        &["probe-rs is missing", "cargo install probe-rs-tools"],
    );
    let script = "#!/bin/sh\n[ $1 = --version ] && exit\n\
                  echo 'Error: No connected probes were found.' >&2\nexit 1\n";
    tool(&folder, "probe-rs", script);
    let (success, printed, said) = outputs(&mut monitor(&folder, &board.port, 60));
    assert!(!success && printed.is_empty(), "{printed}");
    assert_tells(
        &said,
        &[
            "the debug probe 1366:1015 is not connected",
            "probe-rs list",
        ],
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn flash_builds_firmware_that_logs_and_keeps_its_texts() {
    let folder = Folder::new();
    folder.write("moons.flow", MOONS);
    let line = "flash moons.flow --board pico -o moons.uf2 --log=debug";
    let printed = folder.succeed(line);
    assert_tells(
        &printed,
        &[
            "kept in     sampler-pico.elf",
            "probe-rs attach --chip RP2040 sampler-pico.elf",
        ],
    );
    let file = folder.read("sampler-pico.elf");
    let text = b"\"tag\":\"defmt_info\",\"data\":\"model {}\"";
    assert!(file.windows(text.len()).any(|part| part == text));
}

#[test]
fn flash_keeps_the_texts_of_what_is_on_the_board() {
    let folder = Folder::new();
    folder.write("moons.flow", MOONS);
    let flash = |read: &str| {
        let script = format!(
            "#!/bin/sh\n[ $1 = read ] && echo '10000100: 00052840'\n[ $1 = {read} ] && exit 1\nexit 0\n"
        );
        tool(&folder, "probe-rs", &script);
        let line = "flash moons.flow --board nrf52840-dk --log";
        let mut command = folder.command(line);
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", folder.path("bin").display());
        outputs(command.env("PATH", path))
    };
    folder.write("sampler-nrf52840-dk.elf", "of the firmware before");
    let (success, _, said) = flash("download");
    assert!(!success, "{said}");
    let kept = folder.text("sampler-nrf52840-dk.elf");
    assert_eq!(kept, "of the firmware before");
    let (success, printed, said) = flash("nothing");
    assert!(success, "{said}");
    let see =
        "flowlet monitor --board nrf52840-dk --port PORT --log --firmware sampler-nrf52840-dk.elf";
    assert_tells(&printed, &[see]);
    assert!(
        folder
            .read("sampler-nrf52840-dk.elf")
            .starts_with(b"\x7fELF")
    );
}
