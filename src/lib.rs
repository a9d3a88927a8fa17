//! ikiz rebuilds a market as agents, calibrates them against a company's history, estimates what the half it cannot
//! see holds, and compares growth strategies on that twin.
//!
//! Data flows one way; a test (`tests/architecture.rs`) fails on an import against it:
//!
//! ```text
//! units ids channel origin stats problem geometry rng lanes calendar
//!   <- samplers <- scenario, data <- market <- simulate <- calibrate <- potential <- trial, strategy <- optimise <- report   (cli on top)
//! ```
//!
//! `synth` sits above `simulate` (it runs the agents over the past to make a market whose truth is known), `store`
//! writes folders whole or not at all. Only `data`, `scenario`, `store`, `synth`, `report::export` and `cli` touch files.

pub mod calendar;
pub mod calibrate;
pub mod channel;
pub mod cli;
pub mod data;
pub mod geometry;
pub mod ids;
pub mod lanes;
pub mod market;
pub mod optimise;
pub mod origin;
pub mod potential;
pub mod problem;
pub mod report;
pub mod rng;
pub mod samplers;
pub mod scenario;
pub mod simulate;
pub mod stats;
pub mod store;
pub mod strategy;
pub mod synth;
pub mod trial;
pub mod units;
