//! keyfob for C.
