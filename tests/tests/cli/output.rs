//! Places where nothing can be written.

use super::*;
use safetensors::Safetensors;

/// A folder with all that commands read.
fn folder() -> Folder {
    let folder = folder_with_moons();
    folder.write("points.csv", "x,y\n1,2\n");
    folder.write("flow.safetensors", Safetensors::real_nvp().bytes());
    std::fs::create_dir(folder.path("folder")).unwrap();
    folder
}

/// Commands that end in the name of a file that they write.
fn writers() -> [String; 5] {
    [
        format!("train gaussians {TINY} -o"),
        format!("train gaussians {TINY} -o new.flow --plot"),
        "sample moons.flow -o".into(),
        "score moons.flow points.csv -o".into(),
        "import flow.safetensors -o".into(),
    ]
}

#[test]
fn place_that_cannot_be_written_is_named() {
    let folder = folder();
    for command in writers() {
        for (path, cause) in [
            ("missing/file", "No such file or directory"),
            ("points.csv/file", "Not a directory"),
            ("folder", "directory"),
        ] {
            let message = folder.fail(&format!("{command} {path}"));
            assert_tells(&message, &["cannot write", path, cause]);
        }
    }
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let folder = folder();
    folder.write("flow.csv", csv("a,b", &[vec![1.0, 2.0], vec![3.0, 4.0]]));
    for (line, file) in [
        ("train points.csv -o points.csv", "points.csv"),
        ("train points.csv -o ./folder/../points.csv", "points.csv"),
        ("train points.csv --plot points.csv", "points.csv"),
        ("train moons -o one --plot one", "one"),
        ("sample moons.flow -o moons.flow", "moons.flow"),
        (
            "sample moons.flow --latents flow.csv -o flow.csv",
            "flow.csv",
        ),
        ("score moons.flow points.csv -o moons.flow", "moons.flow"),
        ("score moons.flow points.csv -o points.csv", "points.csv"),
        (
            "import flow.safetensors -o flow.safetensors",
            "flow.safetensors",
        ),
        ("run moons.flow -o moons.flow", "moons.flow"),
        ("run moons.flow --plot moons.flow", "moons.flow"),
    ] {
        assert_tells(&folder.fail(line), &[file, "written over", "another name"]);
    }
}

#[test]
fn older_output_is_replaced() {
    let folder = folder();
    for command in writers() {
        folder.write("old", "old");
        folder.succeed(&format!("{command} old"));
        assert_ne!(folder.read("old"), b"old", "{command}");
    }
}
