//! `flowlet completions` and `flowlet man`.

use std::process::{Command, Stdio};

use super::*;

const COMMANDS: [&str; 13] = [
    "train",
    "sample",
    "score",
    "inspect",
    "import",
    "quantize",
    "run",
    "verify",
    "flash",
    "monitor",
    "boards",
    "completions",
    "man",
];

/// What a program of the system says of a file, if there is such a program.
fn said(folder: &Folder, line: &str) -> Option<String> {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next()?);
    command
        .args(words)
        .current_dir(folder.path("."))
        .stdin(Stdio::null());
    let output = command.output().ok()?;
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{line}: {complaints}");
    assert_eq!(complaints, "", "{line}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn completions_know_every_command_and_its_options() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.succeed(&format!("completions {shell}"));
        assert_tells(&script, &COMMANDS);
        assert_tells(&script, &["drop-missing", "latents", "board", "model-only"]);
        folder.write(shell, script);
    }
    for shell in ["bash", "zsh", "fish"] {
        said(&folder, &format!("{shell} -n {shell}"));
    }
}

/// The completion itself, in the shell that most have.
#[test]
fn bash_completes_commands_and_options() {
    let folder = Folder::new();
    folder.write("flowlet.bash", folder.succeed("completions bash"));
    let script = "source ./flowlet.bash
        complete_line() { COMP_WORDS=($1 \"$2\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _flowlet flowlet \"$2\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; echo \"${COMPREPLY[*]}\"; }
        complete_line flowlet qua
        complete_line 'flowlet train' --drop
        complete_line 'flowlet train moons --model' ''";
    folder.write("try.bash", script);
    if let Some(completed) = said(&folder, "bash try.bash") {
        assert_eq!(
            completed.lines().collect::<Vec<_>>(),
            ["quantize", "--drop-missing", "real-nvp flow-matching"]
        );
    }
}

#[test]
fn unknown_shell_brings_those_that_are_known() {
    let message = Folder::new().fail("completions dos");
    assert_tells(&message, &["'dos'", "SHELL"]);
}

#[test]
fn each_command_has_a_page() {
    let folder = Folder::new();
    assert_eq!(folder.succeed("man -o pages/man1"), "");
    let main = folder.text("pages/man1/flowlet.1");
    assert_eq!(folder.succeed("man"), main);
    for command in COMMANDS {
        let page = folder.text(&format!("pages/man1/flowlet-{command}.1"));
        assert_tells(&main, &[&format!("flowlet\\-{command}(1)")]);
        let macros = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"];
        assert_tells(
            &page,
            &macros
                .map(|name| ["\n.SH ", name].concat())
                .each_ref()
                .map(String::as_str),
        );
        let text = said(
            &folder,
            &format!("groff -man -Tutf8 -ww pages/man1/flowlet-{command}.1"),
        );
        if let Some(text) = text {
            assert_tells(&text, &[command, "Print help"]);
        }
    }
}

#[test]
fn folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    folder.write("file", "");
    let message = folder.fail("man -o file/pages");
    assert_tells(&message, &["cannot write file/pages", "Not a directory"]);
}
