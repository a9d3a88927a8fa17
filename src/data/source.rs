//! Files of the folder come in through here, so that every problem names its file and every byte is counted.
//!
//! A file is read whole, in pieces, and refused as soon as a line is longer than any sensible row: memory stays bounded
//! by what a market can need. What leaves here is UTF-8 without a byte-order mark.

use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::tables::InputFile;
use crate::problem::{Place, Problem};

/// Longest line of a CSV file, and the size of the pieces in which files are read.
const LONGEST_LINE: usize = 1 << 20;

/// Largest file that is not made of lines (`territories.geojson`).
const LARGEST_DOCUMENT: usize = 512 << 20;

/// Bytes of a line that a problem shows around its place.
const SHOWN_WIDTH: usize = 160;

/// What a file is made of, which decides how its size is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Rows: no line may be longer than [`LONGEST_LINE`].
    Lines,
    /// One JSON document, often a single line.
    Document,
}

/// A file in memory.
#[derive(Debug)]
pub(super) struct Source {
    /// Name inside the market folder.
    pub name: &'static str,
    text: String,
    /// Size and hash of the bytes on disk.
    pub input: InputFile,
}

impl Source {
    /// Reads a file of the folder; `None` when it is not there.
    pub fn read(folder: &Path, name: &'static str, shape: Shape) -> Result<Option<Self>, Box<Problem>> {
        let path = folder.join(name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(name, &error)),
        };
        if metadata.is_dir() {
            return Err(Problem::error(format!("`{name}` is a folder, not a file"))
                .help(format!("put the file itself at {}, or rename the folder", path.display()))
                .into());
        }
        if !metadata.is_file() {
            return Err(Problem::error(format!("`{name}` is not an ordinary file"))
                .help("copy its content into an ordinary file of that name")
                .into());
        }
        let bytes = read_bounded(&path, name, shape)?;
        let input = InputFile { name: name.to_owned(), bytes: bytes.len() as u64, sha256: hexadecimal(&bytes) };
        let text = decode(bytes, name)?;
        Ok(Some(Self { name, text, input }))
    }

    /// The text, without a byte-order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing but white space is in the file.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Line (from 1) of a byte.
    pub fn line(&self, at: usize) -> usize {
        line_of(self.text.as_bytes(), at)
    }

    /// The place of some bytes: their line (the first of them), or the part of it that fits on a screen.
    pub fn place(&self, span: Range<usize>) -> Place {
        let (line, text, span) = excerpt(&self.text, span);
        Place { file: self.name.to_owned(), line, text, span }
    }
}

impl Source {
    /// The place of the line that begins at a byte.
    pub fn line_place(&self, start: usize) -> Place {
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        self.place(start..start + length)
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Box<Problem> {
    Problem::error(format!("`{name}` cannot be read: {error}"))
        .help("check the permissions of the file and its folder")
        .into()
}

fn read_bounded(path: &Path, name: &'static str, shape: Shape) -> Result<Vec<u8>, Box<Problem>> {
    let mut file = File::open(path).map_err(|error| unreadable(name, &error))?;
    let mut bytes = Vec::new();
    let mut line_start = 0;
    loop {
        let from = bytes.len();
        let read = file
            .by_ref()
            .take(LONGEST_LINE as u64)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(name, &error))?;
        if read == 0 {
            return Ok(bytes);
        }
        match shape {
            Shape::Lines => {
                // A piece is as long as the longest line, so only the line that crosses into it can be too long.
                let piece = &bytes[from..];
                let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
                let first_end = piece.iter().position(is_end).unwrap_or(piece.len());
                if from + first_end - line_start > LONGEST_LINE {
                    return Err(endless_line(name, &bytes, line_start));
                }
                if let Some(last_end) = piece.iter().rposition(is_end) {
                    line_start = from + last_end + 1;
                }
            }
            Shape::Document if bytes.len() > LARGEST_DOCUMENT => {
                let limit = LARGEST_DOCUMENT >> 20;
                return Err(Problem::error(format!("`{name}` is larger than {limit} MiB"))
                    .help("simplify the polygons: a few hundred points a territory are enough for a map")
                    .into());
            }
            Shape::Document => {}
        }
    }
}

fn endless_line(name: &'static str, bytes: &[u8], start: usize) -> Box<Problem> {
    let text = String::from_utf8_lossy(&bytes[start..bytes.len().min(start + SHOWN_WIDTH / 2)]).into_owned();
    let span = 0..text.len();
    Problem::error(format!("a line of `{name}` is longer than {} MiB", LONGEST_LINE >> 20))
        .at(Place { file: name.to_owned(), line: line_of(bytes, start), text, span }, "this line never seems to end")
        .help("write one row a line; is this really a CSV file?")
        .into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// UTF-8 without its byte-order mark; anything else is refused with the command that converts it.
fn decode(bytes: Vec<u8>, name: &'static str) -> Result<String, Box<Problem>> {
    let save_as = "save the sheet as \"CSV UTF-8 (comma delimited)\"";
    match bytes.as_slice() {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            return Err(Problem::error(format!("`{name}` is UTF-16, not UTF-8")).help(convert(name, "UTF-16")).into());
        }
        [b'P', b'K', 3, 4, ..] | [0xD0, 0xCF, 0x11, 0xE0, ..] => {
            return Err(Problem::error(format!("`{name}` is a workbook of a spreadsheet, not text"))
                .help(format!("open it and {save_as}"))
                .into());
        }
        [0x1F, 0x8B, ..] => {
            return Err(Problem::error(format!("`{name}` is compressed"))
                .help(format!("unpack it: mv {name} {name}.gz && gunzip {name}.gz"))
                .into());
        }
        _ => {}
    }
    if let Some(zero) = bytes.iter().position(|&byte| byte == 0) {
        let even = bytes.len().is_multiple_of(2) && bytes.iter().take(64).filter(|&&byte| byte == 0).count() > 8;
        let problem = Problem::error(format!("`{name}` holds a zero byte, so it is not UTF-8 text"))
            .at(lossy_place(name, &bytes, zero..zero + 1), format!("byte {zero} of the file"));
        return Err(match (even, zero) {
            (true, 0) => problem.help(convert(name, "UTF-16BE")),
            (true, _) => problem.help(convert(name, "UTF-16LE")),
            (false, _) => problem.help(format!("export the file again; in a spreadsheet, {save_as}")),
        }
        .into());
    }
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            Ok(text)
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let byte = bytes.get(at).copied().unwrap_or_default();
            Err(Problem::error(format!("`{name}` is not UTF-8"))
                .at(lossy_place(name, bytes, at..at + 1), format!("byte 0x{byte:02X} is not part of UTF-8 text"))
                .help(convert(name, "WINDOWS-1254"))
                .into())
        }
    }
}

fn convert(name: &str, encoding: &str) -> String {
    let note = if encoding == "WINDOWS-1254" {
        "\n(WINDOWS-1254 is Turkish, WINDOWS-1252 western European; in Excel: save as \"CSV UTF-8\")"
    } else {
        ""
    };
    format!("convert it: iconv -f {encoding} -t UTF-8 {name} > new.csv && mv new.csv {name}{note}")
}

/// A place in bytes that are not UTF-8.
fn lossy_place(name: &'static str, bytes: &[u8], span: Range<usize>) -> Place {
    let start = bytes[..span.start].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let start = start.max(span.start.saturating_sub(SHOWN_WIDTH / 2));
    let line_end = bytes[span.start..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |n| span.start + n);
    let end = line_end.min(span.end + SHOWN_WIDTH / 2);
    let before = printable(&String::from_utf8_lossy(&bytes[start..span.start]));
    let marked = String::from_utf8_lossy(&bytes[span.start..span.end.min(bytes.len())]).replace('\0', "\u{fffd}");
    let after = printable(&String::from_utf8_lossy(&bytes[span.end.min(end)..end]));
    let span = before.len()..before.len() + marked.len();
    Place { file: name.to_owned(), line: line_of(bytes, start), text: format!("{before}{marked}{after}"), span }
}

fn printable(text: &str) -> String {
    text.replace('\0', "\u{fffd}").replace('\r', "")
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    let before = &bytes[..at.min(bytes.len())];
    let newlines = before.iter().filter(|&&byte| byte == b'\n').count();
    // A file without any line feed ends its lines with carriage returns (old Macintosh exports).
    let returns =
        if newlines == 0 && !bytes.contains(&b'\n') { before.iter().filter(|&&byte| byte == b'\r').count() } else { 0 };
    1 + newlines + returns
}

/// Line number, text shown and the span in it of some bytes of a text.
fn excerpt(text: &str, span: Range<usize>) -> (usize, String, Range<usize>) {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let bytes = text.as_bytes();
    let from = floor(text, span.start);
    let line_start = bytes[..from].iter().rposition(is_end).map_or(0, |end| end + 1);
    let line_end = bytes[from..].iter().position(is_end).map_or(bytes.len(), |n| from + n);
    let to = floor(text, span.end.clamp(from, line_end));
    let line = line_of(bytes, from);
    if line_end - line_start <= SHOWN_WIDTH {
        return (line, text[line_start..line_end].to_owned(), from - line_start..to - line_start);
    }
    let window_start = floor(text, from.saturating_sub(SHOWN_WIDTH / 2).max(line_start));
    let window_end = floor(text, line_end.min(window_start + SHOWN_WIDTH));
    let (lead, tail) = (if window_start > line_start { "…" } else { "" }, if window_end < line_end { "…" } else { "" });
    let shown = format!("{lead}{}{tail}", &text[window_start..window_end]);
    let begin = from - window_start + lead.len();
    (line, shown, begin..(to.min(window_end) - window_start + lead.len()).max(begin))
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}
