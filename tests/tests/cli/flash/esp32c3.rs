//! The ESP32-C3, by espflash.

use super::*;

const WRITE: &str = "espflash write-bin --skip-update-check --non-interactive --chip esp32c3";

fn desk_with_esp32c3() -> Desk {
    let desk = Desk::new();
    let parts: [(u32, &[u8]); 2] = [(0x3C00_0020, b"constants"), (0x4200_0020, b"code")];
    desk.firmware("sampler.elf", RISC_V, &parts);
    desk
}

#[test]
fn an_esp32c3_gets_its_models_their_own_part_of_flash() {
    let desk = desk_with_esp32c3();
    // What it is to read is gone when it has ended.
    let table = desk.0.path("table").display().to_string();
    desk.tool(
        "espflash",
        &format!("for word; do case $word in *.csv) cp $word {table};; esac; done"),
    );
    desk.succeed("moons.flow --board esp32c3 --firmware sampler.elf --port /dev/ttyACM0");
    let flash = WRITE.replace("write-bin", "flash");
    let expected = [
        "espflash --version".into(),
        format!("{WRITE} --port ttyACM0 0x200000 bin"),
        format!("{flash} --port ttyACM0 --partition-table csv sampler.elf"),
    ];
    assert_eq!(desk.calls(), expected);
    assert!(desk.kept("bin").starts_with(MOONS));
    assert_eq!(desk.kept("elf"), desk.0.read("sampler.elf"));
    let table = String::from_utf8(desk.0.read("table")).unwrap();
    let rows: Vec<&str> = table.lines().skip(1).collect();
    let expected = [
        "factory, app, factory, 0x10000, 0x1f0000",
        "models, data, undefined, 0x200000, 0x200000",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_model_alone_is_written_to_an_esp32c3_without_a_compiler() {
    let desk = Desk::new();
    desk.tool("espflash", "");
    let text = desk.succeed("moons.flow --board esp32c3 --model-only --example update");
    assert_tells(&text, &["stays", "of the 1,044,480 bytes of a slot"]);
    let expected = [
        "espflash --version".into(),
        format!("{WRITE} 0x200000 bin"),
        format!("{WRITE} 0x3fe000 bin"),
    ];
    assert_eq!(desk.calls(), expected);
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
