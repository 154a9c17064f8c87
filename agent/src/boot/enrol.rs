//! The way to the server, and the identity that the trap shows there. Whatever is
//! wrong with either, the trap takes its pictures all the same, and says why it
//! does not send.

use crate::config::{Access, Config, ServerConfig};
use crate::enrol::EnrolState;
use crate::enrol::ask::{Enrol, PART, Wishes};
use crate::enrol::kept::{Kept, hardware_of};
use crate::sync::http::{HttpUplink, Says};
use crate::sync::uplink::Uplink;
use std::io::{self, ErrorKind};
use std::path::Path;
use trapline_hal::Stamp;
use trapline_hal::pi::fingerprint::Kernel;
use trapline_store::Ledger;
use trapline_wire::TrapKey;
use trapline_wire::v1::{EnrolPlace, Hardware};

/// The name that the built-in defaults give every trap; nobody wished for it.
const NO_NAME: &str = "trap";

/// What leads to the server.
#[derive(Default)]
pub(super) struct Way {
    pub(super) uplink: Option<Box<dyn Uplink>>,
    pub(super) enrol: Option<Enrol>,
    /// Faults, by part.
    pub(super) troubles: Vec<(&'static str, String)>,
}

/// The way that the settings name, with the identity from the ledger's folder.
pub(super) fn way(config: &Config, ledger: &mut Ledger, now: &Stamp) -> Way {
    let mut way = Way::default();
    let Some(server) = &config.server else {
        return way;
    };
    let hardware = hardware_of(&Kernel::default().fingerprint(&config.ledger.dir));
    let key = match &server.access {
        Access::Key(key) => key.clone(),
        Access::Identity(_) => match enrol(config, ledger, &hardware, now, &mut way.troubles) {
            Ok(enrol) => {
                let key = enrol.trap_key();
                way.enrol = Some(enrol);
                key
            }
            Err(error) => {
                let dir = config.ledger.dir.display();
                let why = format!(
                    "the trap's identity cannot be kept in {dir}: {error:#}; everything stays on \
                     the card. Is the card full or write-protected?"
                );
                way.troubles.push((PART, why));
                return way;
            }
        },
    };
    let says = Says {
        hardware,
        boot_id: now.boot_id.clone(),
    };
    way.connect(config, server, &key, &says);
    way
}

/// Another connection to the same server, for a check.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn another(config: &Config) -> Result<Box<dyn Uplink>, String> {
    let Some(server) = &config.server else {
        return Err("no server is set".to_owned());
    };
    let dir = &config.ledger.dir;
    let key = match &server.access {
        Access::Key(key) => key.clone(),
        Access::Identity(_) => {
            let kept = Kept::read(dir).map_err(|error| error.to_string())?;
            let kept = kept.ok_or("the trap is not enrolled yet; start the agent")?;
            let facts = kept.facts(&server.url);
            if facts.state != EnrolState::Enrolled {
                return Err(facts.to_string());
            }
            kept.identity().trap_key()
        }
    };
    // A check says nothing of the hardware: it is no boot of its own, and proves nothing.
    let uplink = HttpUplink::new(&server.url, &key, &Says::default(), &config.sync)?;
    Ok(Box::new(uplink))
}

impl Way {
    fn connect(&mut self, config: &Config, server: &ServerConfig, key: &TrapKey, says: &Says) {
        match HttpUplink::new(&server.url, key, says, &config.sync) {
            Ok(uplink) => self.uplink = Some(Box::new(uplink)),
            Err(why) => {
                let why = format!(
                    "the connection to the server cannot be prepared: {why}; everything stays on \
                     the card. Are the certificates installed? (`ca-certificates`)"
                );
                self.troubles.push(("server", why));
            }
        }
    }
}

fn enrol(
    config: &Config,
    ledger: &mut Ledger,
    hardware: &Hardware,
    now: &Stamp,
    troubles: &mut Vec<(&'static str, String)>,
) -> anyhow::Result<Enrol> {
    let dir = &config.ledger.dir;
    let known = match Kept::read(dir) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            ) =>
        {
            let aside = Kept::set_aside(dir)?;
            let why = format!(
                "the trap's identity was damaged and is kept as {}; the trap has a new one and \
                 enrols as a new trap: replace the card soon",
                aside.display()
            );
            log::error!("{why}");
            troubles.push(("ledger", why));
            None
        }
        known => known?,
    };
    let kept = match known {
        Some(mut kept) => {
            let was_parked = kept.parked.is_some();
            if kept.look_around(hardware, now.unix_ms) {
                // First the ledger: after a cut between the two it takes one more name.
                if kept.parked.is_some() && !was_parked {
                    ledger.take_name(super::draw_id()?, now.unix_ms)?;
                }
                kept.write(dir)?;
            }
            kept
        }
        None => make(dir, hardware)?,
    };
    let (url, token) = match &config.server {
        Some(ServerConfig {
            url,
            access: Access::Identity(token),
        }) => (url.clone(), token.clone()),
        Some(ServerConfig { url, .. }) => (url.clone(), None),
        None => (String::new(), None),
    };
    let wishes = Wishes {
        url,
        token,
        name: (config.trap.name != NO_NAME).then(|| config.trap.name.clone()),
        place: config.trap.place.as_ref().map(|place| EnrolPlace {
            latitude_deg: place.latitude,
            longitude_deg: place.longitude,
        }),
    };
    let draw = Box::new(draw);
    Ok(Enrol::new(kept, dir, wishes, hardware.clone(), draw))
}

fn make(dir: &Path, hardware: &Hardware) -> io::Result<Kept> {
    let seed = draw().ok_or_else(|| io::Error::other("no random numbers"))?;
    let kept = Kept::new(seed, hardware.clone());
    kept.write(dir)?;
    log::info!("this trap has an identity now");
    Ok(kept)
}

fn draw() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}
