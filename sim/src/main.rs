//! The command `wci`.

fn main() -> std::process::ExitCode {
    wci_sim::cli::main()
}
