//! What each file is worth: how wide the intervals would be without it, or with it.
//!
//! A file that is there is left out and the market estimated again. One that is not is made up from one draw of the
//! posterior (the one whose dark demand is the median), as it would read were that draw the truth, and the market estimated
//! with it: the preposterior analysis of Raiffa & Schlaifer (1961), with one simulated outcome a file. Widths are of the 90%
//! interval over the median, and those compared come from runs of the same seed and length, shorter than the estimate's
//! own: their ratio is good to about a tenth.

use rand::RngExt as _;
use rayon::prelude::*;

use super::estimate::{Fit, Patience, Settings, fit};
use super::observed::{Observed, ObservedCaptures};
use super::predict::Prediction;
use crate::rng::{Stream, normal_f64};
use crate::stats::Summary;

/// Part of the estimate's own effort that each of these runs takes.
const EFFORT: f64 = 0.2;

/// Draws of each of these runs.
const DRAWS: usize = 160;

/// A survey's customers, and the log deviation of an answer.
const SURVEYED: usize = 200;
const SURVEY_ERROR: f64 = 0.15;

/// Share of the universe that each of two bought lists names.
const LISTED: f64 = 0.4;

/// A kind of evidence that a user can add to a market directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Outlets,
    Captures,
    Panel,
    Wallets,
}

/// What a file is worth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FileWorth {
    pub file: File,
    /// Of [`super::Identification`].
    pub aspect: &'static str,
    pub measure: &'static str,
    /// Whether the market has the file already.
    pub present: bool,
    /// Width without the file (where present) or with it, over the width now; `None` where one of the two can say nothing.
    pub ratio: Option<f64>,
    /// How much of it was made up.
    pub extent: String,
}

impl FileWorth {
    /// A sentence.
    pub(super) fn finding(&self) -> String {
        let Self { measure, extent, .. } = self;
        let name = match self.file {
            File::Outlets => "outlets",
            File::Captures => "captures.csv",
            File::Panel => "panel.csv",
            File::Wallets => "wallets.csv",
        };
        match (self.present, self.ratio) {
            (true, None) => format!("Without {name} nothing could be said of {measure}"),
            (false, None) => format!("{name} ({extent}) would not say more of {measure}"),
            (true, Some(ratio)) if ratio < 1.15 => {
                format!("Without {name} the interval of {measure} would hardly change")
            }
            (true, Some(ratio)) => {
                format!("Without {name} the 90% interval of {measure} would be {ratio:.1} times as wide")
            }
            (false, Some(ratio)) if ratio > 0.9 => {
                format!("{name} ({extent}) would hardly narrow the interval of {measure}")
            }
            (false, Some(ratio)) => format!(
                "{name} ({extent}) would narrow the 90% interval of {measure} to about {:.0}% of its width (simulated)",
                100.0 * ratio
            ),
        }
    }
}

/// What a run says of a measure: total over territories, by draw.
type Total = fn(&Prediction) -> f64;

const QUESTIONS: [(File, &str, &str, Total); 6] = [
    (File::Outlets, "number", "dark customers", |p| p.dark_customers.iter().sum()),
    (File::Captures, "number", "dark customers", |p| p.dark_customers.iter().sum()),
    (File::Outlets, "size", "dark demand", |p| p.dark_demand.iter().sum()),
    (File::Panel, "number x size", "dark demand", |p| p.dark_demand.iter().sum()),
    (File::Wallets, "number x size", "dark demand", |p| p.dark_demand.iter().sum()),
    (File::Wallets, "wallet", "served demand", |p| p.served_demand.iter().sum()),
];

/// What each file is worth; in a fixed order.
pub(super) fn of_files(
    observed: &Observed,
    settings: &Settings,
    base: &Fit,
    progress: &(dyn Fn(f64) + Sync),
) -> Vec<FileWorth> {
    let settings = Settings { draws: DRAWS, effort: (EFFORT * settings.effort).max(0.05), ..settings.clone() };
    let truth = median_draw(&base.predictions);
    let Some(truth) = truth else { return Vec::new() };
    let files = [File::Outlets, File::Captures, File::Panel, File::Wallets];
    let mut markets = vec![(None, observed.clone(), String::new())];
    for file in files {
        let (market, extent) = match has(observed, file) {
            true => (without(observed, file), String::new()),
            false => with(observed, file, truth, settings.seed),
        };
        markets.push((Some(file), market, extent));
    }
    let done = std::sync::atomic::AtomicUsize::new(0);
    let count = markets.len();
    let runs: Vec<(Option<File>, Fit, String)> = markets
        .into_par_iter()
        .map(|(file, market, extent)| {
            let run = fit(&market, &settings, Patience::Once, &|_| ());
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress(done as f64 / count as f64);
            (file, run, extent)
        })
        .collect();
    QUESTIONS
        .iter()
        .filter_map(|&(file, aspect, measure, total)| {
            let now = width(&runs.first()?.1, measure, total);
            let (_, run, extent) = runs.iter().find(|run| run.0 == Some(file))?;
            let other = width(run, measure, total);
            let ratio = match (now, other) {
                (Some(now), Some(other)) if now > 0.0 => Some(other / now),
                _ => None,
            };
            let present = has(observed, file);
            // What nothing speaks to today has no width to narrow; `identification` says so.
            now.is_some().then(|| FileWorth { file, aspect, measure, present, ratio, extent: extent.clone() })
        })
        .collect()
}

/// Width of the 90% interval over the median; `None` where the files do not speak of the measure.
fn width(fit: &Fit, measure: &str, total: Total) -> Option<f64> {
    let spoken = match measure {
        "dark customers" => fit.basis.customers,
        "dark demand" => fit.basis.dark_demand(),
        _ => fit.basis.demand,
    };
    let totals: Vec<f64> = fit.predictions.iter().map(total).collect();
    let summary = Summary::of(&totals).filter(|summary| spoken && summary.q50 > 0.0)?;
    Some((summary.q95 - summary.q05) / summary.q50)
}

fn median_draw(predictions: &[Prediction]) -> Option<&Prediction> {
    let mut order: Vec<(f64, &Prediction)> = predictions.iter().map(|p| (p.dark_demand.iter().sum(), p)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    order.get(order.len() / 2).map(|row| row.1)
}

fn has(observed: &Observed, file: File) -> bool {
    match file {
        File::Outlets => observed.territories.iter().any(|territory| territory.outlets.is_some()),
        File::Captures => observed.captures.is_some(),
        File::Panel => {
            observed.market_demand.is_some() || observed.territories.iter().any(|territory| territory.demand.is_some())
        }
        File::Wallets => observed.customers.iter().any(|customer| customer.wallet.is_some()),
    }
}

fn without(observed: &Observed, file: File) -> Observed {
    let mut out = observed.clone();
    match file {
        File::Outlets => out.territories.iter_mut().for_each(|territory| territory.outlets = None),
        File::Captures => {
            out.captures = None;
            out.customers.iter_mut().for_each(|customer| customer.lists = None);
        }
        File::Panel => {
            (out.market_demand, out.market_panel_own) = (None, None);
            out.territories.iter_mut().for_each(|territory| (territory.demand, territory.panel_own) = (None, None));
        }
        File::Wallets => out.customers.iter_mut().for_each(|customer| customer.wallet = None),
    }
    out
}

/// The market with the file as it would read were `truth` true, and how much of it.
fn with(observed: &Observed, file: File, truth: &Prediction, seed: u64) -> (Observed, String) {
    let mut out = observed.clone();
    let mut rng = Stream::new(seed, "potential/worth", file as u64);
    let mut uniform = || rng.random::<f64>().max(1e-12);
    let count = out.territories.len();
    let open = |j: usize| observed.territories[j].customers.clone().filter(|&i| truth.wallets[i] > 0.0);
    // Evenly over the territories as they stand in the file.
    let some = (count / 10).max(5).min(count);
    let chosen = (0..some).map(|k| (2 * k + 1) * count / (2 * some));
    let extent = match file {
        File::Outlets => {
            chosen.for_each(|j| {
                out.territories[j].outlets = Some(open(j).count() as f64 + truth.dark_customers[j].round())
            });
            format!("audited in {some} territories")
        }
        File::Panel => {
            let demand = |j: usize| truth.served_demand[j] + truth.identified_demand[j] + truth.dark_demand[j];
            out.market_demand = Some((0..count).map(demand).sum());
            chosen.for_each(|j| out.territories[j].demand = Some(demand(j)));
            format!("the whole market and {some} territories")
        }
        File::Wallets => {
            let known: Vec<usize> = (0..count).flat_map(open).collect();
            let surveyed = SURVEYED.min(known.len());
            for k in 0..surveyed {
                let i = known[(2 * k + 1) * known.len() / (2 * surveyed)];
                let error = libm::exp(SURVEY_ERROR * normal_f64(uniform()));
                out.customers[i].wallet = Some(f64::from(truth.wallets[i]) * error);
            }
            format!("{surveyed} customers asked")
        }
        File::Captures => {
            let mut counts = Vec::with_capacity(count);
            for j in 0..count {
                let mut cells = vec![0.0; 8];
                let mut on = || usize::from(uniform() < LISTED);
                let known: Vec<usize> = open(j).collect();
                for i in known {
                    let history = 1 | on() << 1 | on() << 2;
                    cells[history] += 1.0;
                    out.customers[i].lists = Some(history as u32);
                }
                for _ in 0..truth.dark_customers[j].round() as u64 {
                    let history = on() << 1 | on() << 2;
                    cells[history] += f64::from(u8::from(history > 0));
                }
                counts.push(Some(cells));
            }
            let lists = ["customers.csv", "first", "second"].map(str::to_owned).to_vec();
            out.captures = Some(ObservedCaptures { lists, own: Some(0), counts, by_segment: Vec::new() });
            "two bought lists that name 40% each".to_owned()
        }
    };
    (out, extent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::potential::observed::{ObservedCustomer, ObservedTerritory};

    /// Twelve territories, a panel in each and audits in half of them.
    fn market() -> Observed {
        let mut out = Observed { months: 36, ..Default::default() };
        for j in 0..12_u32 {
            let first = out.customers.len();
            for i in 0..30 + 2 * j {
                out.customers.push(ObservedCustomer {
                    own_year: 10.0 + f64::from(i),
                    served: true,
                    active: 1 + i % 9,
                    exposed: 20,
                    silent: i % 6,
                    log_order: Some(1.0 + 0.05 * f64::from(i % 20)),
                    orders: 1 + i % 9,
                    ..Default::default()
                });
            }
            let known = f64::from(30 + 2 * j);
            out.territories.push(ObservedTerritory {
                id: format!("T{j}"),
                population: Some(1000.0 * known),
                outlets: (j % 2 == 0).then_some(2.0 * known),
                demand: Some(120.0 * known),
                customers: first..out.customers.len(),
                ..Default::default()
            });
        }
        out
    }

    #[test]
    fn a_file_that_says_much_is_worth_much() {
        let observed = market();
        let settings = Settings { draws: 80, effort: 0.5, worth_of_files: false, ..Settings::default() };
        let base = fit(&observed, &settings, Patience::Once, &|_| ());
        let worth = of_files(&observed, &settings, &base, &|_| ());
        let of = |file, measure| worth.iter().find(|row| row.file == file && row.measure == measure).unwrap();
        let outlets = of(File::Outlets, "dark customers");
        assert!(outlets.present && outlets.ratio.unwrap() > 1.5, "{outlets:?}");
        let lists = of(File::Captures, "dark customers");
        assert!(!lists.present && lists.ratio.unwrap() < 1.1, "{lists:?}");
        assert!(of(File::Panel, "dark demand").ratio.is_none_or(|ratio| ratio > 1.2));
        let wallets = of(File::Wallets, "served demand");
        assert!(!wallets.present && wallets.ratio.unwrap() < 0.9, "{wallets:?}");
        assert!(worth.iter().all(|row| row.finding().len() > 20));
    }

    #[test]
    fn a_made_up_file_is_what_the_draw_says() {
        let observed = without(&without(&market(), File::Outlets), File::Panel);
        let count = observed.customers.len();
        let truth = Prediction {
            dark_customers: vec![7.0; 12],
            dark_demand: vec![70.0; 12],
            served_demand: vec![200.0; 12],
            identified_demand: vec![30.0; 12],
            wallets: vec![5.0; count],
            ..Default::default()
        };
        let (with_outlets, _) = with(&observed, File::Outlets, &truth, 1);
        let audited: Vec<f64> = with_outlets.territories.iter().filter_map(|territory| territory.outlets).collect();
        assert_eq!((audited.len(), audited[0]), (5, 39.0));
        let (with_panel, _) = with(&observed, File::Panel, &truth, 1);
        assert_eq!(with_panel.market_demand, Some(3600.0));
        let (with_lists, _) = with(&observed, File::Captures, &truth, 1);
        let cells = with_lists.captures.unwrap().counts[3].clone().unwrap();
        // All known are on the first list; of seven dark ones some are on none.
        let known: f64 = [1, 3, 5, 7].iter().map(|&history| cells[history]).sum();
        assert_eq!(known, 36.0);
        assert!(cells[0] == 0.0 && cells[2] + cells[4] + cells[6] <= 7.0);
        assert_eq!(without(&with(&observed, File::Wallets, &truth, 1).0, File::Wallets), observed);
    }
}
