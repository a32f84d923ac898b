//! What the runtime promises, tested from outside: golden values, properties, the format, the command
//! line, and equal bits on emulated boards.
//!
//! Here is what those tests hold the runtime against: golden values, flows of many shapes, the
//! formulas in `f64`, files written byte by byte, the statistics of a normal distribution; the
//! command line, run as a person runs it; and what programs of boards take, counted and read.

pub mod build;
pub mod c_program;
pub mod command;
pub mod counter;
pub mod digest;
pub mod elf;
pub mod encoding;
pub mod faulty_link;
pub mod firmware_size;
pub mod golden;
pub mod jacobian;
pub mod normal_distribution;
pub mod random_flow;
pub mod random_int8;
pub mod random_layer;
pub mod reference;
pub mod silicon;
pub mod tiny;
pub mod tolerance;
pub mod update_board;
pub mod workload;
