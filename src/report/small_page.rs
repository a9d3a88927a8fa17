//! The page of a trial or a test: a heading, some words, pictures and a table, without the apparatus of the report.

/// A whole page; `title` and `body` are HTML already, `width` is in pixels.
pub fn small_page(title: &str, width: u32, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>body{{font:15px/1.5 \
         Inter,sans-serif;color:#16202a;max-width:{width}px;margin:2rem auto;padding:0 1rem}}table{{border-collapse:collapse}}td,th{{padding:.2rem \
         .8rem .2rem 0;text-align:left;border-bottom:1px solid #d8dde2}}.n{{text-align:right}}svg{{max-width:100%;height:auto}}figure{{margin:2rem \
         0}}</style></head>\n<body><h1>{title}</h1>\n{body}</body></html>\n"
    )
}
