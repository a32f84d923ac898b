//! Boards with a debug probe.

use super::*;

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
