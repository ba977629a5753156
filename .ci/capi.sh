# keyfob for C: its header is fresh; programs in C, C++ and Python use it, as installed too; firmware
# for a Cortex-M0 links without a panic path and passes its checks in QEMU.
set -euo pipefail
source .ci/helpers.bash
debian cmake gcc g++ libc6-dbg make pkg-config python3 valgrind \
    cargo-web rustc-web rust-web-src gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm

KEYFOB_REQUIRE_VALGRIND=1 cargo test --quiet --locked --package keyfob-capi
capi/tests/install/run.sh
capi/tests/firmware/run.sh
