//! The runtime cannot panic: firmware that loads, samples and scores links no panic.

use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::build_with;
use object::{Object, ObjectSymbol};

#[test]
fn firmware_of_the_runtime_alone_links_no_panic() {
    let profiles = ["release", "small"];
    for (board, profile) in Board::ALL
        .into_iter()
        .flat_map(|board| profiles.map(|profile| (board, profile)))
    {
        let program = build_with(board, "silent", None, profile).unwrap();
        let bytes = std::fs::read(program.path()).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        let names: Vec<&str> = elf
            .symbols()
            .filter_map(|symbol| symbol.name().ok())
            .collect();
        assert!(
            names.contains(&"main"),
            "{board}, {profile}: the symbols are stripped"
        );
        let panics: Vec<_> = names.iter().filter(|name| name.contains("panic")).collect();
        assert!(panics.is_empty(), "{board}, {profile}: {panics:?}");
    }
}
