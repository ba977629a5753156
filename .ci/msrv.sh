# keyfob promises no older Rust than its dependencies do.
#
# Arithmetic on what the manifests say; it doesn't need that old toolchain.
set -euo pipefail
source .ci/helpers.bash
debian python3

metadata=$(mktemp)
trap 'rm -f "$metadata"' EXIT
cargo metadata --locked --all-features --format-version 1 >"$metadata"

python3 - "$metadata" <<'PYTHON'
import json, sys

metadata = json.load(open(sys.argv[1]))
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
root = metadata["resolve"]["root"]


def is_normal(dependency):
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])


def with_dependencies(id, seen):
    if id not in seen:
        seen.add(id)
        for dependency in filter(is_normal, nodes[id]["deps"]):
            with_dependencies(dependency["pkg"], seen)
    return seen


def rust_version(id):
    numbers = [int(number) for number in (packages[id]["rust_version"] or "0").split(".")]
    return numbers + [0] * (3 - len(numbers))


highest = max(with_dependencies(root, set()) - {root}, key=rust_version)
for id in (root, highest):
    print(packages[id]["name"], "needs Rust", packages[id]["rust_version"])
sys.exit(rust_version(root) < rust_version(highest))
PYTHON
