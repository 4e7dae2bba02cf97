//! Whether the program uses robust mutexes, so that it might need a [`survivor`]: some object of it asks the loader for the functions that make them so.

use crate::image::{FileBytes, Image};
use coop_runtime::{objects, survivor};

/// Looks at all objects that are loaded. The process has one thread.
pub fn look_at_loaded() {
    if survivor::is_expected() {
        return;
    }
    let found = objects::find(|object| {
        // SAFETY: nobody unloads it meanwhile, as the caller has the only thread.
        let image = unsafe { Image::loaded(&object) };
        let imports = image.imports(&survivor::SIGNS, object.bias() as u64);
        imports.then_some(())
    });
    if found.is_some() {
        survivor::expect();
    }
}

/// Looks at a file that is mapped as code.
pub fn look_at_file(fd: i32) {
    if survivor::is_expected() {
        return;
    }
    let file = FileBytes::map(fd);
    let image = file.as_ref().and_then(|file| Image::file(file.bytes()));
    if image.is_some_and(|image| image.imports(&survivor::SIGNS, 0)) {
        survivor::expect();
    }
}
