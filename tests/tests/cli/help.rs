//! `--help`.

use super::*;

const COMMANDS: [&str; 18] = [
    "",
    "train",
    "sample",
    "score",
    "calibrate",
    "evaluate",
    "compare",
    "inspect",
    "import",
    "quantize",
    "run",
    "verify",
    "update",
    "flash",
    "monitor",
    "boards",
    "completions",
    "man",
];

/// The lines of shell after the word "Example", each without `flowlet` and without the remark or the
/// redirection that may follow it.
fn examples(help: &str) -> Vec<String> {
    let after = help.split_once("\nExample").map_or("", |(_, after)| after);
    let lines = after
        .lines()
        .filter_map(|line| line.trim().strip_prefix("flowlet "));
    lines
        .map(|line| line.split("  ").next().unwrap())
        .map(|line| line.split(" > ").next().unwrap().into())
        .collect()
}

#[test]
fn every_command_has_examples_that_parse() {
    let folder = Folder::new();
    for command in COMMANDS {
        let examples = examples(&folder.succeed(&format!("{command} --help")));
        assert!(!examples.is_empty(), "{command}");
        for example in examples {
            assert!(example.starts_with(command), "{example}");
            // All before --help is parsed, nothing is run.
            folder.succeed(&format!("{example} --help"));
        }
    }
}

#[test]
fn every_option_and_command_is_explained() {
    let folder = Folder::new();
    for command in COMMANDS {
        let help = folder.succeed(&format!("{command} -h"));
        for line in help
            .lines()
            .filter(|line| line.trim_start().starts_with("--"))
        {
            let words = line.split_whitespace().filter(|word| word.len() > 2);
            assert!(words.count() > 2, "flowlet {command}: {line}");
        }
    }
}

#[test]
fn without_arguments_help_is_shown_and_the_exit_code_tells() {
    let output = Folder::new().command("").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let help = String::from_utf8(output.stderr).unwrap();
    assert_tells(&help, &["Usage: flowlet", "train", "Example"]);
}
