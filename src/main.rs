//! The `ikiz` command: everything is in the library, this only passes the exit code on.

fn main() -> std::process::ExitCode {
    ikiz::cli::main()
}
