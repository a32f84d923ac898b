//! The command `flowlet`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
