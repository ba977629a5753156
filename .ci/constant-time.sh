# No branch and no address depends on a secret, as valgrind sees it in an optimised build.
set -euo pipefail
source .ci/helpers.bash
debian valgrind libc6-dbg

KEYFOB_REQUIRE_VALGRIND=1 cargo test --quiet --locked --release --test constant_time
