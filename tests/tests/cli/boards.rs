//! `flowlet boards`, `flowlet verify`, and `flowlet run` beside the samples that it shows.

use flowlet_tests::command::run;
use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::build;

use super::*;

#[test]
fn boards_are_listed_with_what_they_have() {
    let folder = Folder::new();
    let boards = folder.json("boards")["boards"].as_array().unwrap().clone();
    assert_eq!(boards.len(), Board::ALL.len());
    for (facts, board) in boards.iter().zip(Board::ALL) {
        assert_eq!(facts["board"], board.name());
        if board.is_emulated() {
            assert_eq!(facts["missing"].as_array().unwrap().len(), 0, "{facts}");
        }
    }
    let text = folder.succeed("boards");
    assert_tells(
        &text,
        &[
            "qemu-m7",
            "16 KB",
            "176 KB",
            "mps2-an500",
            "nrf52840-dk",
            "silicon, by probe-rs",
            "the ring oscillator",
        ],
    );
}

#[test]
fn what_is_missing_is_told_with_what_installs_it() {
    let folder = Folder::new();
    let mut command = folder.command("boards");
    let output = run(command
        .env("PATH", folder.path(""))
        .env("RUSTC", "/bin/false"));
    let text = String::from_utf8(output.stdout).unwrap();
    for fact in [
        "missing for qemu-m0: qemu-system-arm is missing: type",
        "missing for qemu-rv32: qemu-system-riscv32 is missing: type",
        "missing for nrf52840-dk: Rust's target thumbv7em-none-eabihf is missing: type",
        "missing for stm32f4-discovery: probe-rs is missing: type `cargo install probe-rs-tools",
        "missing for pico: picotool is missing: type",
        "missing for esp32c3: espflash is missing: type `cargo install espflash",
    ] {
        assert_tells(&text, &[fact]);
    }
    assert!(!text.contains("Nothing is missing"), "{text}");
    let tools = [
        "qemu-system-arm",
        "qemu-system-riscv32",
        "rustc",
        "probe-rs",
        "espflash",
        "picotool",
    ];
    for tool in tools {
        let path = folder.path(tool);
        // A tool that does, and tells of a folder that is there.
        std::fs::write(&path, "#!/bin/sh\necho /\n").unwrap();
        let mut permissions = path.metadata().unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        std::fs::set_permissions(&path, permissions).unwrap();
    }
    let mut command = folder.command("boards");
    let output = run(command
        .env("PATH", folder.path(""))
        .env("RUSTC", folder.path("rustc")));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_tells(&text, &["Nothing is missing on this computer"]);
}

#[test]
fn a_model_is_verified_and_another_firmware_needs_no_compiler() {
    let folder = folder_with_moons();
    let program = build(Board::QemuRv32, "sampler", None).unwrap();
    let elf = program.path().display().to_string();
    for line in ["verify moons.flow -n 5", "run moons.flow -n 5"] {
        let line = format!("{line} --board qemu-rv32 --json --firmware {elf}");
        let mut command = folder.command(&line);
        let output = run(command
            .env("CARGO", "/bin/false")
            .env("RUSTC", "/bin/false"));
        let text = String::from_utf8(output.stdout).unwrap();
        let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&facts["n"], &facts["board"]),
            (&5.into(), &"qemu-rv32".into()),
            "{text}"
        );
    }
    let text = folder.succeed("verify moons.flow --board qemu-m7 -n 5");
    assert_tells(
        &text,
        &["Cortex-M7", "15, all with the bits of this computer"],
    );
    let message = folder.fail("verify moons.flow --firmware none.elf");
    assert_tells(
        &message,
        &["no firmware at none.elf", "leave out --firmware"],
    );
}

#[test]
fn two_models_are_compared_on_a_board() {
    let folder = folder_with_moons();
    folder.write("field.flow", folder_with_flow_matching().read("moons.flow"));
    let line = "run moons.flow field.flow --board qemu-m4 --example compare -n 20";
    let facts = folder.json(line);
    let models = facts["models"].as_array().unwrap();
    let [coupling, field] = &models[..] else {
        panic!("{facts}");
    };
    // A net of 1-8-2 and more are no fewer instructions than multiply-adds.
    for model in [coupling, field] {
        assert_eq!(model["unit"], "instructions");
        assert!(model["sample"].as_u64().unwrap() > 40, "{facts}");
    }
    assert!(coupling["log_prob"].as_u64().unwrap() > 40, "{facts}");
    assert!(field["log_prob"].is_null(), "{facts}");
    let text = folder.succeed(line);
    assert_tells(
        &text,
        &[
            "instructions a sample",
            "RealNVP, 2 couplings",
            "flow matching, ",
        ],
    );
}

#[test]
fn examples_take_the_models_that_they_are_for() {
    let folder = folder_with_moons();
    let message = folder.fail("run moons.flow moons.flow");
    assert_tells(&message, &["takes one model", "--example compare"]);
    let message = folder.fail("run moons.flow --example compare -o samples.csv");
    assert_tells(&message, &["leave out --output"]);
    let message = folder.fail("run moons.flow moons.flow --example compare --steps 3");
    assert_tells(&message, &["takes no steps", "leave out --steps"]);
    let message = folder.fail("run moons.flow --plot board.jpg");
    assert_tells(&message, &["board.jpg is no picture", ".png or .svg"]);
    let message = folder.fail("flash moons.flow --board pico --probe 2e8a:c --drive drive");
    assert_tells(&message, &["'--probe <PROBE>' cannot be used with"]);
    let message = folder.fail("run moons.flow --example oscillator");
    assert_tells(&message, &["'oscillator'", "--example"]);
}

#[test]
fn a_context_has_one_meaning_to_all_models_that_are_compared() {
    let folder = Folder::new();
    for (name, others) in [("one", "run"), ("other", "zigzag")] {
        let rows = (0..40).map(|i| format!("{i},{},{}\n", i * i % 7, ["walk", others][i % 2]));
        let table = format!("a,b,kind\n{}", rows.collect::<String>());
        folder.write(&format!("{name}.csv"), table);
        let options = "--context kind --steps 5 --layers 1 --hidden 4";
        folder.succeed(&format!("train {name}.csv {options} -o {name}.flow"));
    }
    let line = "run one.flow other.flow --example compare --context walk";
    let message = folder.fail(line);
    assert_tells(
        &message,
        &["other numbers to one model", "of the same context"],
    );
    folder.succeed("run one.flow one.flow --example compare --context walk -n 2");
}

#[test]
fn a_model_that_does_not_fit_is_told_by_how_much_before_anything_runs() {
    let folder = Folder::new();
    let file = include_bytes!("../../../runtime/src/moons.flow");
    folder.write("moons.flow", file);
    let count = (176 << 10) / file.len() + 1;
    let beyond = count * file.len() - (176 << 10);
    let models = ["moons.flow"].repeat(count).join(" ");
    let mut command = folder.command(&format!("run {models} --board qemu-m0 --example compare"));
    let output = run(command.env("CARGO", "/bin/false"));
    let message = String::from_utf8(output.stderr).unwrap();
    let told = format!("{beyond} bytes too many for the 180224 bytes of flash");
    assert_tells(&message, &[&told, "int8", "qemu-rv32"]);
}
