# The auth server: its API by HTTP and by the client of hosted services, its pages in Chromium, two
# processes on one database, and its databases themselves.
set -euo pipefail
source .ci/helpers.bash
debian gcc g++ chromium chromium-driver oathtool postgresql redis-server
type npm >/dev/null 2>&1 || debian nodejs npm

# Rules for accessibility, which the pages' tests apply.
axe=$(realpath "${CARGO_TARGET_DIR:-target}")/axe
npm install --silent --no-audit --no-fund --prefix "$axe" axe-core@4

KEYFOB_AXE=$axe/node_modules/axe-core/axe.min.js KEYFOB_REQUIRE_SERVERS=1 \
    cargo test --quiet --locked --package keyfob-server -- --include-ignored
