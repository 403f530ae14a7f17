//! Cuts a growing JSON array (or a lone object) into its objects, whatever the chunk boundaries.

use crate::protocol::nesting::Nesting;

/// An object longer than this is cut off and reported.
const MAX_OBJECT_BYTES: usize = 16 << 20;

/// What the bytes hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// One whole object, as it came.
    Whole(Vec<u8>),
    /// The array was closed.
    End,
    /// Something that is no array of objects.
    Malformed,
}

/// Incremental splitter.
#[derive(Debug, Default)]
pub(super) struct Objects {
    open: Vec<u8>,
    nesting: Nesting,
    broken: bool,
}

impl Objects {
    /// Takes more bytes and appends what they complete.
    pub(super) fn push(&mut self, bytes: &[u8], objects: &mut Vec<Object>) {
        for &byte in bytes {
            if self.broken {
                return;
            }
            if self.nesting.depth() == 0 {
                self.outside(byte, objects);
            } else {
                self.inside(byte, objects);
            }
        }
    }

    /// Takes the end; an object that is still open is malformed.
    pub(super) fn finish(&mut self, objects: &mut Vec<Object>) {
        if self.nesting.depth() > 0 && !self.broken {
            self.fail(objects);
        }
    }

    fn outside(&mut self, byte: u8, objects: &mut Vec<Object>) {
        match byte {
            b'{' => {
                self.nesting.step(byte);
                self.open.push(byte);
            }
            b']' => objects.push(Object::End),
            b'[' | b',' => {}
            byte if byte.is_ascii_whitespace() => {}
            _ => self.fail(objects),
        }
    }

    fn inside(&mut self, byte: u8, objects: &mut Vec<Object>) {
        self.open.push(byte);
        self.nesting.step(byte);
        if self.nesting.depth() == 0 {
            objects.push(Object::Whole(std::mem::take(&mut self.open)));
        } else if self.open.len() > MAX_OBJECT_BYTES {
            self.fail(objects);
        }
    }

    fn fail(&mut self, objects: &mut Vec<Object>) {
        self.broken = true;
        self.open = Vec::new();
        objects.push(Object::Malformed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<Object> {
        let mut objects = Vec::new();
        let mut splitter = Objects::default();
        for piece in pieces {
            splitter.push(piece, &mut objects);
        }
        splitter.finish(&mut objects);
        objects
    }

    #[test]
    fn an_array_is_cut_into_its_objects_at_any_boundary() {
        let array = br#"[{ "a": "}]\"{\\" }
,
{"b": [{}]}
]"#;
        let whole = split(&[array]);
        assert_eq!(whole.len(), 3, "{whole:?}");
        assert_eq!(whole.last(), Some(&Object::End));
        for cut in 0..array.len() {
            let (head, tail) = array.split_at(cut);
            assert_eq!(split(&[head, tail]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_array_of_objects_is_malformed() {
        assert_eq!(split(&[b"<html>"]), [Object::Malformed]);
        assert_eq!(split(&[b"[{\"a\":1"]), [Object::Malformed]);
        assert_eq!(split(&[b""]), []);
    }
}
