//! An auth server that embeds keyfob.

fn main() {}
