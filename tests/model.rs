//! `docs/model.md` holds the registry as it is.

use std::path::PathBuf;

use ikiz::scenario::{MECHANISMS, Support, parameter_tables};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn model() -> String {
    std::fs::read_to_string(root().join("docs/model.md")).unwrap().replace("\r\n", "\n")
}

#[test]
fn the_tables_of_the_model_are_those_of_the_registry() {
    let text = model();
    let (_, rest) =
        text.split_once("<!-- registry: begin -->\n").expect("docs/model.md marks where the registry begins");
    let (tables, _) = rest.split_once("<!-- registry: end -->").expect("docs/model.md marks where the registry ends");
    assert!(
        tables.trim() == parameter_tables().trim(),
        "the tables of docs/model.md are not those of the registry (src/scenario/mechanisms/table.rs); put between its marks \
         what this prints:\n\n    cargo run --release -- schema --parameters\n"
    );
}

#[test]
fn every_mechanism_has_its_file_and_is_described() {
    let text = model();
    let mut files: Vec<String> = std::fs::read_dir(root().join("src/simulate/mechanisms"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| file != "mod.rs")
        .collect();
    files.sort();
    for mechanism in MECHANISMS.iter().filter(|mechanism| !mechanism.file.is_empty()) {
        let file = format!("{}.rs", mechanism.file);
        assert!(files.contains(&file), "`{}` names a file that is not there: {file}", mechanism.name);
    }
    for file in files {
        assert!(text.contains(&format!("`{file}`")), "docs/model.md does not speak of {file}");
    }
}

#[test]
fn every_prior_lies_where_its_parameter_can() {
    use ikiz::scenario::Prior;
    for mechanism in MECHANISMS {
        let mut names = std::collections::BTreeSet::new();
        for parameter in mechanism.parameters {
            let name = format!("{}.{}", mechanism.name, parameter.name);
            assert!(names.insert(parameter.name), "{name} is there twice");
            assert!(!parameter.source.is_empty() && !parameter.help.is_empty(), "{name} says what it is and why");
            let fits = match (parameter.support, parameter.prior) {
                (_, None) | (Support::Real, _) => true,
                (Support::Positive, Some(prior)) => {
                    matches!(prior, Prior::Lognormal { .. }) || matches!(prior, Prior::Fixed(value) if value >= 0.0)
                }
                (Support::Fraction, Some(prior)) => {
                    matches!(prior, Prior::Beta { .. } | Prior::Lognormal { .. })
                        || matches!(prior, Prior::Fixed(value) if (0.0..=1.0).contains(&value))
                }
            };
            assert!(fits, "{name}: {:?}", parameter.prior);
        }
    }
}
