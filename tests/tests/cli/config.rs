//! `flowlet train --config`.

use super::*;

/// A table with a category, of two dimensions and a bit of noise.
fn folder_with_table() -> Folder {
    let folder = Folder::new();
    let rows = (0..60).map(|i| {
        let kind = ["walk", "run", "sit"][i % 3];
        format!("{i},{},{},{kind}\n", i * i, (i * 7) % 10)
    });
    folder.write(
        "imu.csv",
        "a,b,c,kind\n".to_owned() + &rows.collect::<String>(),
    );
    folder
}

#[test]
fn the_file_beside_a_model_makes_it_again() {
    let folder = folder_with_table();
    for (data, options) in [
        ("moons", TINY),
        // A seed beyond what TOML has integers for.
        (
            "imu.csv",
            "--columns a,b --steps 9 --hidden 4,4 --layers 1 --seed 18446744073709551615",
        ),
        (
            "imu.csv",
            "--columns a,b --model flow-matching --steps 50 --hidden 8 --steps-default 7 \
             --learning-rate 1e-3 --patience 9",
        ),
        (
            "imu.csv",
            "--steps 20 --layers 3 --hidden 4 --columns c,a..b --where kind=run --precision f32",
        ),
        ("imu.csv", "--steps 20 --hidden 4 --context kind"),
    ] {
        folder.succeed(&format!("train {data} {options} -o made.flow"));
        let (model, config) = (folder.read("made.flow"), folder.text("made.toml"));
        folder.write("made.flow", "");
        folder.succeed("train --config made.toml");
        assert!(
            folder.read("made.flow") == model,
            "{data} {options}\n{config}"
        );
        assert_eq!(folder.text("made.toml"), config);
        // Nothing is left to defaults, which may change.
        let keys = [
            "steps = ",
            "hidden = ",
            "learning-rate = 0.00",
            "batch = 256",
            "output = ",
        ];
        assert_tells(&config, &keys);
    }
}

#[test]
fn flags_win() {
    let folder = folder_with_table();
    let flags = "--columns a,b --hidden 8 --seed 8";
    folder.succeed(&format!(
        "train imu.csv {flags} --steps 20 --layers 2 -o direct.flow"
    ));
    let text = "data = 'moons'\ncolumns = 'a..c'\nsteps = 20 # few\nlayers = 2\nhidden = [3, 3]\n";
    folder.write("my.toml", text);
    folder.succeed(&format!(
        "train imu.csv --config my.toml {flags} -o both.flow"
    ));
    assert!(folder.read("direct.flow") == folder.read("both.flow"));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let folder = Folder::new();
    for (text, facts) in [
        ("data = 'moons'\nstep = 3", ["line 2", "step:", "steps"]),
        (
            "\n\n\nlearning_rate = 1e-3",
            ["line 4", "learning_rate:", "learning-rate"],
        ),
        ("steps = 0", ["line 1", "'0'", "1..="]),
        (
            "seed = 1\nhidden = [8,\n300]",
            ["line 2", "'300'", "1..=256"],
        ),
        ("seed = 1\nmodel = 'glow'", ["line 2", "'glow'", "real-nvp"]),
        ("seed = 1\nseed = 2", ["line 2", "my.toml", "duplicate"]),
        ("steps = true", ["line 1", "steps is a number", "boolean"]),
        (
            "hidden = [{ a = 1 }]",
            ["line 1", "hidden is a number", "table"],
        ),
        ("data = ['moons']", ["line 1", "data is a", "array"]),
        ("resume = 'x'", ["line 1", "resume", "command line only"]),
        ("steps = ", ["line 1", "my.toml", ""]),
        ("steps = 20", ["my.toml", "no data", "command line"]),
    ] {
        folder.write("my.toml", text);
        assert_tells(&folder.fail("train --config my.toml"), &facts);
    }
    folder.write("my.toml", b"\x89PNG\xff");
    assert_tells(
        &folder.fail("train --config my.toml"),
        &["my.toml", "no TOML file"],
    );
    assert_tells(
        &folder.fail("train --config no.toml"),
        &["cannot read", "no.toml"],
    );
}

#[test]
fn no_file_of_options_is_lost() {
    let folder = folder_with_table();
    let train = "train imu.csv --columns a,b --steps 9 --hidden 4 --layers 1";
    folder.succeed(train);
    let message = folder.fail("train --config imu.toml --seed 1");
    assert_tells(&message, &["imu.toml", "written over", "--output"]);
    folder.write("imu.toml", "data = 'imu.csv'\n");
    assert_tells(
        &folder.fail(train),
        &["imu.toml", "written over", "--output"],
    );
}
