//! The Pico's drive, and picotool.

use super::*;

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
