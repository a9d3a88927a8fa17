//! What would simulation-based calibration notice? Runs it as `ikiz calibrate --sbc` does, with deliberate faults:
//! `cargo run --release --example sbc_power -- [fits] [likelihood counts times] [shift of the draws] [seed]`.
//!
//! Without faults these are `500 1 0`. The likelihood of the response may count several times; draws may be moved by a part of their
//! deviation, which is shown beside what they are.

use std::error::Error;

use ikiz::calibrate::Settings;
use ikiz::calibrate::sbc::{self, Quantity, Sbc};
use ikiz::potential::attainable::standard_prospect;
use ikiz::scenario::Effort;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: f64| arguments.get(at).map_or(Ok(otherwise), |word| word.parse::<f64>());
    let (fits, likelihood_times, shift) = (number(0, 50.0)? as usize, number(1, 1.0)?, number(2, 0.0)?);
    let seed = number(3, 1.0)? as u64;
    let calibration = Settings { seed, likelihood_times, ..Settings::default() };
    let settings = sbc::Settings { shifts: vec![shift], ..sbc::Settings::new(fits, calibration) };
    let effort = Effort { calls_per_month: 1.0, months: 24 };
    let derived = |draw: &ikiz::calibrate::Draw| vec![("untapped_share".to_owned(), standard_prospect(draw, effort))];
    let found = sbc::run(&settings, &derived, &|_| ())?;
    table(&found, &found.quantities);
    if shift != 0.0 {
        println!("\ndraws moved by {shift} of their deviation:\n");
        table(&found, &found.shifted[0]);
    }
    Ok(())
}

fn table(found: &Sbc, quantities: &[Quantity]) {
    println!("| quantity | mean rank | cover90 | p |\n|---|---|---|---|");
    for quantity in quantities {
        println!(
            "| {} | {:.2} | {:.2} | {:.2e} |",
            quantity.name,
            quantity.mean(found.draws),
            quantity.cover90(found.draws),
            quantity.p_value
        );
    }
    let outside: Vec<&str> = quantities.iter().filter(|q| !found.within(q)).map(|q| q.name.as_str()).collect();
    println!("\noutside the band: {}", if outside.is_empty() { "none".to_owned() } else { outside.join(", ") });
}
