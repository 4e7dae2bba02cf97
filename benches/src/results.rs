//! All figures of all rounds, and what is expected of them.

use std::collections::BTreeMap;

use serde_json::{json, Value};

use crate::mode::Mode;
use crate::series::Series;
use crate::text::{count, gain, number, Table};

/// What is shown as 0 is no base for a comparison.
const NOTHING: f64 = 0.005;

/// Units of whole numbers.
const COUNTS: [&str; 3] = ["threads", "OS threads", "connections"];

/// Units of which more is better.
const THE_MORE_THE_BETTER: [&str; 3] = ["requests/s", "threads", "connections"];

/// A figure of a benchmark, in all the modes it was taken in.
pub struct Metric {
    /// Its name.
    pub name: String,
    /// The unit of its values.
    pub unit: String,
    /// Whether a larger value is a better one.
    pub more_is_better: bool,
    /// A series a mode.
    pub modes: BTreeMap<Mode, Series>,
}

impl Metric {
    /// How many times better one mode is than another.
    fn gain(&self, mode: Mode, over: Mode) -> Option<f64> {
        let ours = self.modes.get(&mode)?.median();
        let theirs = self.modes.get(&over)?.median();
        if ours.abs() < NOTHING || theirs.abs() < NOTHING {
            return None;
        }
        Some(if self.more_is_better {
            ours / theirs
        } else {
            theirs / ours
        })
    }

    /// A value as the tables show it.
    fn text(&self, value: f64) -> String {
        if COUNTS.contains(&&*self.unit) {
            count(value)
        } else {
            number(value)
        }
    }
}

/// The figures of one benchmark.
#[derive(Default)]
pub struct Results {
    /// In the order in which they were first seen.
    pub metrics: Vec<Metric>,
    /// What programs said beside their figures, each once.
    pub remarks: Vec<(Mode, String)>,
    /// Runs that failed.
    pub failures: Vec<(Mode, String)>,
}

impl Results {
    /// Adds one figure of one run.
    pub fn add(&mut self, mode: Mode, name: &str, unit: &str, value: f64) {
        let at = match self.metrics.iter().position(|m| m.name == name) {
            Some(at) => at,
            None => {
                self.metrics.push(Metric {
                    name: name.into(),
                    unit: unit.into(),
                    more_is_better: THE_MORE_THE_BETTER.contains(&unit),
                    modes: BTreeMap::new(),
                });
                self.metrics.len() - 1
            }
        };
        let series = self.metrics[at].modes.entry(mode).or_default();
        series.push(value);
    }

    /// Adds what a program had to say.
    pub fn remark(&mut self, mode: Mode, text: &str) {
        let remark = (mode, text.to_string());
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|m| m.name == name)
    }

    /// All figures as a table: a block a metric, a line a mode.
    pub fn table(&self) -> Table {
        let mut table = Table::default();
        for metric in &self.metrics {
            table.row([
                format!("{}, {}", metric.name, metric.unit),
                "median".into(),
                "min – max".into(),
                "over native".into(),
                "over one CPU".into(),
            ]);
            for (&mode, series) in &metric.modes {
                let over = |base| match metric.gain(mode, base) {
                    Some(times) if mode != base => gain(times),
                    _ => String::new(),
                };
                table.row([
                    format!("  {}", mode.label()),
                    metric.text(series.median()),
                    format!(
                        "{} – {}",
                        metric.text(series.min()),
                        metric.text(series.max())
                    ),
                    over(Mode::Native),
                    over(Mode::NativeOneCpu),
                ]);
            }
        }
        table
    }

    /// The same for a program to read.
    pub fn json(&self) -> Value {
        let metrics = self.metrics.iter().flat_map(|metric| {
            metric.modes.iter().map(|(mode, series)| {
                json!({
                    "metric": metric.name,
                    "unit": metric.unit,
                    "more_is_better": metric.more_is_better,
                    "mode": mode.key(),
                    "values": series.values(),
                    "median": series.median(),
                    "min": series.min(),
                    "max": series.max(),
                })
            })
        });
        let said = |notes: &[(Mode, String)]| -> Value {
            let notes = notes.iter();
            notes
                .map(|(mode, text)| json!({"mode": mode.key(), "text": text}))
                .collect()
        };
        json!({
            "figures": metrics.collect::<Value>(),
            "remarks": said(&self.remarks),
            "failures": said(&self.failures),
        })
    }
}

/// What a median should be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// At least this many times better than in the other mode.
    Gain(f64, Mode),
    /// At least this share of the other mode's value.
    ShareAtLeast(f64, Mode),
    /// At most this share of the other mode's value.
    ShareAtMost(f64, Mode),
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

/// What is expected of a figure under libcoop. Nothing fails when it is not met: speed depends on the machine.
pub struct Expectation {
    /// The name of the metric.
    pub metric: &'static str,
    /// What its medians should be.
    pub bound: Bound,
}

/// How one mode fares against an expectation.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// The mode.
    pub mode: Mode,
    /// The value that the bound is about: a gain, a share, or the median itself.
    pub value: f64,
    /// Whether it is as expected.
    pub met: bool,
}

impl Expectation {
    /// The expectation in words.
    pub fn text(&self) -> String {
        let metric = self.metric;
        match self.bound {
            Bound::Gain(x, base) => {
                format!("{metric} at least {} over {}", gain(x), base.label())
            }
            Bound::ShareAtLeast(x, base) => format!("{metric} at least {x} of {}", base.label()),
            Bound::ShareAtMost(x, base) => format!("{metric} at most {x} of {}", base.label()),
            Bound::AtLeast(x) => format!("{metric} at least {}", number(x)),
            Bound::AtMost(x) => format!("{metric} at most {}", number(x)),
        }
    }

    /// How each libcoop mode fares. A mode without figures has no verdict.
    pub fn verdicts(&self, results: &Results) -> Vec<Verdict> {
        let Some(metric) = results.metric(self.metric) else {
            return Vec::new();
        };
        let median = |mode: Mode| metric.modes.get(&mode).map(Series::median);
        let coop = metric.modes.keys().copied().filter(|mode| mode.is_coop());
        coop.filter_map(|mode| {
            let share = |base| Some(median(mode)? / median(base)?);
            let (value, met) = match self.bound {
                Bound::Gain(x, base) => metric.gain(mode, base).map(|v| (v, v >= x))?,
                Bound::ShareAtLeast(x, base) => share(base).map(|v| (v, v >= x))?,
                Bound::ShareAtMost(x, base) => share(base).map(|v| (v, v <= x))?,
                Bound::AtLeast(x) => median(mode).map(|v| (v, v >= x))?,
                Bound::AtMost(x) => median(mode).map(|v| (v, v <= x))?,
            };
            Some(Verdict { mode, value, met })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut results = Results::default();
        for value in [8000.0, 7600.0, 7500.0] {
            results.add(Mode::NativeOneCpu, "round-trip", "ns", value);
        }
        results.add(Mode::CoopOneHub, "round-trip", "ns", 500.0);
        results.add(Mode::Coop, "round-trip", "ns", 760.0);
        results
    }

    fn check(bound: Bound) -> Vec<(f64, bool)> {
        let expectation = Expectation {
            metric: "round-trip",
            bound,
        };
        let verdicts = expectation.verdicts(&results());
        assert_eq!(verdicts[0].mode, Mode::CoopOneHub);
        verdicts.into_iter().map(|v| (v.value, v.met)).collect()
    }

    #[test]
    fn expectations_are_of_both_libcoop_modes() {
        let base = Mode::NativeOneCpu;
        assert_eq!(
            check(Bound::Gain(12.0, base)),
            [(15.2, true), (10.0, false)]
        );
        assert_eq!(
            check(Bound::ShareAtMost(0.1, base)),
            [(500.0 / 7600.0, true), (0.1, true)]
        );
        assert_eq!(
            check(Bound::ShareAtLeast(0.1, base)),
            [(500.0 / 7600.0, false), (0.1, true)]
        );
        assert_eq!(check(Bound::AtMost(600.0)), [(500.0, true), (760.0, false)]);
        assert_eq!(
            check(Bound::AtLeast(600.0)),
            [(500.0, false), (760.0, true)]
        );
    }

    #[test]
    fn more_requests_are_a_gain_and_more_nanoseconds_are_none() {
        let mut results = Results::default();
        for (mode, value) in [(Mode::Native, 100.0), (Mode::Coop, 150.0)] {
            results.add(mode, "rate", "requests/s", value);
            results.add(mode, "latency", "ns", value);
        }
        let over_native = |name| {
            let metric = results.metric(name).unwrap();
            metric.gain(Mode::Coop, Mode::Native).unwrap()
        };
        assert!((over_native("rate") - 1.5).abs() < 1e-9);
        assert!((over_native("latency") - 1.0 / 1.5).abs() < 1e-9);
    }

    #[test]
    fn what_was_not_measured_has_no_verdict() {
        let nothing = Expectation {
            metric: "release",
            bound: Bound::AtMost(1.0),
        };
        assert_eq!(nothing.verdicts(&results()), []);
        let no_base = Expectation {
            metric: "round-trip",
            bound: Bound::Gain(1.0, Mode::Epoll),
        };
        assert_eq!(no_base.verdicts(&results()), []);
    }

    #[test]
    fn json_has_every_value() {
        let json = results().json();
        let first = &json["figures"][0];
        assert_eq!(first["mode"], "native-one-cpu");
        assert_eq!(first["values"], json!([8000.0, 7600.0, 7500.0]));
        assert_eq!(first["median"], 7600.0);
    }
}
