//! Names of measures and metrics as a reader says them.

use crate::scenario::Objective;

/// A measure of `potential.csv`.
pub fn measure(name: &str) -> String {
    match name {
        "dark_customers" => "Dark customers",
        "dark_demand" => "Dark demand",
        "white_space" => "White space",
        "served_demand" => "Served customers' demand",
        "total_demand" => "Category demand",
        "own_sales" => "Our sales",
        "penetration" => "Penetration",
        "share_of_wallet" => "Share of wallet",
        "headroom" => "Headroom",
        "untapped_share" => "Untapped share",
        "attainable_sales" => "Attainable sales",
        "bdi" => "BDI",
        "cdi" => "CDI",
        "evolution_index" => "Evolution index",
        "p_won" => "P(won)",
        "attainable_share" => "Attainable share",
        other => return spaced(other),
    }
    .to_owned()
}

/// A metric of `strategies.csv`.
pub fn metric(name: &str) -> String {
    match name {
        "incremental_sales" => "Incremental sales",
        "incremental_margin" => "Incremental margin",
        "cost" => "Cost",
        "roi" => "ROI",
        "npv" => "NPV",
        "payback_months" => "Payback",
        "new_customers" => "New customers",
        "customers_found" => "Customers found",
        "cash_low_point" => "Cash low point",
        "break_even" => "Gain that must come true",
        "incremental_sales_present" => "Of that, customers we have",
        "incremental_sales_others" => "Of that, others",
        "p_target" => "P(target)",
        "chance_share" => "Part that is chance",
        "share" => "Market share",
        "p_best" => "P(best)",
        "p_best_chance" => "Of that, chance",
        "p_loss" => "P(loss)",
        "regret" => "Regret",
        other => return spaced(other),
    }
    .to_owned()
}

/// An aspect of the dark half that is identified or not.
pub fn aspect(name: &str) -> String {
    match name {
        "number" => "How many dark customers",
        "size" => "How large each of them is",
        "number x size" => "What they buy together",
        "wallet" => "What customers on file buy elsewhere",
        other => return spaced(other),
    }
    .to_owned()
}

/// Name of the metric that an objective maximises.
pub fn objective(objective: Objective) -> &'static str {
    match objective {
        Objective::Npv => "npv",
        Objective::IncrementalSales => "incremental_sales",
        Objective::IncrementalMargin => "incremental_margin",
    }
}

/// A part of `[optimise]`.
pub fn of_part(name: &str) -> String {
    match name {
        "headcount" => "Reps",
        "calls" => "Calls on whom it selects",
        other => return spaced(other),
    }
    .to_owned()
}

/// "new_customers" to "New customers".
fn spaced(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_nobody_thought_of_are_still_readable() {
        assert_eq!(metric("regret_cvar"), "Regret cvar");
        assert_eq!(measure(""), "");
    }
}
