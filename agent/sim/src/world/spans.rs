//! Times at which something is out of order, drawn ahead for a whole season.

use crate::chance::Chance;

/// From `from_ms` until before `until_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts, UTC in milliseconds.
    pub from_ms: i64,
    /// Where it is over.
    pub until_ms: i64,
}

/// Spans in the order of time that do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

/// How often something happens and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habit {
    /// Hours of order between two spans, on average.
    pub every_hours: f64,
    /// Hours that a span lasts, the median; some are ten times as long.
    pub lasts_hours: f64,
}

impl Spans {
    /// Draws the spans of a season.
    #[must_use]
    pub fn draw(season: Span, habit: Habit, chance: &mut Chance) -> Self {
        let mut spans = Vec::new();
        let mut now_ms = season.from_ms;
        loop {
            let from_ms = now_ms + hours_ms(chance.wait(habit.every_hours)).max(1);
            let lasts_ms = hours_ms(habit.lasts_hours * (1.1 * chance.normal()).exp());
            if from_ms >= season.until_ms {
                return Self(spans);
            }
            now_ms = (from_ms + lasts_ms.max(1)).min(season.until_ms);
            spans.push(Span {
                from_ms,
                until_ms: now_ms,
            });
        }
    }

    /// Spans that somebody wrote down; they are sorted, and what touches is joined.
    #[must_use]
    pub fn of(mut spans: Vec<Span>) -> Self {
        spans.sort_by_key(|span| span.from_ms);
        let mut joined: Vec<Span> = Vec::new();
        for span in spans {
            match joined.last_mut() {
                Some(last) if span.from_ms <= last.until_ms => {
                    last.until_ms = last.until_ms.max(span.until_ms);
                }
                _ => joined.push(span),
            }
        }
        Self(joined)
    }

    /// The span that a time lies in.
    #[must_use]
    pub fn at(&self, unix_ms: i64) -> Option<Span> {
        let after = self.0.partition_point(|span| span.from_ms <= unix_ms);
        let last = self.0.get(after.checked_sub(1)?)?;
        (unix_ms < last.until_ms).then_some(*last)
    }

    /// The first span that starts at or after a time.
    #[must_use]
    pub fn next(&self, unix_ms: i64) -> Option<Span> {
        let after = self.0.partition_point(|span| span.from_ms < unix_ms);
        self.0.get(after).copied()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Hours as milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "a season is far shorter")]
#[must_use]
pub fn hours_ms(hours: f64) -> i64 {
    (hours * 3_600_000.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_found_by_time() {
        let span = |from_ms, until_ms| Span { from_ms, until_ms };
        let spans = Spans::of(vec![span(50, 60), span(10, 20), span(15, 30)]);
        assert_eq!(spans.count(), 2);
        assert_eq!(spans.at(9), None);
        assert_eq!(spans.at(29), Some(span(10, 30)));
        assert_eq!(spans.at(30), None);
        assert_eq!(spans.next(30), Some(span(50, 60)));
        assert_eq!(spans.next(51), None);
    }

    #[test]
    fn a_drawn_season_is_in_order() {
        let season = Span {
            from_ms: 0,
            until_ms: hours_ms(720.0),
        };
        let habit = Habit {
            every_hours: 20.0,
            lasts_hours: 2.0,
        };
        let spans = Spans::draw(season, habit, &mut Chance::new(3, &[]));
        assert!(spans.count() > 10, "{}", spans.count());
        assert_eq!(Spans::of(spans.0.clone()), spans);
    }
}
