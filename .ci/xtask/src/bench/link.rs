//! `cargo xtask bench link`: what a bad link costs, ours beside what other people use.
//!
//! Each run goes over a link of its own ([`proxy`]) with a rate, a delay and a rhythm of cuts. Pictures
//! are random bytes. The clock runs from the start of the agent until its own books say that the server
//! has proved everything; bytes are those that entered the link towards the server.

mod ours;
mod peers;
mod proxy;

use crate::build::{self, Cast, Profile, Programs};
use crate::cli::{BenchLinkArgs, LinkColumn, WhileDown};
use crate::say;
use anyhow::Result;
use proxy::Link;
use std::path::PathBuf;
use std::time::Duration;

/// What goes over which link, and what is to be reached.
#[derive(Clone, Copy)]
struct Column {
    name: LinkColumn,
    pictures: u32,
    picture_bytes: u64,
    records: u32,
    record_bytes: u64,
    link: Link,
    /// The best of others, measured elsewhere: seconds, and bytes over payload.
    bound: (f64, f64),
}

/// One column as one program is put through it.
struct Work<'a> {
    column: &'a Column,
    folder: PathBuf,
    while_down: WhileDown,
    seed: u64,
}

/// What came of it.
struct Run {
    who: &'static str,
    seconds: f64,
    payload: u64,
    bytes_up: u64,
    bytes_down: u64,
    cuts: u64,
    cpu_s: Option<f64>,
    resident_mb: Option<f64>,
}

const AGENT_CPU_S: f64 = 0.5;
const AGENT_MB: f64 = 25.0;

fn columns(quick: bool) -> [Column; 3] {
    let share = if quick { 5 } else { 1 };
    let link = |bytes_per_s, one_way_ms, up_s, down_s| Link {
        bytes_per_s,
        one_way: Duration::from_millis(one_way_ms),
        up: Duration::from_secs(up_s),
        down: Duration::from_secs(down_s),
    };
    let none = Column {
        name: LinkColumn::A,
        pictures: 0,
        picture_bytes: 2_000_000,
        records: 0,
        record_bytes: 4_000,
        link: link(1_000_000, 30, 30, 5),
        bound: (91.9, 1.002),
    };
    [
        Column {
            pictures: 40 / share,
            ..none
        },
        Column {
            name: LinkColumn::B,
            pictures: 10 / share,
            link: link(150_000, 60, 8, 4),
            bound: (208.0, 1.009),
            ..none
        },
        Column {
            name: LinkColumn::C,
            records: 500 / share,
            link: link(150_000, 60, 20, 5),
            bound: (14.2, 1.002),
            ..none
        },
    ]
}

pub(crate) fn run(args: &BenchLinkArgs) -> Result<()> {
    if args.json {
        say::only_results();
    }
    let programs = programs(args)?;
    let folder = build::target_folder()?.join("bench-link");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut rows = Vec::new();
    for column in columns(args.quick) {
        if !args.only.is_empty() && !args.only.contains(&column.name) {
            continue;
        }
        say::step(&format!("column {:?}", column.name));
        let work = Work {
            column: &column,
            folder: folder.join(format!("{:?}", column.name)),
            while_down: args.while_down,
            seed: args.seed,
        };
        let mut tell = |run: Run| {
            if args.json {
                say::line(&run.json(&column));
            } else {
                say::line(&run.words());
            }
            rows.push((column, run));
        };
        tell(ours::run(&programs, &work)?);
        if args.alone {
            continue;
        }
        let files = peers::draw(&work)?;
        for (name, done) in [
            ("rsync", peers::rsync(&work, &files, args.install_peers)),
            (
                "tus-js-client",
                peers::tus(&programs, &work, &files, args.install_peers),
            ),
        ] {
            match done {
                Ok(Some(run)) => tell(run),
                Ok(None) => say::progress(&format!("{name}: not installed")),
                Err(error) => say::progress(&format!("{name}: {error:#}")),
            }
        }
    }
    if !args.json {
        print_table(&rows, args.quick);
    }
    Ok(())
}

fn programs(args: &BenchLinkArgs) -> Result<Programs> {
    if let Some(folder) = &args.programs {
        let at = |name: &str| folder.join(name);
        return Ok(Programs {
            agent: at("trapline-agent"),
            server: at("trapline-server"),
            sim: at("trapline-sim"),
        });
    }
    say::step("building the programs");
    if args.debug {
        return build::programs(Profile::Debug, Cast::All);
    }
    build::programs(Profile::Release, Cast::Simulated)?;
    // Last, so that agent and server are measured as they are shipped.
    build::programs(Profile::Release, Cast::Real)
}

impl Run {
    fn over(&self) -> f64 {
        ratio(self.bytes_up, self.payload)
    }

    fn words(&self) -> String {
        format!(
            "{}: {:.1} s, ×{:.4} bytes up, {} bytes down, {} cuts",
            self.who,
            self.seconds,
            self.over(),
            self.bytes_down,
            self.cuts
        )
    }

    fn json(&self, column: &Column) -> String {
        serde_json::json!({
            "column": format!("{:?}", column.name),
            "who": self.who,
            "seconds": self.seconds,
            "payload_bytes": self.payload,
            "sent_bytes": self.bytes_up,
            "sent_over_payload": self.over(),
            "answered_bytes": self.bytes_down,
            "cuts": self.cuts,
            "cpu_s": self.cpu_s,
            "resident_mb": self.resident_mb,
        })
        .to_string()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of a short run fit a float exactly"
)]
fn ratio(bytes: u64, of: u64) -> f64 {
    bytes as f64 / of.max(1) as f64
}

fn print_table(rows: &[(Column, Run)], quick: bool) {
    say::line("\n| column | who | seconds | sent ÷ payload | CPU s | resident MB | bounds |");
    say::line("|---|---|---|---|---|---|---|");
    for (column, run) in rows {
        let figure = |value: Option<f64>| value.map_or("–".to_owned(), |it| format!("{it:.2}"));
        let bounds = if quick {
            "– (a fifth)".to_owned()
        } else {
            let (seconds, over) = column.bound;
            format!("{seconds} s, ×{over}, {AGENT_CPU_S} s, {AGENT_MB} MB")
        };
        say::line(&format!(
            "| {:?} | {} | {:.1} | ×{:.4} | {} | {} | {bounds} |",
            column.name,
            run.who,
            run.seconds,
            run.over(),
            figure(run.cpu_s),
            figure(run.resident_mb),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_second_column_needs_longer_than_a_window() {
        let [a, b, c] = columns(false);
        let window_bytes = |c: &Column| u64::from(c.link.bytes_per_s) * c.link.up.as_secs();
        assert!(b.picture_bytes > window_bytes(&b));
        assert_eq!((a.pictures, b.pictures, c.records), (40, 10, 500));
        assert_eq!(
            columns(true).map(|it| it.pictures + it.records),
            [8, 2, 100]
        );
    }
}
