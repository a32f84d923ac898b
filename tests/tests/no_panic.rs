//! The runtime cannot panic: firmware that uses all of it links no panic.

use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::build;
use object::{Object, ObjectSymbol};

#[test]
fn firmware_of_the_runtime_alone_links_no_panic() {
    for board in Board::ALL {
        let program = build(board, "silent", None).unwrap();
        let bytes = std::fs::read(program.path()).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        let names: Vec<&str> = elf
            .symbols()
            .filter_map(|symbol| symbol.name().ok())
            .collect();
        assert!(names.contains(&"main"), "{board}: the symbols are stripped");
        let panics: Vec<_> = names.iter().filter(|name| name.contains("panic")).collect();
        assert!(panics.is_empty(), "{board}: {panics:?}");
    }
}
