//! `flowlet flash`, with tools that do nothing but say what the real ones say.
//!
//! Their words are those of probe-rs 0.32, espflash 4.7 and picotool 2.2.

#![cfg(unix)]

mod drive;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use flowlet_tests::command::run;

use super::*;

static MOONS: &[u8] = include_bytes!("../../../runtime/src/moons.flow");

/// A folder with a model and with tools, which come before any that are installed.
struct Desk(Folder);

impl Desk {
    fn new() -> Self {
        let folder = Folder::new();
        folder.write("moons.flow", MOONS);
        fs::create_dir(folder.path("bin")).unwrap();
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
             case $1 in download|load|flash) cp \"$last\" {kept}/;; esac\n\
             {script}\n"
        );
        let path = self.0.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
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

    /// The files that tools were to write, by their endings.
    fn kept(&self, ending: &str) -> Vec<u8> {
        let entries = fs::read_dir(self.0.path("kept")).unwrap();
        let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        let has_ending = |path: &&PathBuf| path.extension().is_some_and(|found| found == ending);
        let path = paths.iter().find(has_ending);
        fs::read(path.unwrap_or_else(|| panic!("no .{ending} in {paths:?}"))).unwrap()
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

const ARM: u16 = 40;
const RISC_V: u16 = 243;

#[test]
fn a_model_alone_is_written_by_the_probe_without_a_compiler() {
    let desk = Desk::new();
    desk.probe_rs_failing_at("nothing", "", "");
    let text = desk.succeed("moons.flow --board nrf52840-dk --model-only");
    assert_tells(&text, &["nRF52840", "stays", "of the 786,432 bytes"]);
    let probe = "--chip nRF52840_xxAA --non-interactive";
    let download = "--verify --disable-progressbars --binary-format bin --base-address 0x40000 bin";
    let expected = [
        "probe-rs --version".into(),
        format!("probe-rs read {probe} b32 0x10000100 1"),
        format!("probe-rs download {probe} {download}"),
        format!("probe-rs reset {probe}"),
    ];
    assert_eq!(desk.calls(), expected);
    assert!(desk.kept("bin").starts_with(MOONS));
}

#[test]
fn a_firmware_is_written_after_its_model() {
    let desk = Desk::new();
    desk.tool(
        "probe-rs",
        "case \"$*\" in *0xe0042000*) echo 10076413;; *0x40023c14*) echo 0FFFAAED;; esac",
    );
    desk.firmware("sampler.elf", ARM, &[(0x0800_0000, b"code")]);
    let line = "moons.flow --board stm32f4-discovery --firmware sampler.elf --probe 0483:374b:066";
    desk.succeed(line);
    let calls = desk.calls();
    let verbs = calls.iter().map(|call| call.split(' ').nth(1).unwrap());
    assert_eq!(
        verbs.collect::<Vec<_>>(),
        ["--version", "read", "read", "download", "download", "reset"]
    );
    assert!(
        calls[1..]
            .iter()
            .all(|call| call.contains("--probe 0483:374b:066"))
    );
    assert_tells(&calls[3], &["--base-address 0x8040000"]);
    assert_tells(&calls[4], &["--binary-format elf sampler.elf"]);
    assert_eq!(desk.kept("elf"), desk.0.read("sampler.elf"));
}

#[test]
fn what_probe_rs_says_becomes_one_sentence() {
    let hint = " WARN probe_rs::util::setup_hints::linux: If your probe is plugged in but not listed, or shown \
                as inaccessible, it is most likely a permissions problem.\n";
    let two = "Available Probes:\n0: STLink V2-1 -- 0483:374b:0671FF (ST-LINK)\n\
               1: J-Link -- 1366:1015:000760 (J-Link)\nSelection: ";
    let attach = "Error: Connecting to the chip was unsuccessful.\n\nCaused by:\n    \
                  0: An ARM specific error occurred.\n    ";
    let flashing = "Error: The flashing procedure failed for 'model.bin'.\n\nCaused by:\n    ";
    for (verb, printed, said, facts) in [
        (
            "read",
            "",
            &format!("{hint}Error: No connected probes were found.\n"),
            &["no debug probe is connected", "USB cable of nrf52840-dk"][..],
        ),
        (
            "read",
            two,
            &"Error: Failed to parse probe index\n".into(),
            &[
                "2 debug probes",
                "--probe: 0483:374b:0671FF (STLink V2-1), 1366:1015:000760 (J-Link)",
            ],
        ),
        (
            "read",
            "",
            &format!(
                "{attach}1: An operation could not be performed because it lacked the permission to do so: erase_all\n"
            ),
            &[
                "nrf52840-dk is locked",
                "--chip nRF52840_xxAA --allow-erase-all",
                "erases all",
            ],
        ),
        (
            "read",
            "",
            &format!(
                "{attach}1: No target responded to the debug port. Check that the target is connected and \
                 powered, and that the SWD/JTAG wiring is correct.\n"
            ),
            &["finds no chip", "power", "cable"],
        ),
        (
            "read",
            "",
            &"Error: Probe is already in use\n".into(),
            &["another program uses the debug probe"],
        ),
        (
            "read",
            "",
            &format!(
                "{hint}Error: Failed to open probe: Failed to open the debug probe.\n\nCaused by:\n    \
                 0: The debug probe could not be created.\n    \
                 1: The selected USB device could not be opened.\n"
            ),
            &["cannot be opened", "udev rules"],
        ),
        (
            "download",
            "",
            &format!("{flashing}0: USB Communication Error\n    1: device disconnected\n"),
            &["connection to nrf52840-dk broke", "cable", "flash again"],
        ),
        (
            "download",
            "",
            &format!("{flashing}Flash content verification failed.\n"),
            &["reads back otherwise"],
        ),
        (
            "download",
            "",
            &format!("{flashing}Failed to erase flash sector at address 0x00040000.\n"),
            &["probe-rs cannot flash nrf52840-dk: ", "0x00040000"],
        ),
    ] {
        let desk = Desk::new();
        desk.probe_rs_failing_at(verb, printed, said);
        let message = desk.fail("moons.flow --board nrf52840-dk --model-only");
        assert_tells(&message, facts);
    }
}

#[test]
fn a_probe_that_is_not_there_is_named() {
    let desk = Desk::new();
    desk.probe_rs_failing_at("read", "", "Error: No connected probes were found.\n");
    let message = desk.fail("moons.flow --board nrf52840-dk --model-only --probe 1366:1015");
    assert_tells(
        &message,
        &["probe 1366:1015 is not connected", "probe-rs list"],
    );
}

#[test]
fn another_chip_and_a_locked_one_are_told_before_anything_is_written() {
    for (id, option_bytes, facts) in [
        (
            "10006433",
            "0FFFAAED",
            ["not that of stm32f4-discovery", "0x433"],
        ),
        ("10076413", "0FFF55ED", ["is locked", "level 0"]),
        ("10076413", "0FFFCCED", ["is locked", "level 0"]),
    ] {
        let desk = Desk::new();
        let read = format!(
            "case \"$*\" in *0xe0042000*) echo e0042000: {id};; *0x40023c14*) echo 40023c14: {option_bytes};; esac"
        );
        desk.tool("probe-rs", &read);
        let message = desk.fail("moons.flow --board stm32f4-discovery --model-only");
        assert_tells(&message, &facts);
        assert!(!desk.calls().iter().any(|call| call.contains("download")));
    }
}

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
        let model = match board {
            "esp32c3" => "",
            _ => " --model-only",
        };
        let message = desk.fail(&format!("moons.flow --board {board}{model}"));
        assert_tells(&message, &facts);
    }
}

#[test]
fn a_pico_is_written_as_uf2() {
    let desk = Desk::new();
    desk.firmware("sampler.elf", ARM, &[(0x1000_0000, b"code")]);
    let text = desk.succeed("moons.flow --board pico --firmware sampler.elf -o pico.uf2");
    assert_tells(&text, &["pico.uf2", "RPI-RP2"]);
    let file = desk.0.read("pico.uf2");
    // The program's sector is full, and the model begins after it.
    let model = 16 * 512;
    assert_eq!(file.len(), model + 512 * MOONS.len().div_ceil(256));
    let word = |i: usize| u32::from_le_bytes(file[i..i + 4].try_into().unwrap());
    assert_eq!([word(12), word(model + 12)], [0x1000_0000, 0x1004_0000]);
    assert_eq!(&file[32..36], b"code");
    let model: Vec<u8> = file[model..]
        .chunks(512)
        .flat_map(|block| block[32..][..256].to_vec())
        .collect();
    assert!(model.starts_with(MOONS));
    assert!(desk.calls().is_empty());

    desk.tool("picotool", "exit 0");
    desk.succeed("moons.flow --board pico --firmware sampler.elf");
    assert_eq!(desk.calls(), ["picotool load -v uf2", "picotool reboot"]);
    assert!(desk.kept("uf2") == file);

    desk.tool(
        "probe-rs",
        "[ $1 = read ] && echo 40000000: 10002927; exit 0",
    );
    desk.succeed("moons.flow --board pico --model-only --probe 2e8a:000c");
    assert_tells(&desk.calls()[4], &["download --chip RP2040", "0x10040000"]);
}

#[test]
fn a_drive_of_a_bootloader_takes_a_pico_and_no_other_chip() {
    let desk = Desk::new();
    fs::create_dir(desk.0.path("drive")).unwrap();
    let line = "moons.flow --board pico --model-only --drive drive";
    assert_tells(&desk.fail(line), &["drive is no drive", "BOOTSEL"]);
    let info =
        |id: &str| format!("UF2 Bootloader v3.0\r\nModel: Raspberry Pi\r\nBoard-ID: {id}\r\n");
    desk.0.write("drive/INFO_UF2.TXT", info("RP2350"));
    assert_tells(&desk.fail(line), &["not that of pico", "RP2350", "RPI-RP2"]);
    desk.0.write("drive/INFO_UF2.TXT", info("RPI-RP2"));
    desk.succeed(line);
    let blocks = desk.0.read("drive/flowlet.uf2");
    assert_eq!(&blocks[..4], b"UF2\n");
    assert_eq!(blocks.len(), 512 * MOONS.len().div_ceil(256));
}

#[test]
fn what_picotool_says_becomes_one_sentence() {
    for (printed, facts) in [
        (
            "No accessible RP-series devices in BOOTSEL mode were found.\n",
            &["no Pico waits", "BOOTSEL"][..],
        ),
        (
            "No accessible RP-series devices in BOOTSEL mode were found.\n\nbut:\n\n\
             RP2040 device at bus 3, address 71 appears to be in BOOTSEL mode, but picotool\n    \
             was unable to connect. Maybe try 'sudo' or check your permissions.\n",
            &["cannot be opened", "udev rules"],
        ),
        (
            "ERROR: Command requires a single RP-series device to be targeted.\n",
            &["more than one Pico", "--drive"],
        ),
        (
            "ERROR: Communication with RP2040 device failed\n",
            &["connection to pico broke", "cable"],
        ),
        (
            "ERROR: The device contents did not match the file\n",
            &["reads back otherwise"],
        ),
        (
            "ERROR: Failed to initialise libUSB\n",
            &["picotool cannot flash pico: Failed to initialise libUSB"],
        ),
    ] {
        let desk = Desk::new();
        desk.tool_failing("picotool", printed, "");
        assert_tells(&desk.fail("moons.flow --board pico --model-only"), facts);
    }
}

/// A firmware for an ESP32-C3 around the model.
fn desk_with_esp32c3() -> Desk {
    let desk = Desk::new();
    let rodata = [&[0; 32], MOONS].concat();
    desk.firmware("sampler.elf", RISC_V, &[(0x3C00_0020, &rodata)]);
    desk
}

#[test]
fn an_esp32c3_is_written_with_its_model_inside() {
    let desk = desk_with_esp32c3();
    desk.tool("espflash", "");
    desk.succeed("moons.flow --board esp32c3 --firmware sampler.elf --port /dev/ttyACM0");
    let calls = desk.calls();
    assert_eq!(calls[0], "espflash --version");
    assert_tells(
        &calls[1],
        &[
            "espflash flash --skip-update-check --non-interactive --chip esp32c3 --port",
            "sampler.elf",
        ],
    );
    assert_eq!(desk.kept("elf"), desk.0.read("sampler.elf"));

    let message = desk.fail("moons.flow --board esp32c3 --model-only");
    assert_tells(
        &message,
        &["has its model in the firmware", "leave out --model-only"],
    );
    desk.firmware("other.elf", RISC_V, &[(0x3C00_0020, &[0; 9000])]);
    let message = desk.fail("moons.flow --board esp32c3 --firmware other.elf");
    assert_tells(
        &message,
        &["other.elf has another model", "leave out --firmware"],
    );
}

#[test]
fn what_espflash_says_becomes_one_sentence() {
    let connecting = "[INFO ] Serial port: '/dev/ttyUSB3'\n[INFO ] Connecting...\n";
    let connected = "Chip type:         esp32c3 (revision v0.4)\nFlash size:        4MB\n";
    for (printed, said, facts) in [
        (
            "",
            "Error: espflash::no_serial\n\n  × No serial ports could be detected\n  help: Make sure\n",
            &["no serial port is connected", "esp32c3"][..],
        ),
        (
            "",
            "Error: espflash::serial_not_selected\n\n  × No serial port was provided\n",
            &["choose the serial port of esp32c3 with --port"],
        ),
        (
            "",
            "Error:   × Error while connecting to device\n  ╰─▶ No such file or directory (os error 2)\n",
            &["there is no serial port"],
        ),
        (
            connecting,
            "Error:   × Failed to open serial port /dev/ttyUSB3\n  ├─▶ Error while connecting to device\n  \
             ╰─▶ Unable to acquire exclusive lock on serial port\n",
            &["another program uses the serial port /dev/ttyUSB3"],
        ),
        (
            connecting,
            "Error:   × Failed to open serial port /dev/ttyUSB3\n  ├─▶ Error while connecting to device\n  \
             ╰─▶ Permission denied\n",
            &["/dev/ttyUSB3 cannot be opened", "dialout"],
        ),
        (
            connecting,
            "Error: espflash::connection_failed\n\n  × Error while connecting to device\n  \
             ╰─▶ Failed to connect to the device\n",
            &["esp32c3 does not answer", "BOOT"],
        ),
        (
            connecting,
            "Error: espflash::chip_mismatch\n\n  × Chip provided with `-c/--chip` (esp32c3) does not match the\n  \
             │ detected chip (esp32s3)\n  help: Ensure that the correct chip is selected\n",
            &["not that of esp32c3", "it is an esp32s3"],
        ),
        (
            connected,
            "Error:   × Communication error while flashing device\n  ╰─▶ Broken pipe\n",
            &["connection to esp32c3 broke", "cable"],
        ),
        (
            connected,
            "Error:   × Secure Download Mode enabled: `--verify` and `--skip` options are not\n  │ available\n",
            &["esp32c3 is locked", "another board"],
        ),
        (
            connected,
            "Error:   × Supplied ELF image of 9B is too big, and doesn't fit configured app\n  │ partition of 1B\n",
            &[
                "espflash cannot flash esp32c3: ",
                "fit configured app partition of 1B",
            ],
        ),
    ] {
        let desk = desk_with_esp32c3();
        desk.tool_failing("espflash", printed, said);
        let message = desk.fail("moons.flow --board esp32c3 --firmware sampler.elf");
        assert_tells(&message, facts);
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
        &[&format!("{beyond} bytes too many"), "int8", "pico"],
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
