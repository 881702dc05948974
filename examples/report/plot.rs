//! Plots over time as inline SVG. They take colours from the page and the width of the screen: marks are stretched, and
//! what is to be read stands beside them as text.

use super::{
    hours::{Hour, Hours},
    words::{hour, size},
};
use maud::{Markup, html};
use std::fmt::Write;

/// Units of the drawing, which is stretched.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

/// What of an hour is drawn, in bytes.
type Of = fn(&Hour) -> Option<u64>;

/// One bar for each step.
pub(crate) fn bars(hours: &Hours, label: &str, of: Of) -> Markup {
    let highest = highest(hours, &[of]);
    let scale = Scale::of(hours, highest);
    let bars = html! {
        @for (at, told) in hours.iter() {
            @if let Some(bytes) = of(told) {
                rect x=(scale.x(at)) y=(scale.y(bytes)) width=(0.9 * scale.step) height=(HEIGHT - scale.y(bytes)) {
                    title { (hour(at)) ": " (size(bytes)) }
                }
            }
        }
    };
    frame(hours, label, highest, &bars)
}

/// A line for each figure, with a name that the page gives a colour.
pub(crate) fn lines(hours: &Hours, label: &str, lines: &[(&str, Of)]) -> Markup {
    let all: Vec<_> = lines.iter().map(|(_, of)| *of).collect();
    let highest = highest(hours, &all);
    let scale = Scale::of(hours, highest);
    let marks = html! {
        @for (name, of) in lines {
            path class=(name) d=(scale.path(hours, *of)) {}
        }
    };
    frame(hours, label, highest, &marks)
}

fn frame(hours: &Hours, label: &str, highest: u64, marks: &Markup) -> Markup {
    let (first, last) = ends(hours);
    html! {
        div.plot {
            p.top { (size(highest)) }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(label) {
                (marks)
            }
            p.ends { span { (hour(first)) } span { (hour(last)) } }
        }
    }
}

fn highest(hours: &Hours, of: &[Of]) -> u64 {
    let values = hours
        .iter()
        .flat_map(|(_, told)| of.iter().filter_map(|of| of(told)));
    values.max().unwrap_or(0)
}

/// The hours at which the first step begins and the last ends.
fn ends(hours: &Hours) -> (i64, i64) {
    let at = |step: Option<(i64, &Hour)>| step.map_or(0, |(at, _)| at);
    let (first, last) = (at(hours.iter().next()), at(hours.iter().next_back()));
    (first, last + hours.width())
}

struct Scale {
    first: i64,
    /// Units of an hour, a step and a byte.
    hour: f64,
    step: f64,
    byte: f64,
}

impl Scale {
    fn of(hours: &Hours, highest: u64) -> Self {
        let (first, last) = ends(hours);
        let hour = WIDTH / (last - first).max(1) as f64;
        Self {
            first,
            hour,
            step: hour * hours.width() as f64,
            byte: HEIGHT / highest.max(1) as f64,
        }
    }

    fn x(&self, at: i64) -> f64 {
        (at - self.first) as f64 * self.hour
    }

    fn y(&self, bytes: u64) -> f64 {
        HEIGHT - bytes as f64 * self.byte
    }

    /// Level over each step; apart where there is no figure.
    fn path(&self, hours: &Hours, of: Of) -> String {
        let mut path = String::new();
        let mut joined = None;
        for (at, told) in hours.iter() {
            let Some(bytes) = of(told) else {
                continue;
            };
            let kind = if joined == Some(at) { 'L' } else { 'M' };
            let (x, y) = (self.x(at), self.y(bytes));
            // A string takes all that is written.
            let _ = write!(path, "{kind}{x:.1} {y:.1}H{:.1}", x + self.step);
            joined = Some(at + hours.width());
        }
        path
    }
}
