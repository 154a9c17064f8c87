//! The command line, and the only place that prints and asks.

#![expect(clippy::print_stderr, reason = "this is the command line")]

use crate::disks::{self, Disk, Disks};
use crate::image::Image;
use crate::job::{Job, Made, is_still};
use crate::progress::Progress;
use crate::series::Series;
use crate::target::{OpenDisk, Target};
use crate::traps::{self, Trap};
use crate::{durable, label};
use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes the cards of traps: the image, proved by reading it back, then the settings
/// of each trap, and a label to stick on it.
#[derive(Debug, Parser)]
#[command(
    name = "trapline-flash",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
#[command(after_help = "\
Examples:
  trapline-flash disks                                        which disks there are
  sudo trapline-flash trapline.img.xz --disk /dev/sdb         a card, with the settings as they come
  sudo trapline-flash trapline.img.xz --disk /dev/sdb --csv traps.csv --labels labels.html
                                                              a card for each line of a table
  trapline-flash trapline.img.xz --file trap.img --config trapline.toml

The first line of the table names its columns: name, latitude, longitude, country, time_zone,
server, token, wifi, wifi_password, hotspot_password, ssh_key; only the name is needed.
A series that was broken off goes on where it stood: traps.csv.done.json remembers.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flash: FlashArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the disks of this computer, and which of them may be written
    Disks {
        /// As JSON, one array, for programs
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct FlashArgs {
    /// The image, .img or .img.xz; IMAGE.sha256 beside it is believed
    image: Option<PathBuf>,
    /// The card's disk, as `trapline-flash disks` calls it
    #[arg(long, conflicts_with = "file")]
    disk: Option<PathBuf>,
    /// Write a file instead of a disk; with a table, a folder with a file for each trap
    #[arg(long)]
    file: Option<PathBuf>,
    /// A table with a line for each trap
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// A trapline.toml for the cards; without it the image's own is the template
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where labels go, as a page to print
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Write this trap's card once more, though it is done
    #[arg(long, value_name = "NAME")]
    again: Vec<String>,
    /// Do not ask whether the disk may be written
    #[arg(long)]
    yes: bool,
    /// At the end, what was made, as one JSON object for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    cards: Vec<Made>,
    /// Cards that are not made yet.
    left: usize,
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let disks = disks::of_this_machine();
    let done = match cli.command {
        Some(Command::Disks { json }) => list(&*disks, json),
        None => flash(&cli.flash, &*disks),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("trapline-flash: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn list(disks: &dyn Disks, json: bool) -> Result<ExitCode> {
    let all = disks.list()?;
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for disk in &all {
        let may = disk
            .refusal()
            .map_or_else(|| "can be written".to_owned(), |why| format!("no: {why}"));
        text.push_str(&format!("{disk}\n    {may}\n"));
    }
    if all.iter().all(|disk| disk.refusal().is_some()) {
        text.push_str("There is no card here that could be written. Put one into the reader.\n");
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn flash(args: &FlashArgs, disks: &dyn Disks) -> Result<ExitCode> {
    let path = args
        .image
        .as_deref()
        .context("which image? See `trapline-flash --help`")?;
    let traps = match &args.csv {
        Some(csv) => read_table(csv)?,
        None => Vec::new(),
    };
    let template = args.config.as_deref().map(read_template).transpose()?;
    if args.disk.is_none() && args.file.is_none() {
        bail!("where to? Name the card with --disk; `trapline-flash disks` lists what there is");
    }
    if let Some(disk) = &args.disk {
        allowed(disks, disk)?;
    }
    eprintln!("Reading {} …", path.display());
    let image = Image::open(path)?;
    let mut run = Run {
        args,
        disks,
        image,
        template,
        before: None,
        report: Report::default(),
    };
    if args.csv.is_some() {
        run.series(&traps)?;
    } else {
        run.one()?;
    }
    if args.json {
        say(&format!("{}\n", serde_json::to_string_pretty(&run.report)?))?;
    }
    Ok(if run.report.left == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Run<'a> {
    args: &'a FlashArgs,
    disks: &'a dyn Disks,
    image: Image,
    template: Option<String>,
    before: Option<Made>,
    report: Report,
}

impl Run<'_> {
    fn one(&mut self) -> Result<()> {
        let mut target: Box<dyn Target> = match (&self.args.disk, &self.args.file) {
            (Some(disk), _) => self.open(disk, true)?,
            (None, Some(file)) => Box::new(new_file(file)?),
            (None, None) => bail!("where to?"),
        };
        let made = self.make(&mut *target, None)?;
        if let Some(file) = &self.args.labels {
            let labels: Vec<label::Label> = made.label.iter().cloned().collect();
            ensure!(
                !labels.is_empty(),
                "there is no label without a name: write one into --config, or use --csv"
            );
            write_labels(file, &labels)?;
        }
        self.report.cards.push(made);
        eprintln!("The card is right. Take it out.");
        Ok(())
    }

    fn series(&mut self, traps: &[Trap]) -> Result<()> {
        let csv = self.args.csv.as_deref().context("no table")?;
        let mut series = Series::of_list(csv)?;
        for name in &self.args.again {
            ensure!(
                traps.iter().any(|trap| trap.name == *name),
                "there is no trap {name:?} in the table"
            );
            series.forget(name);
        }
        let open: Vec<(usize, &Trap)> = traps
            .iter()
            .enumerate()
            .filter(|(_, trap)| !series.is_done(trap))
            .collect();
        let (all, done) = (traps.len(), traps.len() - open.len());
        if done > 0 {
            eprintln!("{done} of {all} cards are done already.");
        }
        for (count, (index, trap)) in open.iter().enumerate() {
            eprintln!("Card {} of {all}: {}", index + 1, trap.name);
            let Some(mut target) = self.next_target(trap, count == 0)? else {
                self.report.left = open.len() - count;
                eprintln!(
                    "Stopped. {} cards are left; the same command goes on there.",
                    self.report.left
                );
                break;
            };
            let made = self.make(&mut *target, Some(trap))?;
            series.note(trap, &made.sha256, made.label.clone())?;
            if let Some(file) = &self.args.labels {
                write_labels(file, &series.labels(traps))?;
            }
            self.before = Some(made.clone());
            self.report.cards.push(made);
            eprintln!("The card of {} is right.", trap.name);
        }
        if let Some(file) = &self.args.labels {
            write_labels(file, &series.labels(traps))?;
            eprintln!("Labels: {}", file.display());
        }
        Ok(())
    }

    /// Where the next card goes; `None` when nobody puts one in.
    fn next_target(&self, trap: &Trap, is_first: bool) -> Result<Option<Box<dyn Target>>> {
        let Some(disk) = &self.args.disk else {
            let folder = self.args.file.as_deref().context("where to?")?;
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
            let name: String = trap
                .name
                .chars()
                .map(|c| if c == '/' || c == '\0' { '-' } else { c })
                .collect();
            let file = folder.join(format!("{name}.img"));
            // What a broken-off series left of this card.
            if file.exists() {
                std::fs::remove_file(&file)
                    .with_context(|| format!("cannot replace {}", file.display()))?;
            }
            return Ok(Some(Box::new(new_file(&file)?)));
        };
        if is_first {
            return Ok(Some(self.open(disk, true)?));
        }
        loop {
            match ask("Take the card out, put the next one in, and press Enter (q to stop): ")?
                .as_deref()
            {
                None | Some("q") => return Ok(None),
                Some(_) => {}
            }
            match self.open(disk, false) {
                Ok(mut target) => {
                    let is_same = self
                        .before
                        .as_ref()
                        .is_some_and(|before| is_still(&mut *target, before));
                    if !is_same {
                        return Ok(Some(target));
                    }
                    eprintln!("This is still the card that was just made.");
                }
                Err(error) => eprintln!("{error:#}"),
            }
        }
    }

    fn open(&self, path: &Path, asks: bool) -> Result<Box<dyn Target>> {
        let disk = allowed(self.disks, path)?;
        if asks && !self.args.yes {
            let short = disk
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            eprintln!("Everything on this disk will be lost:\n    {disk}");
            let answer = ask(&format!("To write over it, type its name ({short}): "))?;
            ensure!(
                answer.as_deref() == Some(short.as_str()),
                "nothing was written"
            );
        }
        self.disks.unmount(&disk)?;
        self.disks.open(&disk)
    }

    fn make(&self, target: &mut dyn Target, trap: Option<&Trap>) -> Result<Made> {
        let job = Job {
            image: self.image.clone(),
            template: self.template.clone(),
            trap: trap.cloned(),
        };
        let is_terminal = io::stderr().is_terminal();
        let mut progress = Progress::new(is_terminal, |text| {
            eprint!("{text}");
        });
        job.make(target, &mut progress)
    }
}

fn allowed(disks: &dyn Disks, path: &Path) -> Result<Disk> {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let found = disks.list()?.into_iter().find(|disk| disk.path == real);
    let disk = found.with_context(|| {
        format!(
            "{} is no whole disk of this computer; `trapline-flash disks` lists them",
            path.display()
        )
    })?;
    match disk.refusal() {
        Some(why) => bail!("{why}"),
        None => Ok(disk),
    }
}

fn new_file(path: &Path) -> Result<OpenDisk> {
    OpenDisk::file(path).with_context(|| format!("cannot make {}", path.display()))
}

fn read_table(path: &Path) -> Result<Vec<Trap>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    traps::read(path, &bytes).map_err(|problems| {
        let problems = problems.join("\n  ");
        anyhow::anyhow!("the table is wrong, and nothing was written:\n  {problems}")
    })
}

fn read_template(path: &Path) -> Result<String> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    crate::card_file::fill(&text, &Trap::default())
        .with_context(|| format!("{}; `trapline-agent card check` says more", path.display()))?;
    Ok(text)
}

fn write_labels(file: &Path, labels: &[label::Label]) -> Result<()> {
    let sheet = label::sheet(labels)?;
    durable::write(file, sheet.as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))
}

/// A line of the person at the keyboard; `None` when there is nobody.
fn ask(question: &str) -> Result<Option<String>> {
    eprint!("{question}");
    let mut line = String::new();
    let read = io::stdin()
        .read_line(&mut line)
        .context("cannot read the answer")?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

fn say(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print")
        }
        _ => Ok(()),
    }
}
