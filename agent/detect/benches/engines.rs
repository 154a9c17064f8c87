//! One inference engine as a program, for `cargo xtask bench detect`, which lets several take turns.
//!
//! ```text
//! engines list                                    the instruction sets of our kernels that run here, one a line
//! engines serve ENGINE MODEL.onnx TILES           obeys lines on its input, see `serve`
//! engines count ENGINE MODEL.onnx TILES TIMES     runs the first tile so often; prints a hash of the answers
//! ```
//!
//! ENGINE is `library`, or the name of one of our instruction sets. TILES is a file of whole tiles, planes of bytes.
#![expect(
    clippy::disallowed_methods,
    reason = "a bench takes real time and keeps nothing"
)]

use std::hint::black_box;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use trapline_detect::measure::{Bare, Engine};
use trapline_qconv::Path;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["list"] => list(),
        ["serve", engine, model, tiles] => Loaded::new(engine, model, tiles).and_then(serve),
        ["count", engine, model, tiles, times] => {
            Loaded::new(engine, model, tiles).and_then(|loaded| count(&loaded, times))
        }
        // `cargo bench` and `cargo test --benches` come with words of their own: nothing to do.
        _ => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

struct Loaded {
    network: Bare,
    tiles: Vec<Vec<u8>>,
    /// Resident before the model was read.
    before_kib: u64,
}

impl Loaded {
    fn new(engine: &str, model: &str, tiles: &str) -> Result<Self, Error> {
        let model = std::fs::read(model)?;
        let bytes = std::fs::read(tiles)?;
        let before_kib = status("VmRSS:")?;
        let engine = match engine {
            "library" => Engine::Library,
            name => {
                let paths = Path::available();
                let path = paths.into_iter().find(|path| path.name() == name);
                Engine::Ours(path.ok_or_else(|| format!("this processor has no {name}"))?)
            }
        };
        let network = Bare::load(&model, engine)?;
        let tiles = bytes.chunks_exact(network.input_bytes());
        Ok(Self {
            tiles: tiles.map(<[u8]>::to_vec).collect(),
            network,
            before_kib,
        })
    }
}

fn list() -> Result<(), Error> {
    let mut out = std::io::stdout();
    for path in Path::available() {
        writeln!(out, "{path}")?;
    }
    Ok(())
}

/// `round`: milliseconds of each tile. `answers FILE`: all numbers, heat before distance, tile by tile, as f32.
/// `memory`: KiB resident at the worst moment above what was resident before the model was read.
fn serve(loaded: Loaded) -> Result<(), Error> {
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("round", _) => {
                let mut took_ms = Vec::new();
                for tile in &loaded.tiles {
                    let start = Instant::now();
                    black_box(loaded.network.run(black_box(tile))?);
                    took_ms.push(format!("{:.4}", start.elapsed().as_secs_f64() * 1e3));
                }
                writeln!(out, "{}", took_ms.join(" "))?;
            }
            ("answers", file) => {
                let mut bytes = Vec::new();
                for tile in &loaded.tiles {
                    let answers = loaded.network.run(tile)?;
                    bytes.extend(answers.iter().flatten().flat_map(|n| n.to_le_bytes()));
                }
                std::fs::write(file, bytes)?;
                writeln!(out, "done")?;
            }
            ("memory", _) => writeln!(out, "{}", status("VmHWM:")? - loaded.before_kib)?,
            _ => return Err(format!("no such word: {line}").into()),
        }
    }
    Ok(())
}

fn count(loaded: &Loaded, times: &str) -> Result<(), Error> {
    let tile = loaded.tiles.first().ok_or("no tile")?;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for _ in 0..times.parse()? {
        hash = 0xcbf2_9ce4_8422_2325;
        for number in black_box(loaded.network.run(black_box(tile))?)
            .iter()
            .flatten()
        {
            for byte in number.to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    writeln!(std::io::stdout(), "{hash:016x}")?;
    Ok(())
}

/// A line of the kernel's word about this program, in KiB.
fn status(key: &str) -> Result<u64, Error> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no memory figures here")?.parse()?)
}
