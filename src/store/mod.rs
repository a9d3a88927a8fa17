//! Folders written whole or not at all, and the manifest that says what made them.

mod folder;
mod manifest;

pub use folder::{StoreError, may_write, write_whole};
pub use manifest::{FORMAT_VERSION, MANIFEST, Manifest, TIMINGS, hash, hash_file, timings};
