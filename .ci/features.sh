# Features only add: none of them, each alone and each pair builds without a warning.
set -euo pipefail
source .ci/helpers.bash

check() {
    RUSTFLAGS=-Dwarnings cargo check --quiet --locked --no-default-features --features "$1"
}

list=$(features)
read -ra features <<<"$list"

echo "alone: none ${features[*]}"
for feature in '' "${features[@]}"; do check "$feature"; done

while ((${#features[@]} > 1)); do
    first=${features[0]}
    features=("${features[@]:1}")
    echo "$first with: ${features[*]}"
    for other in "${features[@]}"; do check "$first,$other"; done
done
