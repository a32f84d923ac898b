//! `flowlet flash`, with tools that do nothing but say what the real ones say.
//!
//! Their words are those of probe-rs 0.32, espflash 4.7 and picotool 2.2.

#![cfg(unix)]

mod drive;
mod esp32c3;
mod example;
mod pico;
mod probe_rs;

use std::cmp::Reverse;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use flowlet_tests::command::run;
use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::build;

use super::*;

static MOONS: &[u8] = include_bytes!("../../../runtime/src/moons.flow");

/// A folder with a model and with tools, which come before any that are installed.
struct Desk(Folder);

impl Desk {
    fn new() -> Self {
        let folder = Folder::new();
        folder.write("moons.flow", MOONS);
        fs::create_dir(folder.path("kept")).unwrap();
        Self(folder)
    }

    /// A tool that notes how it is called, keeps the file that it is to write, and then does `script`.
    fn tool(&self, name: &str, script: &str) {
        let [calls, kept] = ["calls", "kept"].map(|name| self.0.path(name).display().to_string());
        let script = format!(
            "#!/bin/sh\n\
             echo {name} \"$@\" | sed 's| /[^ ]*/| |g' >> {calls}\n\
             for last; do :; done\n\
             case $1 in download|load|flash|write-bin) cp \"$last\" {kept}/;; esac\n\
             {script}\n"
        );
        tool(&self.0, name, &script);
    }

    /// probe-rs with a probe and an nRF52840, until `verb`, where it says something and fails.
    fn probe_rs_failing_at(&self, verb: &str, printed: &str, said: &str) {
        self.0.write("printed", printed);
        self.0.write("said", said);
        let [printed, said] =
            ["printed", "said"].map(|name| self.0.path(name).display().to_string());
        self.tool(
            "probe-rs",
            &format!(
                "if [ $1 = {verb} ]; then cat {printed}; cat {said} >&2; exit 1; fi\n\
                 if [ $1 = read ]; then echo '10000100: 00052840'; fi"
            ),
        );
    }

    /// A tool that says something and fails.
    fn tool_failing(&self, name: &str, printed: &str, said: &str) {
        self.0.write("printed", printed);
        self.0.write("said", said);
        let [printed, said] =
            ["printed", "said"].map(|name| self.0.path(name).display().to_string());
        let script = "case $1 in --version|version) exit;; esac";
        self.tool(
            name,
            &format!("{script}; cat {printed}; cat {said} >&2; exit 1"),
        );
    }

    fn flash(&self, line: &str) -> (bool, String, String) {
        let mut command = self.0.command(&format!("flash {line}"));
        let path = format!("{}:/usr/bin:/bin", self.0.path("bin").display());
        let output = run(command
            .env("PATH", path)
            .env("USER", "nobody")
            .env("CARGO", "/bin/false")
            .env("RUSTC", "/bin/false"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let success = output.status.success();
        (success, text(output.stdout), text(output.stderr))
    }

    #[track_caller]
    fn succeed(&self, line: &str) -> String {
        let (success, printed, said) = self.flash(line);
        assert!(success, "{said}");
        printed
    }

    /// The one sentence that it fails with.
    #[track_caller]
    fn fail(&self, line: &str) -> String {
        let (success, printed, said) = self.flash(line);
        assert!(!success && printed.is_empty(), "{printed}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said.strip_prefix("error: ").unwrap().trim_end().into()
    }

    /// How the tools were called, temporary files by their endings.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.0.path("calls")).unwrap_or_default();
        let call = |line: &str| {
            let words = line.split(' ');
            let words = words.map(|word| match word.strip_prefix(".tmp") {
                Some(name) => name.split_once('.').map_or("", |(_, ending)| ending),
                None => word,
            });
            words.collect::<Vec<_>>().join(" ")
        };
        calls.lines().map(call).collect()
    }

    /// What tools were to write from files with this ending, the longest first.
    fn all_kept(&self, ending: &str) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.0.path("kept")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let paths = paths.filter(|path| path.extension().is_some_and(|found| found == ending));
        let mut files: Vec<Vec<u8>> = paths.map(|path| fs::read(path).unwrap()).collect();
        files.sort_by_key(|file| Reverse(file.len()));
        files
    }

    /// The longest of these.
    fn kept(&self, ending: &str) -> Vec<u8> {
        let files = self.all_kept(ending);
        let file = files.into_iter().next();
        file.unwrap_or_else(|| panic!("no .{ending} is kept"))
    }

    /// A firmware of these segments: where they are stored, and their bytes.
    fn firmware(&self, name: &str, machine: u16, segments: &[(u32, &[u8])]) {
        let mut file = b"\x7fELF\x01\x01\x01".to_vec();
        file.resize(52, 0);
        file[18..20].copy_from_slice(&machine.to_le_bytes());
        file[28] = 52;
        file[42] = 32;
        file[44] = segments.len() as u8;
        let mut offset = 52 + 32 * segments.len();
        for (address, bytes) in segments {
            let len = bytes.len() as u32;
            let words = [1, offset as u32, *address, *address, len, len, 0, 4];
            file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            offset += bytes.len();
        }
        segments.iter().for_each(|(_, bytes)| file.extend(*bytes));
        self.0.write(name, file);
    }
}

/// A tool that a script plays.
pub(super) fn tool(folder: &Folder, name: &str, script: &str) {
    let tools = folder.path("bin");
    fs::create_dir_all(&tools).unwrap();
    let path = tools.join(name);
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

const ARM: u16 = 40;
const RISC_V: u16 = 243;

#[test]
fn a_missing_tool_is_named_with_what_installs_it() {
    let desk = Desk::new();
    for (board, facts) in [
        (
            "nrf52840-dk",
            [
                "probe-rs is missing",
                "cargo install probe-rs-tools --locked",
            ],
        ),
        (
            "esp32c3",
            ["espflash is missing", "cargo install espflash --locked"],
        ),
        ("pico", ["hold its BOOTSEL button", "-o FILE.uf2"]),
    ] {
        let message = desk.fail(&format!("moons.flow --board {board} --model-only"));
        assert_tells(&message, &facts);
    }
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_called() {
    let desk = Desk::new();
    desk.probe_rs_failing_at("nothing", "", "");
    let count = (768 << 10) / MOONS.len().next_multiple_of(4) + 1;
    let beyond = count * MOONS.len().next_multiple_of(4) - (768 << 10);
    let models = ["moons.flow"].repeat(count).join(" ");
    let message = desk.fail(&format!("{models} --board nrf52840-dk --model-only"));
    assert_tells(
        &message,
        &[&format!("{beyond} bytes too many"), "int8", "esp32c3"],
    );

    let mut later = MOONS.to_vec();
    later[7] = 99;
    desk.0.write("later.flow", later);
    let message = desk.fail("later.flow --board nrf52840-dk --model-only");
    assert_tells(
        &message,
        &["later.flow", "version", "write the model again"],
    );

    desk.firmware("large.elf", ARM, &[(0, &[0; (256 << 10) + 8])]);
    let message = desk.fail("moons.flow --board nrf52840-dk --firmware large.elf");
    assert_tells(&message, &["8 bytes too many for the 262144 bytes"]);
    desk.firmware("foreign.elf", RISC_V, &[(0, b"code")]);
    let message = desk.fail("moons.flow --board nrf52840-dk --firmware foreign.elf");
    assert_tells(&message, &["foreign.elf is no firmware for nrf52840-dk"]);
    // Its core and its flash are at the same places, and its models are not.
    let qemu = build(Board::QemuM4, "sampler", None).unwrap();
    fs::copy(qemu.path(), desk.0.path("qemu.elf")).unwrap();
    let message = desk.fail("moons.flow --board nrf52840-dk --firmware qemu.elf");
    assert_tells(&message, &["qemu.elf is no firmware for nrf52840-dk"]);
    assert!(desk.calls().iter().all(|call| call == "probe-rs --version"));
}

#[test]
fn what_cannot_be_flashed_is_told() {
    let desk = Desk::new();
    for (line, facts) in [
        (
            "moons.flow --board qemu-m4",
            ["is emulated", "flowlet run FILE --board qemu-m4"],
        ),
        (
            "moons.flow --board pico --port /dev/ttyACM0",
            ["--port is not for pico", "leave it out"],
        ),
        (
            "moons.flow --board esp32c3 -o esp.uf2",
            ["--output is not for esp32c3", "espflash"],
        ),
        (
            "moons.flow moons.flow --board pico",
            ["takes one model", "--example compare"],
        ),
        (
            "moons.flow --board pico --model-only -o moons.flow",
            ["would be written over", "another name"],
        ),
    ] {
        assert_tells(&desk.fail(line), &facts);
    }
}
