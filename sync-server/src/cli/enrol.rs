//! The commands around enrolment: what they take and what they print.

use super::{check_name, print, say, write_out};
use crate::db::{Db, Decided, Decision, NewToken};
use crate::enrolment::desk::{DAY_MS, DAYS_MAX, NOBODY, SEVERAL, USES_MAX};
use crate::state::{system_clock, system_random};
use anyhow::bail;
use clap::{Args, Subcommand};
use trapline_wire::{EnrolCode, EnrolToken};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EnrolArgs {
    #[command(flatten)]
    make: MakeArgs,
    #[command(subcommand)]
    command: Option<EnrolCommand>,
}

#[derive(Args)]
struct MakeArgs {
    /// How many traps it may enrol
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(USES_MAX)))]
    uses: u32,
    /// How long it is good, as `30d` or `48h`
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = lifetime_ms)]
    expires: i64,
    /// What the names of traps begin with whose cards name none
    #[arg(long, value_name = "PREFIX")]
    name: Option<String>,
    /// Print `{"id", "token", "uses", "expires_ms"}` instead
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum EnrolCommand {
    /// List tokens, traps that wait to be accepted, and cards that are copies
    List {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token; the traps that it enrolled stay
    Revoke {
        /// Id of the token
        id: String,
    },
    /// Accept the trap that shows this code
    Accept {
        /// What the trap shows, as 7KPX-3M9Q
        code: EnrolCode,
        /// What its people call it [default: what its card says]
        #[arg(long)]
        name: Option<String>,
    },
    /// Send the trap away that shows this code
    Dismiss {
        /// What the trap shows
        code: EnrolCode,
    },
    /// Decide about a copied card
    Resolve {
        /// Name or id of the trap
        trap: String,
        /// The copy: its card, or the beginning of it; none when nothing tells the two apart
        #[arg(long, value_name = "CARD", requires = "decision")]
        card: Option<String>,
        /// What the copy is to be
        #[arg(long = "as", value_name = "DECISION")]
        decision: Option<Decision>,
    },
}

pub(super) fn enrol(args: EnrolArgs, db: &mut Db) -> anyhow::Result<()> {
    let Some(command) = args.command else {
        return make(&args.make, db);
    };
    match command {
        EnrolCommand::List { json } => list(db, json),
        EnrolCommand::Revoke { id } => {
            if !db.revoke_token(&id, system_clock())? {
                bail!("no token `{id}` can be revoked; `trapline-server enrol list` shows them");
            }
            say(&format!(
                "Token `{id}` is revoked. The traps that it enrolled stay."
            ));
            Ok(())
        }
        EnrolCommand::Accept { code, name } => accept(db, &code, name.as_deref()),
        EnrolCommand::Dismiss { code } => {
            if !db.dismiss(&code, "the command line")? {
                bail!(NOBODY);
            }
            say(&format!("The trap with the code {code} is sent away."));
            Ok(())
        }
        EnrolCommand::Resolve {
            trap,
            card,
            decision,
        } => resolve(db, &trap, card.as_deref().zip(decision)),
    }
}

fn make(args: &MakeArgs, db: &mut Db) -> anyhow::Result<()> {
    let prefix = args.name.as_deref().unwrap_or_default();
    if !prefix.is_empty() {
        check_name(prefix)?;
    }
    let mut random = [0; 25];
    system_random(&mut random);
    let token = EnrolToken::from_random(&random);
    let now_ms = system_clock();
    let expires_ms = now_ms + args.expires;
    let new = NewToken {
        prefix,
        uses_max: args.uses,
        expires_ms,
        made_by: "the command line",
    };
    db.add_token(&token, &new, now_ms)?;
    if args.json {
        return print(&serde_json::json!({
            "id": token.id(), "token": token.reveal(),
            "uses": args.uses, "expires_ms": expires_ms,
        }));
    }
    write_out(&format!("{}\n", token.reveal()))?;
    let traps = match args.uses {
        1 => "one trap".to_owned(),
        uses => format!("{uses} traps"),
    };
    say(&format!(
        "This token enrols {traps} until {}. It is shown only now: put it on the cards, as \
         `token` under `[server]`. `trapline-server enrol revoke {}` takes it back.",
        day(expires_ms),
        token.id()
    ));
    Ok(())
}

fn accept(db: &mut Db, code: &EnrolCode, name: Option<&str>) -> anyhow::Result<()> {
    if let Some(name) = name {
        check_name(name)?;
    }
    match db.accept(code, name, "the command line", system_clock())? {
        Decided::Accepted { trap, name } => {
            say(&format!(
                "`{name}` (id {trap}) is a trap of this server now; it hears of it when it asks \
                 next, within minutes."
            ));
            Ok(())
        }
        Decided::Unknown => bail!(NOBODY),
        Decided::Several => bail!(SEVERAL),
        Decided::NameTaken => bail!("a trap in use has that name already: choose another one"),
    }
}

fn resolve(db: &mut Db, trap: &str, card: Option<(&str, Decision)>) -> anyhow::Result<()> {
    let resolved = match card {
        Some((card, decision)) => db.resolve_card(trap, card, decision, "the command line")?,
        None => db.resolve_trap(trap)?,
    };
    if !resolved {
        bail!("nothing like that is parked; `trapline-server enrol list` shows what is");
    }
    say(match card {
        Some((_, Decision::Same)) => {
            "This card goes on as the trap. The other card is parked if it ever shows up."
        }
        Some((_, Decision::Anew)) => {
            "This card becomes a trap of its own when it asks next: by its token, or as a trap \
             that waits to be accepted."
        }
        None => {
            "The trap delivers again. If two devices still send with its key, it is parked again."
        }
    });
    Ok(())
}

fn list(db: &Db, json: bool) -> anyhow::Result<()> {
    let (tokens, pending) = (db.tokens(system_clock())?, db.pending()?);
    let (cards, parked) = (db.cards_in_question()?, db.parked_traps()?);
    if json {
        return print(&serde_json::json!({
            "tokens": tokens, "pending": pending, "cards": cards, "parked": parked,
        }));
    }
    let mut text = String::new();
    for token in &tokens {
        text.push_str(&format!(
            "token {}  {:8}  used {} of {}  until {}  {}\n",
            token.id,
            token.state,
            token.uses,
            token.uses_max,
            day(token.expires_ms),
            token.prefix
        ));
    }
    for trap in &pending {
        text.push_str(&format!(
            "waits {}  {:24}  from {}  asked {}\n",
            trap.code,
            trap.wished_name,
            trap.peer,
            moment(trap.last_ms)
        ));
    }
    for card in &cards {
        text.push_str(&format!(
            "card  {}  {:24}  {:8}  last seen {}\n",
            card.card,
            card.trap_name,
            card.standing,
            moment(card.last_ms)
        ));
    }
    for trap in &parked {
        text.push_str(&format!(
            "two devices send as `{}` since {}\n",
            trap.trap_name,
            moment(trap.parked_ms)
        ));
    }
    if text.is_empty() {
        say("No token, and no trap waits. `trapline-server enrol --uses 20` makes a token.");
    }
    write_out(&text)
}

fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| "?".to_owned(), |moment| format!("{moment:.0}"))
}

fn day(ms: i64) -> String {
    moment(ms).chars().take(10).collect()
}

/// `30d` or `48h` in milliseconds.
fn lifetime_ms(text: &str) -> Result<i64, String> {
    let why = || format!("needs a time like `30d` or `48h`, at most {DAYS_MAX}d");
    let (number, unit_ms) = if let Some(days) = text.strip_suffix('d') {
        (days, DAY_MS)
    } else if let Some(hours) = text.strip_suffix('h') {
        (hours, DAY_MS / 24)
    } else {
        return Err(why());
    };
    let number: u32 = number.parse().map_err(|_| why())?;
    let lifetime_ms = i64::from(number).checked_mul(unit_ms).ok_or_else(why)?;
    let fits = (1..=i64::from(DAYS_MAX) * DAY_MS).contains(&lifetime_ms);
    fits.then_some(lifetime_ms).ok_or_else(why)
}
