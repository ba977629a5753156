# Every fuzz target: first its seeds, then some seconds of what grows from them.
# A longer look: `FUZZ_SECONDS=600 .ci/run fuzz`.
set -euo pipefail
source .ci/helpers.bash
cargo_tool cargo-fuzz 0.13.2

seconds=${FUZZ_SECONDS:-8}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What it wrote goes to the log, which is shown where it failed.
fuzz() {
    mkdir -p "fuzz/corpus/$1"
    RUST_BACKTRACE=0 cargo +nightly fuzz run "$1" "fuzz/corpus/$1" "fuzz/seeds/$1" -- \
        -max_total_time="$seconds" -timeout=5 >"$log" 2>&1
}

failed=0
targets=$(cargo fuzz list)
for target in $targets; do
    echo "$target:"
    if fuzz "$target"; then
        grep -E 'seed corpus|^Done' "$log"
    else
        grep -vE '^ *#[0-9]' "$log" # all but the progress and the stack
        failed=1
    fi
done
exit "$failed"
