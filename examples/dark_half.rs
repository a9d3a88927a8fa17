//! Estimates the dark half of a market directory alone and writes the measures that can be scored against a truth.
//!
//! `cargo run --release --example dark_half -- MARKET_DIR OUT.csv [SEED]`

use std::io::Write as _;

use ikiz::market::Market;
use ikiz::potential::{Settings, estimate};
use ikiz::stats::Summary;

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: dark_half MARKET_DIR OUT.csv [SEED]".into());
    };
    let seed = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let loaded = ikiz::data::load(std::path::Path::new(&folder)).map_err(|refused| format!("{refused:?}"))?;
    let market = Market::new(loaded.market, None, None);
    let started = std::time::Instant::now();
    let settings = Settings { seed, ..Settings::default() };
    let dark = estimate(&market, &settings, &|_| ())?;
    eprintln!("{:.1} s", started.elapsed().as_secs_f64());
    if std::env::var_os("SHOW").is_some() {
        for row in &dark.diagnostics {
            eprintln!(
                "{:32} {:9.3} sd {:7.3}  R-hat {:.3}  effective {:.0}",
                row.parameter, row.summary.mean, row.summary.sd, row.r_hat, row.effective_draws
            );
        }
        for row in &dark.size_ratio_sensitivity {
            eprintln!(
                "R about {}: {:.0} ({:.0} effective)",
                row.prior_median, row.dark_demand.q50, row.effective_draws
            );
        }
        for row in &dark.identification {
            eprintln!("{}: {:.2}: {}", row.aspect, row.contraction, row.finding);
        }
        for row in &dark.evidence {
            eprintln!(
                "{} {} {:.0} [{:.0}, {:.0}] {}",
                row.name, row.measure, row.estimate.q50, row.estimate.q05, row.estimate.q95, row.remark
            );
        }
        for note in &dark.notes {
            eprintln!("note: {note}");
        }
    }
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "territory_id,segment,measure,unit,mean,sd,q05,q25,q50,q75,q95")?;
    for j in 0..market.territory_count() {
        for measure in ["dark_customers", "dark_demand", "total_demand"] {
            let draws: Vec<f64> = (0..dark.dark_demand.len())
                .map(|d| match measure {
                    "dark_customers" => dark.dark_customers[d][j],
                    "dark_demand" => dark.dark_demand[d][j],
                    _ => dark.dark_demand[d][j] + dark.served_demand[d][j] + dark.identified_demand[d][j],
                })
                .collect();
            if let Some(s) = Summary::of(&draws) {
                let id = market.data.territory_id(j);
                writeln!(
                    file,
                    "{id},*,{measure},,{},{},{},{},{},{},{}",
                    s.mean, s.sd, s.q05, s.q25, s.q50, s.q75, s.q95
                )?;
            }
        }
    }
    Ok(())
}
