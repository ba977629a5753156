#!/usr/bin/env bash
# keyfob for C, installed and found: by pkg-config and by CMake, shared and static.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

../../install.sh "$work/prefix"

expect_code() {
    local code
    code=$(LD_LIBRARY_PATH=$work/prefix/lib "$work/$1")
    echo "$1: $code"
    [[ $code == 287082 ]]
}

export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
# shellcheck disable=SC2046 # words on purpose
gcc -std=c99 -Wall -Wextra -Werror -pedantic consumer.c -o "$work/by-pkg-config" $(pkg-config --cflags --libs keyfob)
expect_code by-pkg-config

# What a compiler leaves in padding, or reads late, depends on how it optimises.
gcc -std=c99 -Wall -Wextra -Werror -pedantic -g -fsanitize=address,undefined -fno-sanitize-recover=all \
    -I "$work/prefix/include" ../c/*.c "$work/prefix/lib/libkeyfob.a" -o "$work/checks" -lpthread -ldl -lm
"$work/checks"
echo 'the checks pass with the library as it is installed'

cmake -S . -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
expect_code cmake/shared
expect_code cmake/static

# The control: what isn't installed isn't found.
PKG_CONFIG_PATH=$work/nowhere
if pkg-config --exists keyfob; then
    echo 'keyfob was found where it is not'
    exit 1
fi
