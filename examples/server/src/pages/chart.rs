//! The chart of log-ins: a bar for each interval, accepted ones at the foot, refused ones by reason
//! above.

use crate::operations::{INTERVALS, OUTCOMES, Totals};

/// The chart, in units of its view box.
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    /// What a bar of full height stands for.
    pub(super) scale: u64,
    pub(super) legend: [&'static str; Chart::OWN + 1],
}

/// One outcome in one interval.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) outcome: &'static str,
    pub(super) x: usize,
    pub(super) y: u64,
    pub(super) height: u64,
}

impl Chart {
    /// How many outcomes have a colour of their own. The others share one.
    pub(super) const OWN: usize = 4;
    const HEIGHT: u64 = 1_000;
    const WIDTH_OF_INTERVAL: usize = 10;

    pub(super) fn of(intervals: &[Totals]) -> Self {
        let highest = intervals.iter().map(|interval| interval.iter().sum()).max();
        let scale = round_up(highest.unwrap_or(0));
        let first = INTERVALS.saturating_sub(intervals.len());
        let bars = intervals.iter().enumerate().flat_map(|(index, interval)| {
            stack(interval, (first + index) * Self::WIDTH_OF_INTERVAL, scale)
        });
        let legend = std::array::from_fn(name);
        Self {
            bars: bars.collect(),
            scale,
            legend,
        }
    }
}

/// The outcome of this place in a stack.
fn name(index: usize) -> &'static str {
    if index < Chart::OWN {
        OUTCOMES[index]
    } else {
        "other"
    }
}

/// One bar on the other.
fn stack(interval: &Totals, x: usize, scale: u64) -> Vec<Bar> {
    let (own, others) = interval.split_at(Chart::OWN);
    let counts = own.iter().copied().chain([others.iter().sum()]);
    let mut y = Chart::HEIGHT;
    let bars = counts.enumerate().map(|(index, count)| {
        let height = count * Chart::HEIGHT / scale;
        y -= height;
        Bar {
            outcome: name(index),
            x,
            y,
            height,
        }
    });
    bars.filter(|bar| bar.height > 0).collect()
}

/// The next of 5, 10, 20, 50, 100, …
fn round_up(count: u64) -> u64 {
    let steps = (0..18)
        .map(|power| 10_u64.pow(power))
        .flat_map(|ten| [ten, 2 * ten, 5 * ten]);
    steps.skip(2).find(|step| count <= *step).unwrap_or(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(accepted: u64, wrong: u64, locked: u64) -> Totals {
        let mut totals = [0; OUTCOMES.len()];
        (totals[0], totals[1], totals[3]) = (accepted, wrong, locked);
        totals
    }

    #[test]
    fn bars_stand_on_each_other_and_the_newest_is_rightmost() {
        let chart = Chart::of(&[interval(0, 0, 0), interval(4, 5, 1)]);
        assert_eq!(chart.scale, 10);
        let bar = |outcome, y, height| Bar {
            outcome,
            x: (INTERVALS - 1) * 10,
            y,
            height,
        };
        let bars = [
            bar("accepted", 600, 400),
            bar("wrong", 100, 500),
            bar("locked", 0, 100),
        ];
        assert_eq!(chart.bars, bars);
    }

    #[test]
    fn an_empty_chart_has_a_scale() {
        assert_eq!(Chart::of(&[]).scale, 5);
        assert_eq!(Chart::of(&[interval(0, 0, 0)]).bars, []);
        assert_eq!(Chart::of(&[interval(51, 0, 0)]).scale, 100);
    }
}
