//! Multilayer perceptrons: forward and backward passes.
