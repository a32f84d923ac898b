//! `flowlet update`.

use flowlet::Precision;
use flowlet_tests::random_flow::{Shape, random_flow};
use flowlet_trainer::export::export;
use flowlet_trainer::flow::{Activation, FlowKind};

use super::*;

#[cfg(target_os = "linux")]
mod serial;

pub(super) fn f32_model(hidden: &[usize]) -> Vec<u8> {
    let shape = Shape {
        whitened: false,
        dim: 2,
        context_dim: 0,
        kind: FlowKind::RealNvp { scale_clip: 2.0 },
        net_count: 2,
        hidden,
        activation: Activation::Tanh,
    };
    let file = export(&random_flow(shape, 0), Precision::F32);
    file.unwrap().bytes().to_vec()
}

/// A tiny RealNVP, `moons.flow`, and a tiny flow-matching model, `field.flow`.
fn folder_with_both() -> Folder {
    let folder = folder_with_moons();
    folder.write("field.flow", folder_with_flow_matching().read("moons.flow"));
    folder
}

#[test]
fn a_running_board_gets_another_model_and_samples_that() {
    let folder = folder_with_both();
    for board in ["qemu-m0", "qemu-rv32"] {
        let line = format!("update field.flow --old moons.flow --board {board} -n 3 --seed 4");
        let facts = folder.json(&line);
        let len = folder.read("field.flow").len();
        assert_eq!((&facts["n"], &facts["bytes"]), (&3.into(), &len.into()));
        // A frame for every 256 bytes, one before and one after.
        assert!(facts["frames"].as_u64().unwrap() >= len.div_ceil(256) as u64 + 2);
    }
    let text = folder.succeed("update moons.flow --old field.flow");
    assert_tells(
        &text,
        &[
            "Cortex-M4F",
            "before",
            "8 samples, bit for bit",
            "frames",
            "after",
        ],
    );
}

#[test]
fn what_cannot_be_sent_is_told_before_anything_runs() {
    let folder = folder_with_both();
    folder.write("table.flow", "x,y\n1,2\n");
    let message = folder.fail("update table.flow --old moons.flow");
    assert_tells(&message, &["table.flow", "not a flowlet model file"]);
    let message = folder.fail("update moons.flow --old table.flow");
    assert_tells(&message, &["table.flow", "not a flowlet model file"]);
    let message = folder.fail("update moons.flow --old field.flow --steps 3");
    assert_tells(&message, &["leave out --steps"]);
    let message = folder.fail("update moons.flow --old field.flow --firmware none.elf");
    assert_tells(&message, &["no firmware at none.elf"]);
}

#[test]
fn a_model_that_the_board_has_no_slot_or_no_memory_for_is_told() {
    let folder = folder_with_moons();
    folder.write("wide.flow", f32_model(&[128]));
    let message = folder.fail("update wide.flow --old moons.flow --board qemu-m4");
    assert_tells(
        &message,
        &["refuses the model", "has not the memory", "narrower nets"],
    );
    folder.write("large.flow", f32_model(&[256, 256]));
    let message = folder.fail("update large.flow --old moons.flow --board qemu-m0");
    assert_tells(
        &message,
        &["bytes too many for a slot of qemu-m0", "86016 bytes"],
    );
}
