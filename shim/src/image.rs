//! An ELF image: its segments, and where its functions begin and end.
//!
//! Everything is said in link-time addresses, so that an image reads the same whether its bytes
//! come from memory (an object that is loaded and relocated) or from its file (one whose code has
//! just been mapped and whose other segments have not). Function bounds come from the unwind
//! tables, which even a stripped object has: `.eh_frame_hdr` is a sorted table of (function, FDE),
//! and the FDE knows the function's length.

use std::ops::Range;

use object::elf::{
    Dyn64, FileHeader64, Sym64, DF_TEXTREL, DT_FLAGS, DT_GNU_HASH, DT_HASH, DT_STRSZ, DT_STRTAB,
    DT_SYMTAB, DT_TEXTREL, DT_VERNEED, DT_VERSYM, EM_X86_64, SHN_UNDEF,
};
use object::pod::slice_from_bytes;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, Sym};
use object::{LittleEndian, StringTable};

use coop_runtime::objects;

/// A loadable segment, as far as the file backs it.
pub struct Segment<'a> {
    /// Link-time address of the first byte.
    pub vaddr: u64,
    /// The link-time address after the last one in memory; the file backs a part of it only.
    pub end: u64,
    /// Offset of the first byte in the file.
    pub offset: u64,
    /// `PF_R`, `PF_W`, `PF_X`.
    pub flags: u32,
    /// Its bytes; none if they cannot be read.
    pub bytes: &'a [u8],
}

impl Segment<'_> {
    /// Whether code in it can run.
    pub fn executable(&self) -> bool {
        self.flags & libc::PF_X != 0
    }

    /// The protection that the loader gives its pages.
    pub fn protection(&self) -> i32 {
        [
            (libc::PF_R, libc::PROT_READ),
            (libc::PF_W, libc::PROT_WRITE),
            (libc::PF_X, libc::PROT_EXEC),
        ]
        .iter()
        .filter(|(flag, _)| self.flags & flag != 0)
        .fold(libc::PROT_NONE, |all, (_, protection)| all | protection)
    }
}

/// The loadable segments of an object and its table of functions.
pub struct Image<'a> {
    /// Every `PT_LOAD`.
    pub segments: Vec<Segment<'a>>,
    /// Link-time address of `.eh_frame_hdr`.
    eh_frame_hdr: Option<u64>,
    /// Link-time address and length of the dynamic section.
    dynamic: Option<(u64, u64)>,
    /// The loader is still to write relocations into the code.
    pub relocates_code: bool,
}

impl<'a> Image<'a> {
    /// The image of an object that is loaded.
    ///
    /// # Safety
    /// The object stays loaded for `'a`.
    pub unsafe fn loaded(object: &objects::Object) -> Image<'a> {
        let mut image = Image {
            segments: Vec::new(),
            eh_frame_hdr: None,
            dynamic: None,
            relocates_code: false,
        };
        for header in object.headers() {
            match header.p_type {
                libc::PT_LOAD => {
                    let address = object.range(header).start;
                    let bytes = if header.p_flags & libc::PF_R != 0 {
                        // SAFETY: the loader mapped this much of the file readable at this address.
                        unsafe {
                            std::slice::from_raw_parts(
                                address as *const u8,
                                header.p_filesz as usize,
                            )
                        }
                    } else {
                        &[]
                    };
                    image.segments.push(Segment {
                        vaddr: header.p_vaddr,
                        end: header.p_vaddr.wrapping_add(header.p_memsz),
                        offset: header.p_offset,
                        flags: header.p_flags,
                        bytes,
                    });
                }
                libc::PT_GNU_EH_FRAME => image.eh_frame_hdr = Some(header.p_vaddr),
                libc::PT_DYNAMIC => image.dynamic = Some((header.p_vaddr, header.p_memsz)),
                _ => {}
            }
        }
        image
    }

    /// The image that a file describes; none if it is no ELF object for this CPU.
    pub fn file(data: &'a [u8]) -> Option<Image<'a>> {
        let endian = LittleEndian;
        let header = FileHeader64::<LittleEndian>::parse(data).ok()?;
        if !header.is_class_64() || header.e_machine(endian) != EM_X86_64 {
            return None;
        }
        let mut image = Image {
            segments: Vec::new(),
            eh_frame_hdr: None,
            dynamic: None,
            relocates_code: false,
        };
        for header in header.program_headers(endian, data).ok()? {
            match header.p_type(endian).0 {
                libc::PT_LOAD => image.segments.push(Segment {
                    vaddr: header.p_vaddr(endian),
                    end: header.p_vaddr(endian).wrapping_add(header.p_memsz(endian)),
                    offset: header.p_offset(endian),
                    flags: header.p_flags(endian).0,
                    bytes: header.data(endian, data).ok()?,
                }),
                libc::PT_GNU_EH_FRAME => image.eh_frame_hdr = Some(header.p_vaddr(endian)),
                libc::PT_DYNAMIC => {
                    image.dynamic = Some((header.p_vaddr(endian), header.p_filesz(endian)));
                    let entries = header.dynamic(endian, data).ok()??;
                    image.relocates_code = entries.iter().any(|entry| {
                        let (tag, value) = (entry.d_tag(endian), entry.d_val(endian));
                        tag == DT_TEXTREL || (tag == DT_FLAGS && value & DF_TEXTREL.0 != 0)
                    });
                }
                _ => {}
            }
        }
        Some(image)
    }

    /// From the first address of the first segment to the end of the last one in memory.
    pub fn extent(&self) -> Range<u64> {
        let start = self.segments.iter().map(|s| s.vaddr).min();
        let end = self.segments.iter().map(|s| s.end).max();
        start.unwrap_or(0)..end.unwrap_or(0)
    }

    /// The bytes from a link-time address to the end of its segment.
    fn from(&self, vaddr: u64) -> Option<&'a [u8]> {
        self.segments.iter().find_map(|segment| {
            let offset = vaddr.checked_sub(segment.vaddr)?;
            segment.bytes.get(usize::try_from(offset).ok()?..)
        })
    }

    /// The 32 bits at a link-time address.
    pub fn word(&self, vaddr: u64) -> Option<i32> {
        self.from(vaddr)?
            .first_chunk()
            .copied()
            .map(i32::from_le_bytes)
    }

    /// Whether the object asks the loader for a symbol by any of these names. `bias`: what the loader has added to addresses in the dynamic
    /// section, if it is loaded.
    pub fn imports(&self, names: &[&str], bias: u64) -> bool {
        self.find_import(names, bias).unwrap_or(false)
    }

    fn find_import(&self, names: &[&str], bias: u64) -> Option<bool> {
        let endian = LittleEndian;
        let (dynamic, length) = self.dynamic?;
        let count = usize::try_from(length).ok()? / size_of::<Dyn64<LittleEndian>>();
        let (entries, _) =
            slice_from_bytes::<Dyn64<LittleEndian>>(self.from(dynamic)?, count).ok()?;
        let value = |tag| {
            let entry = entries.iter().find(|e| e.d_tag(endian) == tag)?;
            Some(entry.d_val(endian))
        };
        // glibc writes run-time addresses over those that it uses.
        let loaded = self.extent().start.wrapping_add(bias);
        let address = |tag| {
            let value = value(tag)?;
            Some(if value >= loaded { value - bias } else { value })
        };
        let (symbols, strings) = (address(DT_SYMTAB)?, address(DT_STRTAB)?);
        // Nothing says how many symbols there are: they end where something else begins. (Hash tables know only of what the object offers.)
        let others = [DT_STRTAB, DT_HASH, DT_GNU_HASH, DT_VERSYM, DT_VERNEED];
        let end = others
            .iter()
            .filter_map(|tag| address(*tag))
            .filter(|other| *other > symbols)
            .min()?;
        let count = usize::try_from(end - symbols).ok()? / size_of::<Sym64<LittleEndian>>();
        let (symbols, _) =
            slice_from_bytes::<Sym64<LittleEndian>>(self.from(symbols)?, count).ok()?;
        let strings = StringTable::new(self.from(strings)?, 0, value(DT_STRSZ)?);
        Some(
            symbols
                .iter()
                .filter(|symbol| symbol.st_shndx(endian) == SHN_UNDEF)
                .filter_map(|symbol| symbol.name(endian, strings).ok())
                .any(|name| names.iter().any(|n| n.as_bytes() == name)),
        )
    }

    /// The table of functions; none if there is none, or it has a form that no linker in use
    /// writes.
    pub fn functions(&self) -> Option<Functions<'_>> {
        /// Version 1; the address of `.eh_frame` in any form; a count in `udata4`; a table of
        /// `sdata4` relative to the header.
        const COUNT_UDATA4: u8 = 0x03;
        const TABLE_DATAREL_SDATA4: u8 = 0x3b;
        let hdr = self.eh_frame_hdr?;
        let bytes = self.from(hdr)?;
        let [1, frame, COUNT_UDATA4, TABLE_DATAREL_SDATA4, ..] = *bytes else {
            return None;
        };
        // The size of the pointer to .eh_frame is the low nibble of its encoding: {u,s}data4 or 8.
        let count = match frame & 0x0f {
            0x03 | 0x0b => 8,
            0x00 | 0x04 | 0x0c => 12,
            _ => return None,
        };
        let entries = u32::from_le_bytes(*bytes.get(count..)?.first_chunk()?) as usize;
        let table = bytes.get(count + 4..)?.get(..entries.checked_mul(8)?)?;
        Some(Functions {
            image: self,
            hdr,
            table,
        })
    }
}

/// The functions of an image, in the order of their addresses.
pub struct Functions<'a> {
    image: &'a Image<'a>,
    hdr: u64,
    table: &'a [u8],
}

/// A function, and the bytes between it and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its first byte.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
    /// The start of the next function; none for the last.
    pub next: Option<u64>,
}

impl Functions<'_> {
    /// The last function that starts at or before `address`.
    pub fn at_or_before(&self, address: u64) -> Option<Function> {
        let (mut low, mut high) = (0, self.table.len() / 8);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.start(middle)? <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let index = low.checked_sub(1)?;
        let start = self.start(index)?;
        Some(Function {
            start,
            end: start.checked_add(self.length(index, start)?)?,
            next: self.start(low),
        })
    }

    fn field(&self, offset: usize) -> Option<u64> {
        let bytes = self.table.get(offset..)?.first_chunk()?;
        Some(
            self.hdr
                .wrapping_add_signed(i32::from_le_bytes(*bytes).into()),
        )
    }

    fn start(&self, index: usize) -> Option<u64> {
        self.field(index * 8)
    }

    /// The length in the FDE of entry `index`. How an FDE is encoded stands in its CIE; in place of
    /// reading that, take the form (pc-relative, four or eight bytes) in which the FDE starts where
    /// the table says.
    fn length(&self, index: usize, start: u64) -> Option<u64> {
        let fde = self.field(index * 8 + 4)?;
        let bytes = self.image.from(fde)?;
        // A length of four bytes and the CIE pointer stand before it; the 64-bit form of an FDE is
        // unused.
        let body = bytes.get(8..)?;
        let begin = fde.wrapping_add(8);
        let narrow = i32::from_le_bytes(*body.first_chunk()?);
        if begin.wrapping_add_signed(narrow.into()) == start {
            return Some(u32::from_le_bytes(*body.get(4..)?.first_chunk()?).into());
        }
        let wide = i64::from_le_bytes(*body.first_chunk()?);
        if begin.wrapping_add_signed(wide) == start {
            return Some(u64::from_le_bytes(*body.get(8..)?.first_chunk()?));
        }
        None
    }
}

/// All of a file, mapped for reading.
pub struct FileBytes {
    start: *mut libc::c_void,
    len: usize,
}

impl FileBytes {
    /// Maps the file that a descriptor is open on; none if it is empty, or cannot be mapped.
    pub fn map(fd: i32) -> Option<FileBytes> {
        // SAFETY: an all-zero stat is a valid value.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a stat of our own.
        if unsafe { libc::fstat(fd, &mut stat) } != 0 {
            return None;
        }
        let len = usize::try_from(stat.st_size).ok().filter(|&len| len != 0)?;
        // SAFETY: a new mapping, which replaces none.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                fd,
                0,
            )
        };
        (start != libc::MAP_FAILED).then_some(FileBytes { start, len })
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped in `map`, unmapped in `drop`. A file that is cut short meanwhile breaks
        // the loader's own mapping as well.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for FileBytes {
    fn drop(&mut self) {
        // SAFETY: this mapping is ours, and borrows of it have ended.
        unsafe { libc::munmap(self.start, self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IS: [&str; 2] = ["no_such_function", "dl_iterate_phdr"];
    const IS_NOT: [&str; 1] = ["no_such_function"];

    #[test]
    fn a_file_says_what_it_imports() {
        let bytes = std::fs::read("/proc/self/exe").unwrap();
        let image = Image::file(&bytes).unwrap();
        assert!(image.imports(&IS, 0));
        assert!(!image.imports(&IS_NOT, 0));
    }

    #[test]
    fn a_loaded_object_says_what_it_imports() {
        let here = a_loaded_object_says_what_it_imports as *const () as usize;
        let found = objects::find(|object| {
            object.segment_of(here)?;
            // SAFETY: the program stays loaded.
            let image = unsafe { Image::loaded(&object) };
            let bias = object.bias() as u64;
            Some((image.imports(&IS, bias), image.imports(&IS_NOT, bias)))
        });
        assert_eq!(found, Some((true, false)));
    }
}
