# The firmware example is built for every board, runs in QEMU, and costs no more than was accepted.
set -euo pipefail
source .ci/helpers.bash
debian rustc-web cargo-web rust-web-clippy rust-web-src lld binutils-arm-none-eabi python3 \
    qemu-system-arm qemu-system-misc

cd examples/firmware
cargo fmt --check
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
./run

# The control: a figure that grew by 6 % is told, one that grew by 4 % isn't.
control=$(mktemp)
trap 'rm -f "$control"' EXIT
figures() { python3 figures.py "$CARGO_TARGET_DIR/figures" "$control"; }
accepted_less() {
    python3 figures.py "$CARGO_TARGET_DIR/figures" "$control" --accept >/dev/null
    awk -v by="$1" 'BEGIN { FS = OFS = "\t" } !done && !/^#/ { $NF = int($NF / by); done = 1 } 1' \
        "$control" >"$control.less" && mv "$control.less" "$control"
}
accepted_less 1.04
figures >/dev/null
accepted_less 1.06
echo 'A figure that grew by 6 % must be told:'
if told=$(figures 2>&1 >/dev/null); then
    echo 'but it was not'
    exit 1
fi
grep 'grew by more than 5 %' <<<"$told"

lint() {
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 PATH=/usr/bin:$PATH /usr/bin/cargo clippy --quiet --locked \
        -Zbuild-std=core --target "$1" --features flash,sha2 -- -D warnings
}
lint thumbv6m-none-eabi
lint riscv32imac-unknown-none-elf
