//! Whether the program uses robust mutexes, so that it might need a [`survivor`]: some object of it asks the loader for the functions that make them so.

use crate::image::Image;
use coop_runtime::{objects, survivor};

/// Looks at all objects that are loaded. The process has one thread.
pub fn look_at_loaded() {
    objects::find(|object| {
        // SAFETY: nobody unloads it meanwhile, as the caller has the only thread.
        let image = unsafe { Image::loaded(&object) };
        look_at(&image, object.bias() as u64);
        survivor::is_expected().then_some(())
    });
}

/// Looks at an object, with what the loader has added to its addresses, if it is loaded.
pub fn look_at(image: &Image, bias: u64) {
    if !survivor::is_expected() && image.imports(&survivor::SIGNS, bias) {
        survivor::expect();
    }
}
