//! Data flows one way: a module may import only modules that stand before it.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by layer, lowest first. Modules of one layer may not import each other unless listed in `SIBLINGS`.
const LAYERS: &[&[&str]] = &[
    &["units", "ids", "channel", "origin", "stats", "problem", "geometry", "rng", "lanes", "calendar"],
    &["samplers"],
    &["scenario", "data"],
    &["market"],
    &["simulate"],
    &["calibrate"],
    &["potential"],
    &["trial", "strategy"],
    &["optimise"],
    &["synth", "report", "store"],
    &["cli"],
];

/// Imports within a layer that are meant: (from, to).
const SIBLINGS: &[(&str, &str)] = &[("rng", "ids"), ("rng", "lanes"), ("report", "store")];

/// `simulate` knows no market and no scenario: parameters and policies reach it as plain columns.
const FORBIDDEN: &[(&str, &str)] = &[
    ("simulate", "market"),
    ("simulate", "data"),
    ("simulate", "scenario"),
    ("scenario", "data"),
    ("report", "simulate"),
    ("synth", "strategy"),
    ("synth", "calibrate"),
];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("module `{module}` has no layer: give it one in tests/architecture.rs"))
}

/// Top-level modules named by `crate::name` (also inside `use crate::{a, b}`) outside of tests.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let mut found = Vec::new();
    for (position, _) in code.match_indices("crate::") {
        let rest = &code[position + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 1 && (c.is_alphanumeric() || c == '_') {
                    name.push(c);
                } else if depth == 1 && (c == ',' || c == ':') && !name.is_empty() {
                    found.push(std::mem::take(&mut name));
                } else if depth == 0 {
                    found.push(std::mem::take(&mut name));
                    break;
                }
            }
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

#[test]
fn imports_follow_the_arrows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "the source tree was not found");
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            if import == module || !LAYERS.iter().flat_map(|layer| layer.iter()).any(|known| *known == import) {
                continue;
            }
            let pair = (module.as_str(), import.as_str());
            let sibling = layer(&module) == layer(&import) && layer(&module) > 0 && !SIBLINGS.contains(&pair);
            if layer(&import) > layer(&module) || sibling || FORBIDDEN.contains(&pair) {
                wrong.push(format!("{} imports {import}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the arrows:\n{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_an_import_against_the_arrow() {
    assert_eq!(imports("use crate::cli::main;\nuse crate::{units::Month, ids};"), ["cli", "units", "ids"]);
    assert!(layer("cli") > layer("data"));
}
