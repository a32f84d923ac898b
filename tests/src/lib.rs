//! What the runtime promises, tested from outside: golden values, properties, the format, the command
//! line, and equal bits on emulated boards.

pub mod command;
