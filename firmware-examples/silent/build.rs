//! Links for a microcontroller.

fn main() {
    embed::link();
}
