//! `enrol`: how the trap stands with its server, and what a person decides about it.

use super::run::runtime;
use super::words::EnrolArgs;
use super::{EXIT_RUNTIME, print};
use crate::agent::Nobody;
use crate::boot;
use crate::config::{Access, Loaded};
use crate::door::{self, Question};
use crate::enrol::kept::Kept;
use crate::enrol::{EnrolFacts, EnrolState, Order};
use anyhow::bail;
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// The facts as they are printed.
#[derive(Serialize)]
#[serde(transparent)]
struct Report(EnrolFacts);

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0)
    }
}

pub(super) fn enrol(loaded: Loaded, args: &EnrolArgs) -> anyhow::Result<ExitCode> {
    let order = match (args.anew, args.same) {
        (true, _) => Order::Anew,
        (_, true) => Order::Same,
        _ => Order::Ask,
    };
    let Some(server) = &loaded.config.server else {
        bail!("no server is set: write `server.url`, and `server.token` if there is a token");
    };
    if let Access::Key(key) = &server.access {
        bail!(
            "this trap has the key {key} in its settings and does not enrol; take `server.key` out"
        );
    }
    let (dir, url) = (loaded.config.ledger.dir.clone(), server.url.clone());
    let runtime = runtime()?;
    let facts = runtime.block_on(async {
        match door::ask::<Option<EnrolFacts>>(&dir, Question::Enrol { order }).await? {
            Some(facts) => Ok(facts),
            None => {
                let agent = boot::assemble(loaded, Box::new(Nobody))?;
                match agent.enrol_now(order).await {
                    Ok(facts) => Ok(facts),
                    // What is known without the server, and why it is not more.
                    Err(error) => anyhow::Ok(Kept::read(&dir)?.map(|kept| {
                        let mut facts = kept.facts(&url);
                        facts.why = Some(error.in_full());
                        facts
                    })),
                }
            }
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    let Some(facts) = facts? else {
        bail!("the trap has no identity; `trapline-agent status` says why");
    };
    let is_enrolled = facts.state == EnrolState::Enrolled;
    print::report(&Report(facts), args.json)?;
    Ok(if is_enrolled {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_RUNTIME)
    })
}
