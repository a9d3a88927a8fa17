//! Artificial moves of rivals, learnt from the panel: loading, campaigns and stock-outs, apart from season, feasts and trend;
//! without companies in the panel, dips that all our own sales share.
//!
//! Here a market's series are laid out and what [`super::pulses`] finds in them is turned into rows of `actions_found.csv`;
//! equations and sources are there. Depths: a load in months of the whole category's demand, as the simulator counts it
//! ([`crate::simulate::mechanisms::loading`]); a campaign or stock-out in what it adds to the rival's sales of a month, as a share
//! of them, from its log odds β and the rival's share s: `exp(β) / (1 - s + s exp(β)) - 1`; a dip as the part of our sales that
//! was missing, of a rival that nothing names (`*`).

use crate::calibrate::feasts::FeastModel;
use crate::calibrate::observed::Observed;
use crate::calibrate::priors::Priors;
use crate::calibrate::pulses::{self, Found, Kind, Series, Shifts, Sight};
use crate::calibrate::response::Point;
use crate::calibrate::{ActionFound, MoveKind, RivalMove};
use crate::data::ActionKind;
use crate::ids::{CompanyIx, Index as _};
use crate::market::Market;
use crate::stats::Summary;
use crate::units::{Date, Month, days_in};

/// Companies that are looked at one by one, the largest; the others are one.
const COMPANIES: usize = 8;
/// Groups of territories that our own sales are looked at in.
const GROUPS: usize = 6;
/// What a name stands for that nothing tells.
const UNKNOWN: &str = "*";

/// By company and month.
type CompanySales = Vec<Vec<f64>>;

/// What the panel says of rivals' moves.
#[derive(Debug, Clone, Default)]
pub struct PanelMoves {
    /// Those that `actions.csv` does not name.
    pub moves: Vec<ActionFound>,
    /// All of them, as the twin repeats them.
    pub past: Vec<RivalMove>,
    /// Log of the category's sales with rivals' moves over those without; nothing without companies in the panel.
    pub category: Shifts,
    /// The same of our own sales; nothing where the panel does not have them throughout.
    pub own: Shifts,
}

/// Scans the panel's company series alone. Empty without them. Moves that `actions.csv` names already are left out.
pub fn in_panel(market: &Market, feasts: bool, seed: u64) -> PanelMoves {
    let priors = Priors::default();
    panel_moves(market, &FeastModel::new(market, &priors, feasts), seed)
}

/// Scans our own sales, where the panel has no companies.
pub fn in_own_sales(
    market: &Market,
    observed: &Observed,
    point: &Point,
    feasts: &FeastModel,
    seed: u64,
) -> Vec<ActionFound> {
    let series = own_series(market, observed, point, feasts);
    let moves = pulses::estimate(&series, seed).moves;
    moves.iter().filter(|found| !ours(market, found)).filter_map(|found| dip(market, found)).collect()
}

/// Scans the panel's company series under a model of the feasts.
pub fn panel_moves(market: &Market, feasts: &FeastModel, seed: u64) -> PanelMoves {
    let Some((ids, sales)) = companies(market) else { return PanelMoves::default() };
    let ours = ids.iter().position(|id| *id == Some(0));
    let series = Series { own: ours, ..series(market, feasts, sales, Sight::Panel) };
    let estimate = pulses::estimate(&series, seed);
    let past = estimate.moves.iter().filter_map(|found| {
        let company = ids[found.company].filter(|company| *company > 0)?;
        let kind = match found.kind {
            Kind::Loading => MoveKind::Loading,
            Kind::Campaign => MoveKind::Campaign,
            Kind::Stockout => MoveKind::Stockout,
            Kind::Dip => return None,
        };
        let (first, length, probability, depths) = (found.first, found.length, found.probability, found.depths.clone());
        Some(RivalMove { company, kind, first, length, probability, depths })
    });
    let past = past.collect();
    let own = estimate.own;
    let all: f64 = series.sales.iter().flatten().filter(|x| **x > 0.0).sum();
    let moves = estimate.moves.iter().filter_map(|found| {
        let company = ids[found.company].filter(|company| *company > 0)?;
        let share = series.sales[found.company].iter().filter(|x| **x > 0.0).sum::<f64>() / all;
        (!known(market, company, found)).then(|| report(market, company, share, found))?
    });
    PanelMoves { moves: moves.collect(), past, category: estimate.category, own }
}

/// The panel's sales by company, largest first, and which companies they are: of the whole market, or of the territories
/// whose every month has company rows. The small and those that were not there all the time are together at the end.
fn companies(market: &Market) -> Option<(Vec<Option<usize>>, CompanySales)> {
    let panel = market.panel.as_ref()?;
    let months = market.months();
    let count = market.data.companies.ids.len();
    let series: Vec<Vec<f64>> = if panel.market_company.is_empty() {
        let territories = panel.company.iter().zip(&panel.category);
        let full: Vec<&Vec<Vec<f64>>> = territories
            .filter(|(company, category)| !company.is_empty() && category.iter().all(Option::is_some))
            .map(|(company, _)| company)
            .collect();
        if full.is_empty() {
            return None;
        }
        (0..count).map(|k| (0..months).map(|t| full.iter().map(|company| company[k][t]).sum()).collect()).collect()
    } else {
        let known = |t: usize| panel.market_category[t].is_some();
        let month =
            |s: &Vec<f64>| (0..months).map(|t| if known(t) { s[t].max(0.0) } else { pulses::NOTHING_KNOWN }).collect();
        panel.market_company.iter().map(month).collect()
    };
    let there = |s: &[f64]| s.iter().filter(|x| **x > 0.0).count() * 4 >= months * 3;
    let total = |s: &[f64]| s.iter().filter(|x| **x > 0.0).sum::<f64>();
    let mut order: Vec<usize> = (0..series.len()).filter(|&k| there(&series[k])).collect();
    order.sort_by(|&a, &b| total(&series[b]).total_cmp(&total(&series[a])).then(a.cmp(&b)));
    order.truncate(COMPANIES);
    let mut ids: Vec<Option<usize>> = order.iter().map(|&k| Some(k)).collect();
    let mut sales: Vec<Vec<f64>> = order.iter().map(|&k| series[k].clone()).collect();
    let rest: Vec<&Vec<f64>> = (0..series.len()).filter(|k| !order.contains(k)).map(|k| &series[k]).collect();
    let others: Vec<f64> = (0..months)
        .map(|t| rest.iter().map(|s| s[t]).reduce(|a, b| if a < 0.0 { a } else { a + b }).unwrap_or(0.0))
        .collect();
    if there(&others) {
        ids.push(None);
        sales.push(others);
    }
    (sales.len() >= 2).then_some((ids, sales))
}

fn series(market: &Market, feasts: &FeastModel, sales: CompanySales, sight: Sight) -> Series {
    Series {
        sales,
        of_year: market.history.months().map(Month::of_year).collect(),
        feasts: market.history.months().map(|month| feasts.exposures.row(month)).collect(),
        feast_sd: feasts.prior.iter().map(|prior| prior.1).collect(),
        sight,
        own: None,
    }
}

/// Our sales by group of territories, freed of customers won and lost and of our contacts.
fn own_series(market: &Market, observed: &Observed, point: &Point, feasts: &FeastModel) -> Series {
    // What a group's customers lead to expect has the months that all have in common in it: they are put back.
    let (total, exposure) = observed.pooled(point);
    let parts = observed.territory_months(point);
    let groups = GROUPS.min(parts.len()).max(1);
    let sales = (0..groups)
        .map(|group| {
            let those = parts.len() * group / groups..parts.len() * (group + 1) / groups;
            (0..market.months())
                .map(|t| {
                    let sold: f64 = parts[those.clone()].iter().map(|part| part.total[t]).sum();
                    let expected: f64 = parts[those.clone()].iter().map(|part| part.expected[t]).sum();
                    if expected > 0.0 && exposure[t] > 0.0 {
                        sold / expected * total[t] / exposure[t]
                    } else {
                        pulses::NOTHING_KNOWN
                    }
                })
                .collect()
        })
        .collect();
    series(market, feasts, sales, Sight::OwnSales)
}

/// First and last month of a move.
fn span(market: &Market, found: &Found) -> (Month, Month) {
    let last = (found.first + found.length - 1).min(market.months() - 1);
    (market.history.at(found.first), market.history.at(last))
}

/// `actions.csv` already has a move of this kind of this rival in these months.
fn known(market: &Market, company: usize, found: &Found) -> bool {
    let (first, last) = span(market, found);
    let loads = found.kind == Kind::Loading;
    market.data.actions.iter().flatten().any(|action| {
        action.company.usize() == company
            && (action.kind == ActionKind::Loading) == loads
            && action.start.month() <= last
            && first <= action.end.month()
    })
}

/// We did something ourselves in these months or the two before, which explains a dip.
fn ours(market: &Market, found: &Found) -> bool {
    let (first, last) = span(market, found);
    market.data.actions.iter().flatten().any(|action| {
        action.company.usize() == 0 && action.start.month() <= last && first <= action.end.month().plus(2)
    })
}

fn report(market: &Market, company: usize, share: f64, found: &Found) -> Option<ActionFound> {
    let sign = if found.kind == Kind::Stockout { -1.0 } else { 1.0 };
    let of_sales = |depth: f64| {
        let odds = libm::exp(sign * depth);
        odds / (1.0 - share + share * odds) - 1.0
    };
    let (kind, unit, depths) = match found.kind {
        Kind::Loading => ("loading", "months of demand", found.depths.clone()),
        Kind::Stockout => ("stockout", "share of sales", found.depths.iter().map(|&d| of_sales(d)).collect()),
        _ => ("campaign", "share of sales", found.depths.iter().map(|&d| of_sales(d)).collect()),
    };
    row(market, market.data.companies.ids.name(CompanyIx::from_usize(company)), found, kind, unit, &depths)
}

fn dip(market: &Market, found: &Found) -> Option<ActionFound> {
    row(market, UNKNOWN, found, "campaign", "share of our sales", &found.depths)
}

fn row(market: &Market, company: &str, found: &Found, kind: &str, unit: &str, depths: &[f64]) -> Option<ActionFound> {
    let (first, last) = span(market, found);
    Some(ActionFound {
        company: company.to_owned(),
        territory: "*".to_owned(),
        start: Date::new(first.year(), first.of_year() as u32 + 1, 1)?,
        end: Date::new(last.year(), last.of_year() as u32 + 1, days_in(last))?,
        kind: kind.to_owned(),
        unit: unit.to_owned(),
        depth: Summary::of(depths)?,
        // Nothing learnt from the shape of series is surer than this.
        probability: found.probability.min(0.99),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::{Purpose, Source};
    use crate::calibrate::testing::{Recipe, make};
    use crate::market::PanelView;

    /// A market of three companies, the first ours, whose second loads 0.3 months of demand in month 30 (of 48).
    fn market() -> Market {
        let mut market = make(&Recipe { customers: 20, months: 48, calls: false, ..Recipe::default() });
        for id in ["rival", "late"] {
            market.data.companies.ids.intern(id);
            market.data.companies.name.push(id.into());
        }
        let mut source = Source::new(1, Purpose::Series, 0);
        let months: Vec<[f64; 3]> = (0..48)
            .map(|t| {
                let demand = 1000.0 * if t == 31 { 0.7 } else { 1.0 };
                let ours = 0.4 * demand * libm::exp(0.01 * source.normal());
                let load = if t == 30 { 300.0 } else { 0.0 };
                [ours, (0.6 * demand + load) * libm::exp(0.01 * source.normal()), if t > 30 { 5.0 } else { 0.0 }]
            })
            .collect();
        let company: Vec<Vec<f64>> = (0..3).map(|k| months.iter().map(|month| month[k]).collect()).collect();
        let category = months.iter().map(|month| Some(month.iter().sum())).collect();
        market.panel = Some(PanelView {
            category: Vec::new(),
            company: Vec::new(),
            market_category: category,
            market_company: company,
        });
        market
    }

    #[test]
    fn a_load_in_the_panel_is_a_row() {
        let market = market();
        let found = in_panel(&market, true, 1);
        let row = found.moves.iter().find(|row| row.kind == "loading").expect("the load");
        assert_eq!((row.company.as_str(), row.unit.as_str()), ("rival", "months of demand"));
        assert_eq!((row.start.to_string(), row.end.to_string()), ("2020-07-01".to_owned(), "2020-07-31".to_owned()));
        assert!((row.depth.mean - 0.3).abs() < 0.05 && row.probability > 0.9, "{row:?}");
        assert!(found.moves.iter().all(|row| row.company == "rival"), "ours and those not there are not rivals' moves");
        let load = found.past.iter().find(|past| past.kind == MoveKind::Loading).expect("the load");
        assert_eq!((load.company, load.first, load.length), (1, 30, 1));
        // Ours are missing a month later, and nothing else happened to them.
        assert!(found.own.mean(31) < -0.2 && found.own.mean(30).abs() < 0.05 && found.own.mean(20).abs() < 0.02);
        assert!(found.category.mean(30) > 0.15 && found.category.mean(31) < -0.2);
    }

    #[test]
    fn what_is_known_is_not_found_again_and_without_companies_there_is_nothing() {
        let mut market = market();
        market.data.actions = Some(vec![crate::data::Action {
            company: CompanyIx::from_usize(1),
            territory: None,
            start: "2020-07-01".parse().unwrap(),
            end: "2020-07-31".parse().unwrap(),
            kind: crate::data::ActionKind::Loading,
            intensity: None,
        }]);
        assert!(in_panel(&market, true, 1).moves.iter().all(|row| row.kind != "loading"));
        market.panel = None;
        assert!(in_panel(&market, true, 1).moves.is_empty());
    }
}
