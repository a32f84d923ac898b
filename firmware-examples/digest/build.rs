//! Takes in the model file and links for a microcontroller.

fn main() {
    embed::link();
    embed::model();
}
