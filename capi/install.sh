#!/usr/bin/env bash
# Builds keyfob for C and installs it: `install.sh PREFIX`, as in `install.sh /usr/local`.
set -euo pipefail
cd "$(dirname "$0")"
prefix=$(realpath -m "${1:?give a prefix, such as /usr/local}")
target=${CARGO_TARGET_DIR:-../target}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

library() {
    cargo rustc --quiet --locked --release --lib --crate-type "$1" "${@:2}"
}

library staticlib
library cdylib -- -Clink-arg=-Wl,-soname,libkeyfob.so.0

install -d "$prefix"/{include,lib/pkgconfig,lib/cmake/keyfob}
install -m 644 include/keyfob.h "$prefix/include"
install -m 644 "$target/release/libkeyfob_capi.a" "$prefix/lib/libkeyfob.a"
install -m 644 "$target/release/libkeyfob_capi.so" "$prefix/lib/libkeyfob.so.0"
ln -sf libkeyfob.so.0 "$prefix/lib/libkeyfob.so"
install -m 644 cmake/keyfob-config.cmake "$prefix/lib/cmake/keyfob"
sed "s|@version@|$version|" cmake/keyfob-config-version.cmake.in >"$prefix/lib/cmake/keyfob/keyfob-config-version.cmake"
sed "s|@prefix@|$prefix|; s|@version@|$version|" keyfob.pc.in >"$prefix/lib/pkgconfig/keyfob.pc"
