//! `trapline-server`: see [`trapline_server`].

fn main() -> std::process::ExitCode {
    trapline_server::cli::run()
}
