//! The ESP32-C3, by espflash.

use super::*;

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
