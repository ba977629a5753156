# The PostgreSQL store over real servers, which the tests start and kill themselves.
set -euo pipefail
source .ci/helpers.bash
debian postgresql

KEYFOB_REQUIRE_SERVERS=1 cargo test --quiet --locked --features postgres,conformance --test postgres
