//! `selftest` and `depart`: asked of the running agent, which holds the devices,
//! or done here when none runs.

use super::run::runtime;
use super::{EXIT_RUNTIME, print};
use crate::boot::visit;
use crate::config::Loaded;
use crate::desk::Desk;
use crate::door::{self, Question};
use crate::screen::Verdict;
use crate::{depart, selftest};
use serde::de::DeserializeOwned;
use std::process::ExitCode;
use std::time::Duration;

/// The trap can be left, but something should be known.
const EXIT_CARE: u8 = 3;

pub(super) fn selftest(loaded: &Loaded, json: bool) -> anyhow::Result<ExitCode> {
    let own = async |desk: &Desk| selftest::selftest(desk).await;
    let report: selftest::Report = report(loaded, Question::Selftest {}, own)?;
    print::report(&report, json)?;
    Ok(if report.passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_RUNTIME)
    })
}

pub(super) fn depart(loaded: &Loaded, json: bool) -> anyhow::Result<ExitCode> {
    let own = async |desk: &Desk| depart::depart(desk).await;
    let report: depart::Report = report(loaded, Question::Depart {}, own)?;
    print::report(&report, json)?;
    Ok(match report.verdict {
        Verdict::Ready => ExitCode::SUCCESS,
        Verdict::Care => ExitCode::from(EXIT_CARE),
        Verdict::NotReady => ExitCode::from(EXIT_RUNTIME),
    })
}

fn report<T: DeserializeOwned>(
    loaded: &Loaded,
    question: Question,
    own: impl AsyncFnOnce(&Desk) -> T,
) -> anyhow::Result<T> {
    let runtime = runtime()?;
    let report = runtime.block_on(async {
        match door::ask(&loaded.config.ledger.dir, question).await? {
            Some(report) => {
                eprintln!("The running agent checks itself.");
                Ok(report)
            }
            None => visit::visit(loaded, own).await,
        }
    });
    // A thread that hangs in a driver must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    report
}
