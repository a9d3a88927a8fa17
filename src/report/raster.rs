//! SVG to PNG, for slides and for programs that cannot show SVG.

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::error::ReportError;
use super::font;

/// Pixels of the PNG for each pixel of the SVG.
const SCALE: f32 = 2.0;

/// The picture as PNG on white, twice as large. `file` names it in errors.
///
/// # Errors
/// When the SVG is not well-formed, or so large that there is no memory for it.
pub fn png(svg: &str, file: &str) -> Result<Vec<u8>, ReportError> {
    let fault = |reason: String| ReportError::Picture { file: file.to_owned(), reason };
    let tree = parsed(svg).map_err(|error| fault(error.to_string()))?;
    let (width, height) = (tree.size().width() * SCALE, tree.size().height() * SCALE);
    let mut picture = Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or_else(|| fault(format!("{width} x {height} pixels are too many")))?;
    picture.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    picture.encode_png().map_err(|error| fault(error.to_string()))
}

/// The SVG as resvg reads it, with the bundled fonts and no others.
pub fn parsed(svg: &str) -> Result<Tree, resvg::usvg::Error> {
    let options = Options { font_family: font::FAMILY.to_owned(), fontdb: font::database(), ..Options::default() };
    Tree::from_str(svg, &options)
}
