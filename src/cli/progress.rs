//! Progress: bars with an estimate of the time left on a terminal, plain lines otherwise, nothing when quiet.
//!
//! The estimate is of the stage that runs: its share done so far against the time it took. Stages whose length is not
//! known before (Monte Carlo stops when its errors are small enough) correct their length as they learn.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Bars,
    Lines,
    Nothing,
}

/// The stages of a command, with the time that each took.
#[derive(Debug)]
pub struct Progress {
    show: Show,
    stages: usize,
    current: usize,
    /// (stage, seconds): for timings.json.
    pub timings: Vec<(String, f64)>,
}

/// A stage that is running.
#[derive(Debug)]
pub struct Stage {
    name: String,
    number: String,
    began: Instant,
    bar: Option<ProgressBar>,
    /// Plain lines: when the last one was written.
    last_line: Option<Mutex<Instant>>,
}

/// A plain line at most this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Progress {
    /// Progress over a number of stages.
    pub fn new(quiet: bool, stages: usize) -> Self {
        let show = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Show::Nothing,
            (false, true) => Show::Bars,
            (false, false) => Show::Lines,
        };
        Self { show, stages, current: 0, timings: Vec::new() }
    }

    /// Runs a stage.
    pub fn stage<T>(&mut self, name: &str, work: impl FnOnce(&Stage) -> T) -> T {
        self.current += 1;
        let number = format!("[{}/{}]", self.current, self.stages);
        let bar = (self.show == Show::Bars).then(|| {
            let bar = ProgressBar::new(1000);
            let style =
                ProgressStyle::with_template("{prefix} {msg:<34} {bar:30} {percent:>3}%  {elapsed} gone, {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(number.clone());
            bar.set_message(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let last_line = (self.show == Show::Lines).then(|| Mutex::new(Instant::now()));
        if last_line.is_some() {
            eprintln!("{number} {name}");
        }
        let stage = Stage { name: name.to_owned(), number, began: Instant::now(), bar, last_line };
        let result = work(&stage);
        let seconds = stage.began.elapsed().as_secs_f64();
        if let Some(bar) = &stage.bar {
            bar.finish_and_clear();
            eprintln!("{} {:<34} {seconds:.1} s", stage.number, stage.name);
        }
        self.timings.push((name.to_owned(), seconds));
        result
    }
}

impl Stage {
    /// Says how much of the stage is done, 0 to 1.
    pub fn done(&self, share: f64) {
        let share = share.clamp(0.0, 1.0);
        if let Some(bar) = &self.bar {
            bar.set_position((1000.0 * share) as u64);
        }
        let Some(last_line) = &self.last_line else { return };
        let Ok(mut last_line) = last_line.try_lock() else { return };
        if last_line.elapsed() >= LINE_EVERY && share > 0.0 {
            *last_line = Instant::now();
            let left = self.began.elapsed().as_secs_f64() * (1.0 - share) / share;
            eprintln!("{} {} {:.0}%, about {left:.0} s left", self.number, self.name, 100.0 * share);
        }
    }
}
