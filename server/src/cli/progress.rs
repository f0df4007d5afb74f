//! How far long work has come: a bar on a terminal, a plain line now and then elsewhere.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of one piece of work.
pub(super) struct Bar {
    what: &'static str,
    bar: Option<ProgressBar>,
    last: Cell<Instant>,
}

impl Bar {
    /// The progress through so many of `what`.
    pub(super) fn new(what: &'static str) -> Bar {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0).with_message(what);
            match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Bar { what, bar, last: Cell::new(Instant::now()) }
    }

    /// `done` of `all` are done.
    pub(super) fn show(&self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        } else if self.last.get().elapsed() >= LINE_EVERY {
            self.last.set(Instant::now());
            eprintln!("{}: {done} of {all}", self.what);
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
