//! The objects that are loaded: the program, its libraries, the vDSO.

use std::ffi::{c_int, c_void, CStr};
use std::ops::Range;

/// A loaded object, as the loader describes it.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    info: &'a libc::dl_phdr_info,
}

impl Object<'_> {
    /// The file's name; empty for the program.
    pub fn name(&self) -> String {
        if self.info.dlpi_name.is_null() {
            return String::new();
        }
        // SAFETY: the loader's names are C strings.
        let name = unsafe { CStr::from_ptr(self.info.dlpi_name) };
        name.to_string_lossy().into_owned()
    }

    /// What is added to the file's addresses.
    pub fn bias(&self) -> usize {
        self.info.dlpi_addr as usize
    }

    /// Its program headers.
    pub fn headers(&self) -> &[libc::Elf64_Phdr] {
        // SAFETY: the loader keeps this array while the object is loaded.
        unsafe {
            std::slice::from_raw_parts(self.info.dlpi_phdr, usize::from(self.info.dlpi_phnum))
        }
    }

    /// Where a header's segment is.
    pub fn range(&self, header: &libc::Elf64_Phdr) -> Range<usize> {
        let start = self.info.dlpi_addr.wrapping_add(header.p_vaddr) as usize;
        start..start + header.p_memsz as usize
    }

    /// The loaded segment that an address is in.
    pub fn segment_of(&self, address: usize) -> Option<Range<usize>> {
        let loaded = self.headers().iter().filter(|h| h.p_type == libc::PT_LOAD);
        loaded
            .map(|header| self.range(header))
            .find(|range| range.contains(&address))
    }

    /// The calling thread's instance of its thread-local storage.
    pub(crate) fn thread_local_data(&self) -> usize {
        self.info.dlpi_tls_data as usize
    }
}

/// Shows `f` one object after the other, until it has what it looks for. Calls libc, which has a lock for this: only where no task runs.
pub fn find<T, F: FnMut(Object) -> Option<T>>(f: F) -> Option<T> {
    unsafe extern "C" fn show<T, F: FnMut(Object) -> Option<T>>(
        info: *mut libc::dl_phdr_info,
        _: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: the loader's description, and what `find` gave.
        let (info, (f, found)) = unsafe { (&*info, &mut *search.cast::<(F, Option<T>)>()) };
        *found = f(Object { info });
        c_int::from(found.is_some())
    }
    let mut search = (f, None);
    // SAFETY: the callback gets what it expects.
    unsafe { libc::dl_iterate_phdr(Some(show::<T, F>), (&raw mut search).cast()) };
    search.1
}
