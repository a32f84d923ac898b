//! The runtime cannot panic: firmware that loads, samples and scores links no panic.

use flowlet_tests::elf::Elf;
use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::Build;

#[test]
fn firmware_of_the_runtime_alone_links_no_panic() {
    let profiles = ["release", "small"];
    for (board, profile) in Board::QEMU
        .into_iter()
        .flat_map(|board| profiles.map(|profile| (board, profile)))
    {
        let build = Build::new(board, "silent");
        let program = Build { profile, ..build }.run().unwrap();
        let names = Elf::read(&program.path()).names();
        assert!(
            names.iter().any(|name| name == "main"),
            "{board}, {profile}: the symbols are stripped"
        );
        let panics: Vec<_> = names.iter().filter(|name| name.contains("panic")).collect();
        assert!(panics.is_empty(), "{board}, {profile}: {panics:?}");
    }
}
