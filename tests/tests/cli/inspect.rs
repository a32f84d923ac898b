//! `flowlet inspect`, and what every command says of a file that is no model.

use super::*;
use serde_json::json;

/// Where a model file has its version.
const VERSION: usize = 7;

#[test]
fn inspect_tells_what_a_real_nvp_holds() {
    let folder = folder_with_moons();
    let facts = folder.json("inspect moons.flow");
    let expected = json!({
        "name": "moons",
        "kind": "real-nvp",
        "dim": 2,
        "context_dim": 0,
        "labels": ["x", "y"],
        "hidden": [8],
        "activation": "tanh",
        "net_count": 2,
        // Two nets 1-8-2: 1·8 + 8·2 weights and 8 + 2 biases each.
        "parameters": 68,
        "mac_count": 48,
        "precision": "int8",
        "bytes": folder.read("moons.flow").len(),
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&facts[key], value, "{key}");
    }
    assert!(facts["scratch_len"].as_u64().unwrap() > 0);
    let text = folder.succeed("inspect moons.flow");
    assert_tells(
        &text,
        &["RealNVP", "2 (x, y)", "1-8-2, tanh", "int8", "bytes of RAM"],
    );
}

#[test]
fn inspect_tells_what_a_flow_matching_model_holds() {
    let folder = Folder::new();
    folder.succeed(&format!(
        "train moons {TINY_FLOW_MATCHING} --steps-default 25"
    ));
    let facts = folder.json("inspect moons.flow");
    assert_eq!(facts["kind"], "flow-matching");
    assert_eq!(facts["step_count"], 25);
    assert_eq!(facts["activation"], "elu");
    let text = folder.succeed("inspect moons.flow");
    assert_tells(&text, &["flow matching", "3-8-2, elu", "25 Euler steps"]);
}

#[test]
fn inspect_tells_what_a_model_takes_of_each_board() {
    let folder = folder_with_moons();
    let facts = folder.json("inspect moons.flow");
    let boards = facts["boards"].as_array().unwrap();
    let names: Vec<_> = boards.iter().map(|board| &board["board"]).collect();
    assert_eq!(
        names,
        [
            "qemu-m0",
            "qemu-m3",
            "qemu-m4",
            "qemu-m7",
            "qemu-m33",
            "qemu-rv32"
        ]
    );
    let [file, scratch] = ["bytes", "scratch_len"].map(|key| facts[key].as_u64().unwrap());
    for board in boards {
        assert!(board["flash"].as_u64().unwrap() > file, "{board}");
        assert!(board["ram"].as_u64().unwrap() > 4 * scratch, "{board}");
        assert_eq!(board["fits"], true, "{board}");
    }
    let instructions = |i: usize| boards[i]["instructions"].as_u64().unwrap();
    // Software floats on the one, hardware floats on the other.
    assert!(instructions(0) > 2 * instructions(2), "{facts}");
    let text = folder.succeed("inspect moons.flow");
    assert_tells(
        &text,
        &["instructions a sample, ±12 %", "Cortex-M4F", "RV32IMAC"],
    );
}

#[test]
fn inspect_tells_which_boards_are_too_small() {
    let folder = Folder::new();
    // Four nets of 67 KB.
    folder
        .succeed("train moons --points 500 --steps 1 --layers 4 --hidden 128,128 --precision f32");
    let facts = folder.json("inspect moons.flow");
    let fits: Vec<_> = facts["boards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|board| board["fits"].as_bool().unwrap())
        .collect();
    assert_eq!(fits, [false, true, true, true, true, true]);
    let text = folder.succeed("inspect moons.flow");
    let row = text.lines().find(|line| line.contains("qemu-m0")).unwrap();
    assert!(row.ends_with("no, too little flash"), "{row}");
}

#[test]
fn no_command_takes_a_damaged_model() {
    let folder = folder_with_moons();
    let whole = folder.read("moons.flow");
    folder.write("points.csv", "x,y\n1,2\n");
    let flipped = |index: usize, bits: u8| {
        let mut bytes = whole.clone();
        bytes[index] ^= bits;
        bytes
    };
    let longer = [whole.as_slice(), b"\n"].concat();
    for (bytes, facts) in [
        (vec![], vec!["not a flowlet model"]),
        (b"x,y\n1,2\n".to_vec(), vec!["not a flowlet model"]),
        (whole[..5].to_vec(), vec!["cut short"]),
        (whole[..whole.len() - 1].to_vec(), vec!["cut short"]),
        (longer, vec!["should end after"]),
        (flipped(whole.len() / 2, 0x10), vec!["damaged", "checksum"]),
        (flipped(VERSION, 3), vec!["version 2", "version 1"]),
    ] {
        folder.write("bad.flow", bytes);
        for line in [
            "inspect bad.flow",
            "sample bad.flow -o samples.csv",
            "score bad.flow points.csv -o scores.csv",
            "run bad.flow",
            "quantize bad.flow -o new.flow",
        ] {
            let message = folder.fail(line);
            assert_tells(&message, &["bad.flow"]);
            assert_tells(&message, &facts);
        }
    }
}

#[test]
fn model_that_is_not_there_is_named() {
    let folder = folder_with_moons();
    folder.write("points.csv", "x,y\n1,2\n");
    std::fs::create_dir(folder.path("folder")).unwrap();
    for (name, cause) in [("missing.flow", "No such file"), ("folder", "directory")] {
        for line in [
            format!("inspect {name}"),
            format!("sample {name}"),
            format!("score {name} points.csv"),
            format!("run {name}"),
            format!("import {name} -o new.flow"),
            format!("quantize {name} -o new.flow"),
        ] {
            assert_tells(&folder.fail(&line), &[name, cause]);
        }
    }
}
