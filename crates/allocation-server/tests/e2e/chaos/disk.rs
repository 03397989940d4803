//! A full disk.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that fills the disk; removed when dropped.
pub(super) struct Filler(PathBuf);

impl Filler {
    pub(super) fn fill(folder: &Path) -> Self {
        let path = folder.join("filler");
        let mut file = File::create(&path).unwrap();
        // The last pages are filled one by one.
        for size in [1 << 20, 4 << 10] {
            let zeros = vec![0; size];
            while file.write_all(&zeros).is_ok() {}
        }
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}
