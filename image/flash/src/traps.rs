//! The list of traps: a table with a line for each card, as spreadsheets save
//! it. Everything wrong with it is said with its line before a card is touched.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use trapline_wire::EnrolToken;

/// Columns, as the first line names them.
const COLUMNS: [&str; 11] = [
    "name",
    "latitude",
    "longitude",
    "country",
    "time_zone",
    "server",
    "token",
    "wifi",
    "wifi_password",
    "hotspot_password",
    "ssh_key",
];

/// One trap of the list; what is empty stays as the template has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trap {
    /// What people call it.
    pub name: String,
    /// Degrees, with a point.
    pub latitude: String,
    /// Degrees, with a point.
    pub longitude: String,
    /// Two letters.
    pub country: String,
    /// As `+02:00`.
    pub time_zone: String,
    /// Where it sends to.
    pub server: String,
    /// What lets it in there.
    pub token: String,
    /// A network to join.
    pub wifi: String,
    /// Its password.
    pub wifi_password: String,
    /// Of its own network.
    pub hotspot_password: String,
    /// Who may log in.
    pub ssh_key: String,
}

/// Reads a list; `file` is how messages call it.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn read(file: &Path, bytes: &[u8]) -> Result<Vec<Trap>, Vec<String>> {
    let file = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut reader = Reader {
        file,
        problems: Vec::new(),
        names: BTreeMap::new(),
        hosts: BTreeMap::new(),
    };
    let text = decoded(bytes);
    let traps = reader.table(&text);
    if traps.is_empty() && reader.problems.is_empty() {
        reader.complain(1, "there is no trap in this list");
    }
    if reader.problems.is_empty() {
        Ok(traps)
    } else {
        Err(reader.problems)
    }
}

struct Reader {
    file: String,
    problems: Vec<String>,
    names: BTreeMap<String, u64>,
    hosts: BTreeMap<String, (u64, String)>,
}

impl Reader {
    fn table(&mut self, text: &str) -> Vec<Trap> {
        let first = text.lines().next().unwrap_or_default();
        // Spreadsheets of countries with decimal commas separate by semicolons.
        let separator = [b';', b'\t', b',']
            .into_iter()
            .max_by_key(|s| (first.bytes().filter(|byte| byte == s).count(), *s == b','));
        let mut table = csv::ReaderBuilder::new()
            .delimiter(separator.unwrap_or(b','))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let Some(columns) = self.columns(&mut table) else {
            return Vec::new();
        };
        let mut traps = Vec::new();
        for record in table.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    self.complain(line, &format!("this line cannot be read ({})", error));
                    continue;
                }
            };
            if record.iter().all(str::is_empty) {
                continue;
            }
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != columns.len() {
                self.complain(
                    line,
                    &format!(
                        "{} cells, but the first line has {}",
                        record.len(),
                        columns.len()
                    ),
                );
                continue;
            }
            let cells: BTreeMap<&str, &str> = columns
                .iter()
                .map(String::as_str)
                .zip(record.iter())
                .collect();
            traps.push(self.trap(line, &cells));
        }
        traps
    }

    fn columns(&mut self, table: &mut csv::Reader<&[u8]>) -> Option<Vec<String>> {
        let header = match table.headers() {
            Ok(header) => header.clone(),
            Err(error) => {
                self.complain(1, &format!("the first line cannot be read: {error}"));
                return None;
            }
        };
        let columns: Vec<String> = header
            .iter()
            .map(|name| name.to_lowercase().replace([' ', '-'], "_"))
            .collect();
        for name in &columns {
            if !COLUMNS.contains(&name.as_str()) {
                self.complain(
                    1,
                    &format!(
                        "there is no column {name:?}; there are {}",
                        COLUMNS.join(", ")
                    ),
                );
            }
            if columns.iter().filter(|other| *other == name).count() > 1 {
                self.complain(1, &format!("the column {name:?} stands there twice"));
            }
        }
        if !columns.iter().any(|name| name == "name") {
            self.complain(
                1,
                "the column \"name\" is missing; the first line names the columns",
            );
        }
        self.problems.is_empty().then_some(columns)
    }

    fn trap(&mut self, line: u64, cells: &BTreeMap<&str, &str>) -> Trap {
        let cell = |name: &str| {
            cells
                .get(name)
                .map(|text| (*text).to_owned())
                .unwrap_or_default()
        };
        let mut trap = Trap {
            name: cell("name"),
            latitude: cell("latitude").replace(',', "."),
            longitude: cell("longitude").replace(',', "."),
            country: cell("country").to_uppercase(),
            time_zone: cell("time_zone"),
            server: cell("server"),
            token: cell("token"),
            wifi: cell("wifi"),
            wifi_password: cell("wifi_password"),
            hotspot_password: cell("hotspot_password"),
            ssh_key: cell("ssh_key"),
        };
        // Spreadsheets show a plus sign where they must not calculate.
        if !trap.time_zone.is_empty() && !trap.time_zone.starts_with(['+', '-']) {
            trap.time_zone.insert(0, '+');
        }
        self.check_name(line, &trap.name);
        self.check_place(line, &trap);
        if cells.contains_key("token") && trap.token.is_empty() {
            self.complain(
                line,
                "the token is missing; without tokens leave the whole column out",
            );
        }
        if let (false, Err(why)) = (trap.token.is_empty(), trap.token.parse::<EnrolToken>()) {
            self.complain(line, &why.to_string());
        }
        if !trap.server.is_empty()
            && !["http://", "https://"]
                .iter()
                .any(|s| trap.server.starts_with(s))
        {
            self.complain(
                line,
                &format!(
                    "the server needs an address like https://traps.example.org, not {:?}",
                    trap.server
                ),
            );
        }
        if !trap.country.is_empty()
            && (trap.country.len() != 2 || !trap.country.bytes().all(|b| b.is_ascii_uppercase()))
        {
            self.complain(
                line,
                &format!("the country needs two letters, not {:?}", trap.country),
            );
        }
        self.check_wifi(line, &trap);
        trap
    }

    fn check_name(&mut self, line: u64, name: &str) {
        if name.is_empty() || name.len() > 500 || name.chars().any(char::is_control) {
            return self.complain(line, "the name is missing");
        }
        if let Some(before) = self.names.insert(name.to_owned(), line) {
            return self.complain(
                line,
                &format!("the name {name:?} stands in line {before} already"),
            );
        }
        let plain: String = name
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        if let Some((before, other)) = self.hosts.insert(plain, (line, name.to_owned())) {
            self.complain(
                line,
                &format!(
                    "{name:?} and {other:?} (line {before}) are told apart by nobody on a telephone"
                ),
            );
        }
    }

    fn check_place(&mut self, line: u64, trap: &Trap) {
        for (what, text, most) in [
            ("latitude", &trap.latitude, 90.0),
            ("longitude", &trap.longitude, 180.0),
        ] {
            let degrees = text
                .parse::<f64>()
                .ok()
                .filter(|degrees: &f64| degrees.abs() <= most);
            if !text.is_empty() && degrees.is_none() {
                self.complain(
                    line,
                    &format!("the {what} needs degrees between -{most} and {most}, not {text:?}"),
                );
            }
        }
        if trap.latitude.is_empty() != trap.longitude.is_empty() {
            self.complain(line, "a place needs latitude and longitude, or neither");
        }
    }

    fn check_wifi(&mut self, line: u64, trap: &Trap) {
        for (what, password) in [
            ("Wi-Fi", &trap.wifi_password),
            ("hotspot", &trap.hotspot_password),
        ] {
            let is_right = (8..=63).contains(&password.len())
                && password.bytes().all(|b| (b' '..=b'~').contains(&b));
            if !password.is_empty() && !is_right {
                self.complain(
                    line,
                    &format!("the {what} password needs 8 to 63 letters without umlauts"),
                );
            }
        }
        if trap.wifi.is_empty() && !trap.wifi_password.is_empty() {
            self.complain(line, "there is a Wi-Fi password but no Wi-Fi");
        }
        if trap.wifi.len() > 32 {
            self.complain(line, "the name of the Wi-Fi is longer than 32 letters");
        }
    }

    fn complain(&mut self, line: u64, what: &str) {
        self.problems.push(format!("{}:{line}: {what}", self.file));
    }
}

fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // What older spreadsheets write in western countries.
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}
