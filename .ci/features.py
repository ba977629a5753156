"""Prints keyfob's features; with the argument `no-std` those that don't bring `std` in.

Reads what `cargo metadata` prints. `default` is no feature of its own and is left out.
"""

import json
import sys

packages = json.load(sys.stdin)["packages"]
features = next(package["features"] for package in packages if package["name"] == "keyfob")


def brings_std(feature):
    return feature == "std" or any(map(brings_std, features.get(feature, [])))


wanted = features.keys() - {"default"}
if "no-std" in sys.argv:
    wanted = {feature for feature in wanted if not brings_std(feature)}
print(*sorted(wanted))
