//! The README's smallest market is copied from the README and run, so that it cannot rot.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// Code blocks that follow a line with a file name in backquotes: (file name, text).
fn files(readme: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = readme.lines().peekable();
    while let Some(line) = lines.next() {
        let name = line.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let Some(name) = name.filter(|name| name.starts_with("market/")) else { continue };
        let block = lines.by_ref().skip_while(|line| !line.starts_with("```")).skip(1);
        let text: String = block.take_while(|line| !line.starts_with("```")).map(|line| format!("{line}\n")).collect();
        found.push((name.to_owned(), text));
    }
    found
}

#[test]
fn the_smallest_market_of_the_readme_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let files = files(&readme);
    assert_eq!(files.len(), 4, "four files are enough: {files:?}");
    fs::create_dir(folder.path().join("market")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let ikiz = |command: &str| {
        let mut ikiz = Command::cargo_bin("ikiz").unwrap();
        ikiz.current_dir(folder.path()).args([command, "--market", "market"]).arg(root.join("scenarios/minimal.toml"));
        ikiz
    };
    ikiz("check").assert().success();
    ikiz("run").arg("--quiet").assert().success();
    let report = fs::read_to_string(folder.path().join("output/minimal/report.html")).unwrap();
    assert!(report.contains("My market"));
}

#[test]
fn links_of_the_readme_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for target in readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(target.starts_with("http") || root.join(target).exists(), "{target} is not there");
    }
}
