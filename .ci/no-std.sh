# The library builds for a Cortex-M0, which has no std; with the feature `std` it doesn't.
#
# A check on a PC would prove nothing, as std is always found there. Debian's Rust comes with the
# sources of core, so no toolchain for the target is needed.
set -euo pipefail
source .ci/helpers.bash
debian rustc-web cargo-web rust-web-src
features=$(features no-std)

export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1
# With randomness left to the embedder, `getrandom` builds here too, and `std` gets as far as keyfob.
export RUSTFLAGS='--cfg getrandom_backend="custom"'

build() {
    /usr/bin/cargo build --quiet --target thumbv6m-none-eabi -Zbuild-std=core,alloc \
        --target-dir "${CARGO_TARGET_DIR:-target}/no-std" "$@"
}

for chosen in '' $features "$features"; do
    echo "keyfob with [$chosen]"
    build --locked --no-default-features --features "$chosen"
done

# The control: it shows that this check can fail.
control=$(mktemp -d)
trap 'rm -rf "$control"' EXIT
cp Cargo.lock "$control"
echo '#![no_std]' >"$control/lib.rs"
cat >"$control/Cargo.toml" <<TOML
[package]
name = "control"
edition = "2024"

[lib]
path = "lib.rs"

[dependencies]
keyfob = { path = "$PWD", default-features = false, features = ["std"] }
TOML

echo 'keyfob with [std] must not build:'
if build --manifest-path "$control/Cargo.toml" 2>"$control/errors"; then
    echo 'but it did'
    exit 1
fi
grep -A 1 "can't find crate for .std." "$control/errors" || { cat "$control/errors"; exit 1; }
