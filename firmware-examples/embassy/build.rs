//! Links for a microcontroller whose flash has a region for a model.

fn main() {
    embed::link();
    embed::model_region();
}
