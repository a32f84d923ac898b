//! `flowlet train`, broken off.

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::*;

/// Long enough for some checkpoints.
const SHORT: &str = "train moons --points 2000 --layers 2 --hidden 16 --steps 4000";

/// Far longer than any checkpoint takes, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Starts a training that writes the file `checkpoint`, and waits for that to change.
fn started(folder: &Folder, line: &str) -> Child {
    started_until(
        folder,
        &format!("{line} --checkpoint checkpoint"),
        "checkpoint",
    )
}

/// Starts a command, and waits for a file to change.
fn started_until(folder: &Folder, line: &str, file: &str) -> Child {
    let path = folder.path(file);
    let before = std::fs::read(&path).ok();
    let mut command = folder.command(line);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let start = Instant::now();
    while std::fs::read(&path).ok() == before {
        assert!(start.elapsed() < LIMIT, "no {file}: {line}");
        sleep(Duration::from_millis(5));
    }
    child
}

/// Presses Ctrl-C, and gives what a command that heeds it has written.
#[cfg(unix)]
fn interrupted(child: Child) -> (Vec<u8>, String) {
    let interrupt = format!("kill -INT {}", child.id());
    let sent = std::process::Command::new("sh")
        .args(["-c", &interrupt])
        .status();
    assert!(sent.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    (output.stdout, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn killed_and_resumed_it_ends_as_if_unbroken() {
    let folder = Folder::new();
    folder.succeed(&format!("{SHORT} -o unbroken.flow"));
    let mut line = SHORT.to_owned();
    for _ in 0..3 {
        let mut child = started(&folder, &line);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            !folder.path("moons.flow").exists(),
            "too short to be killed"
        );
        line = format!("{SHORT} --resume checkpoint");
    }
    folder.succeed(&line);
    assert!(folder.read("moons.flow") == folder.read("unbroken.flow"));
}

#[test]
#[cfg(unix)]
fn interrupted_it_keeps_the_best_weights() {
    let folder = Folder::new();
    let child = started(&folder, "train moons --points 500 --steps 9999999 --json");
    let (printed, said) = interrupted(child);
    assert_tells(&said, &["stopped at step", "of 9,999,999", "are kept"]);
    let report: serde_json::Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(report["end"], "stopped");
    assert!(report["best_step"].as_u64() <= report["steps"].as_u64());
    folder.succeed("inspect moons.flow");
}

/// A pipe that nobody reads holds the command where the model is made and not yet written.
#[test]
#[cfg(unix)]
fn interrupted_after_the_last_step_it_keeps_the_model() {
    /// From the last checkpoint to the pipe: rounding the nets.
    const ROUNDING: Duration = Duration::from_millis(500);
    let folder = Folder::new();
    let pipe = folder.path("pipe.flow");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let read = || {
        let (pipe, (sender, receiver)) = (pipe.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || sender.send(std::fs::read(pipe).unwrap()));
        receiver
    };
    // Opened at first to see whether it can be.
    let opened = read();
    let child = started(&folder, &format!("train moons {TINY} -o pipe.flow"));
    assert!(opened.recv_timeout(LIMIT).unwrap().is_empty());
    sleep(ROUNDING);
    let interrupt = format!("kill -INT {}", child.id());
    let sent = std::process::Command::new("sh")
        .args(["-c", &interrupt])
        .status();
    assert!(sent.unwrap().success());
    sleep(ROUNDING);
    let model = read().recv_timeout(LIMIT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_tells(&String::from_utf8(output.stderr).unwrap(), &["stopped"]);
    folder.write("read.flow", &model);
    folder.succeed("inspect read.flow");
}

#[test]
#[cfg(unix)]
fn an_interrupted_comparison_keeps_the_models_it_has() {
    let folder = Folder::new();
    let line = "compare --points 200 --steps 600 -o side";
    let child = started_until(&folder, line, "side/moons-real-nvp.flow");
    let (_, said) = interrupted(child);
    assert_tells(&said, &["trained so far are in side", "without a page"]);
    folder.succeed("inspect side/moons-real-nvp.flow");
    assert!(!folder.path("side/index.html").exists());
}

#[test]
fn checkpoints_that_do_not_fit_are_refused() {
    let folder = Folder::new();
    folder.succeed(&format!("train moons {TINY} --checkpoint checkpoint"));
    let resume = format!("train moons {TINY} --resume checkpoint");
    let message = folder.fail(&format!("{resume} --seed 1"));
    assert_tells(&message, &["checkpoint", "seed 0, not 1"]);
    let message = folder.fail(&resume.replace("500", "501"));
    assert_tells(&message, &["checkpoint", "other data"]);
    let mut bytes = folder.read("checkpoint");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.write("checkpoint", &bytes);
    assert_tells(&folder.fail(&resume), &["checkpoint", "damaged"]);
    folder.write("checkpoint", "");
    assert_tells(&folder.fail(&resume), &["checkpoint", "no checkpoint"]);
    let message = folder.fail(&format!("train moons {TINY} --resume missing"));
    assert_tells(&message, &["cannot read", "missing"]);
}
