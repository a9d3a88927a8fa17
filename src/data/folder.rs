//! The folder itself: which files it holds, which of them are read.

use std::fs;
use std::path::Path;

use super::log::Log;
use super::source::{Shape, Source};
use super::table::nearest;
use super::tables::InputFile;
use super::{FILES, Ignored};
use crate::problem::Problem;

/// The folder, and what has been read of it.
pub(super) struct Folder<'p> {
    path: &'p Path,
    /// Names in it, in order.
    names: Vec<String>,
    pub files: Vec<InputFile>,
}

impl<'p> Folder<'p> {
    /// Lists the folder; `None` (and a problem) when it is none.
    pub fn open(path: &'p Path, log: &mut Log) -> Option<Self> {
        let shown = path.display();
        let problem = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => match fs::read_dir(path) {
                Ok(entries) => {
                    let mut names: Vec<String> =
                        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
                    names.sort();
                    return Some(Self { path, names, files: Vec::new() });
                }
                Err(error) => Problem::error(format!("the market directory {shown} cannot be read: {error}"))
                    .help("check its permissions"),
            },
            Ok(_) => Problem::error(format!("the market directory {shown} is a file, not a folder"))
                .help("name the folder that holds market.toml, territories.csv, customers.csv and sales.csv"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Problem::error(format!("there is no market directory {shown}"))
                    .help("check the path, or write one with `ikiz synth`")
            }
            Err(error) => Problem::error(format!("the market directory {shown} cannot be read: {error}"))
                .help("check the path and its permissions"),
        };
        log.push(problem);
        None
    }

    /// Whether something of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|there| there == name)
    }

    /// Reports names that look like slips of the pen and lists the other files that are not read.
    pub fn look_around(&self, ignored: &mut Ignored, log: &mut Log) {
        for name in &self.names {
            if FILES.contains(&name.as_str()) || name.starts_with('.') {
                continue;
            }
            match nearest(name, FILES.into_iter()).filter(|known| !self.has(known)) {
                Some(known) => log.push(
                    Problem::error(format!("the market directory has an unknown file `{name}`"))
                        .help(format!("did you mean `{known}`? Rename it, or move it elsewhere")),
                ),
                None => ignored.files.push(name.clone()),
            }
        }
    }

    /// A file that may be absent.
    pub fn optional(&mut self, name: &'static str, shape: Shape, log: &mut Log) -> Option<Source> {
        match Source::read(self.path, name, shape) {
            Ok(source) => {
                self.files.extend(source.as_ref().map(|source| source.input.clone()));
                source
            }
            Err(problem) => {
                log.push(*problem);
                None
            }
        }
    }

    /// A file that must be there; `help` says what it holds.
    pub fn required(&mut self, name: &'static str, shape: Shape, help: &str, log: &mut Log) -> Option<Source> {
        let misspelt = self
            .names
            .iter()
            .any(|there| !FILES.contains(&there.as_str()) && nearest(there, FILES.into_iter()) == Some(name));
        match Source::read(self.path, name, shape) {
            Ok(None) if misspelt => None, // reported
            Ok(None) => {
                let title = format!("`{name}` is missing from {}", self.path.display());
                log.push(Problem::error(title).help(help));
                None
            }
            Ok(Some(source)) => {
                self.files.push(source.input.clone());
                Some(source)
            }
            Err(problem) => {
                log.push(*problem);
                None
            }
        }
    }
}
