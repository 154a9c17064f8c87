//! Voltage at rest and how full a battery is then, at 20 to 25 °C.

/// Volts, rising, and percent.
pub(super) type Table = &'static [(f64, f64)];

/// Four LiFePO4 cells. Source: the table that makers and sellers of such
/// batteries print for 12 V, as LearnMetrics, *Lithium LiFePO4 Battery Voltage
/// Charts*. It is a rounding to tenths of a volt of a curve that differs from
/// cell to cell; between 20 and 90 % it is a hint.
pub(super) const LIFEPO4_4S: Table = &[
    (10.0, 0.0),
    (12.0, 9.0),
    (12.5, 14.0),
    (12.8, 17.0),
    (12.9, 20.0),
    (13.0, 30.0),
    (13.1, 40.0),
    (13.2, 70.0),
    (13.3, 90.0),
    (13.4, 99.0),
    (13.6, 100.0),
];

/// One lithium-ion cell. Source: M. Chen and G. A. Rincón-Mora, *Accurate
/// Electrical Battery Model Capable of Predicting Runtime and I–V Performance*,
/// IEEE Transactions on Energy Conversion 21(2), 2006, equation 2, at these
/// charges; a test computes it again.
pub(super) const LI_ION_CELL: Table = &[
    (2.654, 0.0),
    (3.1773, 2.0),
    (3.5164, 5.0),
    (3.6746, 10.0),
    (3.7250, 20.0),
    (3.7477, 30.0),
    (3.7729, 40.0),
    (3.8034, 50.0),
    (3.8411, 60.0),
    (3.8880, 70.0),
    (3.9460, 80.0),
    (4.0170, 90.0),
    (4.1029, 100.0),
];

/// A flooded deep-cycle lead-acid battery of 12 V. Source: Trojan Battery
/// Company, *User's Guide*, state of charge by open-circuit voltage; its last
/// line is 10 %, the one for 0 % goes on as far again. Gel and AGM batteries
/// show about 0.1 V more.
pub(super) const LEAD_ACID_12V: Table = &[
    (11.36, 0.0),
    (11.51, 10.0),
    (11.66, 20.0),
    (11.81, 30.0),
    (11.96, 40.0),
    (12.10, 50.0),
    (12.24, 60.0),
    (12.37, 70.0),
    (12.50, 80.0),
    (12.62, 90.0),
    (12.73, 100.0),
];

/// The percent at `volts`, straight between two lines of the table and flat
/// beyond its ends.
pub(super) fn percent(table: Table, volts: f64) -> f64 {
    let above = table.iter().position(|(at, _)| *at >= volts);
    let Some(above) = above else {
        return table.last().map_or(0.0, |(_, percent)| *percent);
    };
    let upper = table.get(above);
    let lower = above.checked_sub(1).and_then(|below| table.get(below));
    match (lower, upper) {
        (Some((lower_volts, lower)), Some((upper_volts, upper))) => {
            let part = (volts - lower_volts) / (upper_volts - lower_volts);
            lower + part * (upper - lower)
        }
        _ => upper.map_or(0.0, |(_, percent)| *percent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_rise_from_empty_to_full() {
        for table in [LIFEPO4_4S, LI_ION_CELL, LEAD_ACID_12V] {
            for two in table.windows(2) {
                assert!(two[0].0 < two[1].0 && two[0].1 < two[1].1, "{two:?}");
            }
            let ends = [table[0].1, table[table.len() - 1].1];
            assert_eq!(ends.map(f64::to_bits), [0.0, 100.0].map(f64::to_bits));
        }
    }

    #[test]
    fn the_lithium_ion_table_is_the_papers_equation() {
        for (volts, percent) in LI_ION_CELL {
            let soc = percent / 100.0;
            let equation = -1.031 * (-35.0 * soc).exp() + 3.685 + 0.2156 * soc
                - 0.1178 * soc.powi(2)
                + 0.3201 * soc.powi(3);
            assert!((equation - volts).abs() < 0.001, "{percent} %: {equation}");
        }
    }
}
