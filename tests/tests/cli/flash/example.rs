//! What each example asks of a model, and what `update` finds beside it.

use super::*;
use crate::update::f32_model;

#[test]
fn update_is_flashed_with_erased_records() {
    for firmware in ["--firmware update.elf", "--model-only"] {
        let desk = Desk::new();
        desk.probe_rs_failing_at("nothing", "", "");
        desk.firmware("update.elf", ARM, &[(0, b"code")]);
        let line = format!("moons.flow --board nrf52840-dk --example update {firmware}");
        let text = desk.succeed(&line);
        assert_tells(&text, &["of the 389,120 bytes of a slot"]);
        let calls = desk.calls().join("\n");
        assert_tells(
            &calls,
            &["--base-address 0x40000 bin", "--base-address 0xfe000 bin"],
        );
        let [model, records] = &desk.all_kept("bin")[..] else {
            panic!("{calls}");
        };
        assert!(model.starts_with(MOONS));
        assert_eq!(records[..], [0xFF; 4096]);
    }
}

#[test]
fn a_board_without_the_example_is_told_before_anything_is_called() {
    let desk = Desk::new();
    let message = desk.fail("moons.flow --board pico --example embassy");
    assert_tells(
        &message,
        &["no example `embassy` for pico", "it is for nrf52840-dk"],
    );
    assert!(desk.calls().is_empty());
}

#[test]
fn a_model_that_an_example_cannot_run_is_told_before_anything_is_called() {
    let desk = Desk::new();
    desk.0.write("large.flow", f32_model(&[256, 256]));
    desk.0.write("wide.flow", f32_model(&[128]));
    let beyond = desk.0.read("large.flow").len() - (380 << 10);
    for (line, facts) in [
        (
            "moons.flow --example detector",
            &["6 features", "train one on windows"][..],
        ),
        (
            "large.flow --example update",
            &[
                &format!("{beyond} bytes too many for a slot of nrf52840-dk, 389120 bytes"),
                "it would fit on boards such as",
            ],
        ),
        (
            "wide.flow --example update",
            &["words too many for the 144", "train narrower nets"],
        ),
        (
            "moons.flow moons.flow --example update",
            &["the update takes one model", "--example compare"],
        ),
    ] {
        for way in ["", " --model-only", " --firmware none.elf"] {
            let message = desk.fail(&format!("{line} --board nrf52840-dk{way}"));
            assert_tells(&message, facts);
        }
    }
    assert!(desk.calls().is_empty());
    // Without the example, a model may be as large as the region.
    desk.probe_rs_failing_at("nothing", "", "");
    desk.succeed("large.flow --board nrf52840-dk --model-only");
}

#[test]
fn a_pico_gets_the_records_of_update_in_the_same_file() {
    let desk = Desk::new();
    desk.succeed("moons.flow --board pico --model-only --example update -o moons.uf2");
    let file = desk.0.read("moons.uf2");
    let blocks: Vec<&[u8]> = file.chunks(512).collect();
    let (models, records) = blocks.split_at(blocks.len() - 16);
    let address = |block: &[u8]| u32::from_le_bytes(block[12..16].try_into().unwrap());
    assert_eq!(address(models[0]), 0x1004_0000);
    assert!(models.len() >= MOONS.len().div_ceil(256));
    for (block, i) in records.iter().zip(0..) {
        assert_eq!(address(block), 0x101F_E000 + 256 * i);
        assert_eq!(block[32..][..256], [0xFF; 256]);
    }
}
