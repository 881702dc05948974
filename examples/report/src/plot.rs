//! Plots over time as inline SVG. They take colours from the page and the width of the screen: marks are stretched, and
//! text stands beside them.

use super::{
    process::Totals,
    steps::{Join, Steps},
    words::{minute, size},
};
use maud::{Markup, html};
use std::fmt::Write;

/// Units of the drawing, which is stretched.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

/// What is drawn of a step, in bytes.
type Of<T> = fn(&T) -> Option<u64>;

/// One bar for each step.
pub(crate) fn bars(steps: &Steps<Totals>, label: &str, of: Of<Totals>) -> Markup {
    let highest = highest(steps, &[of]);
    let scale = Scale::of(steps, highest);
    let bars = html! {
        @for (at, totals) in steps.iter() {
            @if let Some(bytes) = of(totals) {
                rect x=(scale.x(at)) y=(scale.y(bytes)) width=(0.9 * scale.step) height=(HEIGHT - scale.y(bytes)) {
                    title { (minute(at)) ": " (size(bytes)) }
                }
            }
        }
    };
    frame(steps, label, highest, &bars)
}

/// A line for each figure, with a name that the page gives a colour.
pub(crate) fn lines<T: Join>(steps: &Steps<T>, label: &str, lines: &[(&str, Of<T>)]) -> Markup {
    let all: Vec<_> = lines.iter().map(|(_, of)| *of).collect();
    let highest = highest(steps, &all);
    let scale = Scale::of(steps, highest);
    let marks = html! {
        @for (name, of) in lines {
            path class=(name) d=(scale.path(steps, *of, false)) {}
        }
    };
    frame(steps, label, highest, &marks)
}

/// A line that goes on where steps have no figure, in the colour of live heap.
pub(crate) fn level<T: Join>(steps: &Steps<T>, label: &str, of: Of<T>) -> Markup {
    let highest = highest(steps, &[of]);
    let path = Scale::of(steps, highest).path(steps, of, true);
    frame(steps, label, highest, &html! { path.live d=(path) {} })
}

fn frame<T: Join>(steps: &Steps<T>, label: &str, highest: u64, marks: &Markup) -> Markup {
    let (first, last) = steps.ends();
    html! {
        div.plot {
            p.top { (size(highest)) }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(label) {
                (marks)
            }
            p.ends { span { (minute(first)) } span { (minute(last)) } }
        }
    }
}

fn highest<T: Join>(steps: &Steps<T>, of: &[Of<T>]) -> u64 {
    let values = steps
        .iter()
        .flat_map(|(_, figures)| of.iter().filter_map(|of| of(figures)));
    values.max().unwrap_or(0)
}

struct Scale {
    first: i64,
    /// Units of a minute, a step and a byte.
    minute: f64,
    step: f64,
    byte: f64,
}

impl Scale {
    fn of<T: Join>(steps: &Steps<T>, highest: u64) -> Self {
        let minute = WIDTH / steps.span().max(1) as f64;
        Self {
            first: steps.ends().0,
            minute,
            step: minute * steps.width() as f64,
            byte: HEIGHT / highest.max(1) as f64,
        }
    }

    fn x(&self, at: i64) -> f64 {
        (at - self.first) as f64 * self.minute
    }

    fn y(&self, bytes: u64) -> f64 {
        HEIGHT - bytes as f64 * self.byte
    }

    /// Level over each step; where there is no figure it goes on or is interrupted.
    fn path<T: Join>(&self, steps: &Steps<T>, of: Of<T>, goes_on: bool) -> String {
        let mut path = String::new();
        let mut joined = None;
        for (at, figures) in steps.iter() {
            let Some(bytes) = of(figures) else {
                continue;
            };
            let joins = joined == Some(at) || (goes_on && joined.is_some());
            let kind = if joins { 'L' } else { 'M' };
            let (x, y) = (self.x(at), self.y(bytes));
            // A string takes all that is written.
            let _ = write!(path, "{kind}{x:.1} {y:.1}H{:.1}", x + self.step);
            joined = Some(at + steps.width());
        }
        path
    }
}
