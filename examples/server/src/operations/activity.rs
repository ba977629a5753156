//! How log-ins went lately, by samples of the counters.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::counters::{OUTCOMES, Totals};

/// Seconds from one sample to the next.
pub(crate) const INTERVAL_SECONDS: u64 = 5;
/// Ten minutes.
pub(crate) const INTERVALS: usize = 120;

/// The samples of this process, the oldest first.
pub(crate) struct Activity(Mutex<VecDeque<Totals>>);

impl Activity {
    /// Nothing happened before.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(VecDeque::from([[0; OUTCOMES.len()]])))
    }

    /// Takes a sample.
    pub(crate) fn note(&self, totals: Totals) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == INTERVALS {
            samples.pop_front();
        }
        samples.push_back(totals);
    }

    /// What happened in each interval, the oldest first; the last one ends now, at `totals`.
    pub(crate) fn intervals(&self, totals: Totals) -> Vec<Totals> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = samples.iter().skip(1).chain([&totals]);
        samples
            .iter()
            .zip(ends)
            .map(|(begin, end)| difference(begin, end))
            .collect()
    }
}

fn difference(begin: &Totals, end: &Totals) -> Totals {
    std::array::from_fn(|index| end[index].saturating_sub(begin[index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(count: u64) -> Totals {
        let mut totals = [0; OUTCOMES.len()];
        totals[0] = count;
        totals
    }

    #[test]
    fn intervals_lie_between_samples() {
        let activity = Activity::new();
        activity.note(accepted(3));
        activity.note(accepted(3));
        let counts: Vec<_> = activity
            .intervals(accepted(5))
            .iter()
            .map(|it| it[0])
            .collect();
        assert_eq!(counts, [3, 0, 2]);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let activity = Activity::new();
        (1..=1_000).for_each(|count| activity.note(accepted(count)));
        let intervals = activity.intervals(accepted(1_001));
        assert_eq!(intervals, vec![accepted(1); INTERVALS]);
    }
}
