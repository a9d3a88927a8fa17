//! Attainable sales against population: a potential that only redraws population is no finding.

use super::super::colour;
use super::super::error::ReportError;
use super::super::figure::{Unit, percent, rounded};
use super::super::findings::Findings;
use super::super::font::{self, Weight};
use super::super::potential_index::{Potential, inhabitants};
use super::super::scale::logarithmic_ticks;
use super::super::svg::{Anchor, Type};
use super::pen::{Axis, heading_height, picture};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 84.0;
/// Territories named in the chart.
const NAMES: usize = 12;
/// Fewer points than this say nothing about a relation.
const ENOUGH: usize = 5;

/// A territory in the chart.
struct Point<'a> {
    name: &'a str,
    people: f64,
    value: f64,
    /// Log10 of what could be won over what the population alone would suggest.
    above: f64,
}

/// The chart as SVG, and the share of the differences that population explains (r² of the logarithms). `None` where
/// fewer than five territories have both figures.
///
/// # Errors
/// When the chart cannot be drawn.
pub fn against_population(findings: &Findings, potential: &Potential) -> Result<Option<(String, f64)>, ReportError> {
    let measure = "attainable_sales";
    let mut points: Vec<Point> = findings
        .territories
        .iter()
        .filter_map(|territory| {
            let people = inhabitants(territory)?;
            let value = potential.territory(&territory.id, measure)?.summary.q50;
            // Logarithms of what is next to nothing would squeeze all others together.
            (value > 0.0 && value < 1e100 && people < 1e100).then_some(Point {
                name: &territory.name,
                people,
                value,
                above: 0.0,
            })
        })
        .collect();
    if points.len() < ENOUGH {
        return Ok(None);
    }
    let (total, people) =
        points.iter().fold((0.0, 0.0), |(total, people), point| (total + point.value, people + point.people));
    let per_head = total / people;
    for point in &mut points {
        point.above = libm::log10(point.value / (point.people * per_head));
    }
    let explained = r_squared(&points);
    let unit = Unit::new(potential.unit(measure).unwrap_or_default(), &findings.currency);
    let title = "Attainable sales against population";
    let subtitle = format!(
        "Each dot is a territory; both axes are logarithmic. The line is what could be won if every inhabitant were \
         worth the same: {} per 1,000 inhabitants a year. Population explains {} of the differences between \
         territories (r² of the logarithms); what is above or below the line is the finding.",
        unit.full(per_head * 1000.0),
        percent(explained)
    );
    let lines = font::wrapped(&subtitle, 12.0, Weight::Regular, WIDTH)?.len();
    let top = heading_height(lines) + 24.0;
    let logarithms = |value: fn(&Point) -> f64| {
        let bounds = points
            .iter()
            .map(value)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        (bounds.0 / 1.35, bounds.1 * 1.35)
    };
    let (fewest, most) = logarithms(|point| point.people);
    let (least, greatest) = logarithms(|point| point.value);
    let x_axis = Axis::new((libm::log10(fewest), libm::log10(most)), (LEFT, WIDTH - 16.0));
    let y_axis = Axis::new((libm::log10(least), libm::log10(greatest)), (top + HEIGHT, top));
    let (x, y) = (|people: f64| x_axis.at(libm::log10(people)), |value: f64| y_axis.at(libm::log10(value)));

    let svg = picture("against_population", title, (WIDTH, top + HEIGHT + 42.0), |pen| {
        pen.heading(title, &subtitle, WIDTH)?;
        let small = Type::new(11.0, Weight::Regular).grey();
        pen.text((0.0, top - 12.0), &format!("{} a year", unit.head()), small)?;
        for tick in logarithmic_ticks(least, greatest) {
            pen.line(&[(LEFT, y(tick)), (WIDTH - 16.0, y(tick))], colour::RULE, 1.0)?;
            pen.text((LEFT - 8.0, y(tick)), &unit.bare(tick), small.anchored(Anchor::End))?;
        }
        for tick in logarithmic_ticks(fewest, most) {
            pen.line(&[(x(tick), top + HEIGHT), (x(tick), top + HEIGHT + 4.0)], colour::GREY, 1.0)?;
            let text = rounded(tick);
            if x(tick) + font::width(&text, 11.0, Weight::Regular)? / 2.0 < WIDTH {
                pen.text((x(tick), top + HEIGHT + 13.0), &text, small.anchored(Anchor::Middle))?;
            }
        }
        pen.text(((LEFT + WIDTH) / 2.0, top + HEIGHT + 31.0), "inhabitants", small.anchored(Anchor::Middle))?;
        // The line of the mean, cut to the frame.
        let from = fewest.max(least / per_head);
        let to = most.min(greatest / per_head);
        if from < to {
            pen.line(&[(x(from), y(from * per_head)), (x(to), y(to * per_head))], colour::GREY, 1.2)?;
        }
        for point in &points {
            let tone = if point.above >= 0.0 { colour::ACCENT } else { "#a9683a" };
            pen.dot((x(point.people), y(point.value)), 5.0, colour::WHITE)?;
            pen.dot((x(point.people), y(point.value)), 4.0, tone)?;
        }
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&left, &right| {
            points[right].above.abs().total_cmp(&points[left].above.abs()).then(left.cmp(&right))
        });
        // Dots and the line take room too, so that no name lies on them.
        let on_line = (0..=150).map(|step| {
            let people = x_axis.low + (x_axis.high - x_axis.low) * f64::from(step) / 150.0;
            (x_axis.at(people), y_axis.at(people + libm::log10(per_head)), 1.0)
        });
        let busy: Vec<[f64; 4]> = points
            .iter()
            .map(|point| (x(point.people), y(point.value), 4.0))
            .chain(on_line)
            .map(|(x, y, half)| [x - half, x + half, y - half, y + half])
            .collect();
        let mut taken: Vec<[f64; 4]> = Vec::new();
        for &position in order.iter().take(NAMES) {
            let point = &points[position];
            let name = font::shortened(point.name, 11.0, Weight::Regular, 130.0)?;
            let wide = font::width(&name, 11.0, Weight::Regular)?;
            let (x, y) = (x(point.people), y(point.value));
            for (left, anchor, at) in [(x + 8.0, Anchor::Start, x + 8.0), (x - 8.0 - wide, Anchor::End, x - 8.0)] {
                let frame = [left, left + wide, y - 7.0, y + 7.0];
                let touches = |o: &[f64; 4]| o[0] < frame[1] && frame[0] < o[1] && o[2] < frame[3] && frame[2] < o[3];
                if left > LEFT && left + wide < WIDTH && !taken.iter().chain(&busy).any(touches) {
                    pen.text((at, y), &name, Type::new(11.0, Weight::Regular).anchored(anchor))?;
                    taken.push(frame);
                    break;
                }
            }
        }
        Ok(())
    })?;
    Ok(Some((svg, explained)))
}

/// Squared correlation of the logarithms; 0 when one of them does not vary.
fn r_squared(points: &[Point]) -> f64 {
    let n = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|p| (libm::log(p.people), libm::log(p.value))).collect();
    let (mean_x, mean_y) = (logs.iter().map(|l| l.0).sum::<f64>() / n, logs.iter().map(|l| l.1).sum::<f64>() / n);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in logs {
        let (x, y) = (x - mean_x, y - mean_y);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    let explained = xy * xy / (xx * yy);
    if explained.is_finite() { explained } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn population_explains_all_when_everybody_is_worth_the_same() {
        let point = |people: f64, value: f64| Point { name: "", people, value, above: 0.0 };
        let same: Vec<Point> = [10.0, 200.0, 3_000.0].map(|people| point(people, 0.3 * people)).into();
        assert!((r_squared(&same) - 1.0).abs() < 1e-12);
        assert!(r_squared(&[point(5.0, 1.0), point(5.0, 2.0)]).abs() < 1e-12);
    }
}
