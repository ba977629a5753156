#!/usr/bin/env python3
"""What the programs cost, from what ./run left: a table, and whether anything grew."""

import argparse
import re
import sys
from pathlib import Path

GROWTH = 1.05

# QEMU's boards; an instruction takes a nanosecond there, and their timers run at 16 and 25 MHz.
NANOSECONDS_A_TICK = {"thumbv6m-none-eabi": 62.5, "thumbv7em-none-eabi": 40.0}
LEVELS = {"release": "z", "fast": "3"}
PROGRAMS = ["generate", "generate_verify", "all_algorithms", "engine_flash", "engine_recovery"]

# What stays after a reset plays the flash, which a board has outside its memory.
TEXT = {".vector_table", ".text", ".rodata", ".data"}
MEMORY = {".data", ".bss"}

# On a Cortex-M0 at "z".
AIMS = {
    ("generate", "text"): 5120,
    ("generate", "fresh key, stack"): 900,
    ("generate", "kept key, instructions"): 10_500,
    ("generate_verify", "text"): 6656,
    ("all_algorithms", "text"): 11_264,
    ("engine_flash", "text"): 24_576,
}


def sections(path):
    """The sections of a program and their bytes, as `size -A` tells them."""
    rows = re.findall(r"^(\.\S+)\s+(\d+)\s", path.read_text(), re.MULTILINE)
    return {name: int(size) for name, size in rows}


def shown(path, nanoseconds):
    """What a program measured of itself."""
    for name, stack in re.findall(r"^(.*), stack: ([0-9a-f]+)$", path.read_text(), re.MULTILINE):
        yield f"{name}, stack", int(stack, 16)
    ticks = r"^(.*), ticks of (\d+): ([0-9a-f]+)$"
    for name, runs, taken in re.findall(ticks, path.read_text(), re.MULTILINE):
        yield f"{name}, instructions", round(int(taken, 16) * nanoseconds / int(runs))


def gross(directory, program, nanoseconds):
    """All figures of a program, what measures them included."""
    bytes_of = sections(directory / f"{program}.size")
    figures = {
        "text": sum(bytes_of.get(name, 0) for name in TEXT),
        "static memory": sum(bytes_of.get(name, 0) for name in MEMORY),
    }
    figures.update(shown(directory / f"{program}.shown", nanoseconds))
    return figures


def net(figures, empty):
    """The figures less those of an empty program."""
    overhead = {"stack": empty["nothing, stack"], "text": empty["text"]}
    return {name: value - overhead.get(name.split(", ")[-1], 0) for name, value in figures.items()}


def measured(results):
    """Every figure under its target, optimization, program and name."""
    table = {}
    for target, nanoseconds in NANOSECONDS_A_TICK.items():
        for profile, level in LEVELS.items():
            directory = results / target / profile
            empty = gross(directory, "empty", nanoseconds)
            for program in PROGRAMS:
                for name, value in net(gross(directory, program, nanoseconds), empty).items():
                    table[target, level, program, name] = value
    return table


def read(path):
    rows = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    return {tuple(key): int(value) for *key, value in rows}


def write(path, table):
    rows = ["\t".join([*key, str(value)]) for key, value in table.items()]
    head = "# What ./run measured when it was last asked to accept it.\n# target\toptimized for\tprogram\tfigure\tvalue"
    path.write_text("\n".join([head, *rows]) + "\n")


def verdict(key, value):
    target, level, *figure = key
    aim = AIMS.get(tuple(figure)) if (target, level) == ("thumbv6m-none-eabi", "z") else None
    if aim is None:
        return ""
    return f"≤ {aim:,}: " + ("met" if value <= aim else "missed")


def show(table):
    columns = [(target, level) for target in NANOSECONDS_A_TICK for level in LEVELS.values()]
    heads = [f'{target.split("-")[0]} "{level}"' for target, level in columns]
    print("| program | figure |", " | ".join(heads), "| aim on thumbv6m at z |")
    print("|---|---|" + "---:|" * len(columns) + "---|")
    for program, name in dict.fromkeys(key[2:] for key in table):
        figures = [table.get(column + (program, name)) for column in columns]
        cells = ["–" if figure is None else f"{figure:,}" for figure in figures]
        first = columns[0] + (program, name)
        print("|", program, "|", name, "|", " | ".join(cells), "|", verdict(first, table[first]), "|")


def complaints(table, accepted):
    """What grew, and what can't be compared."""
    for key in table.keys() | accepted.keys():
        value, before = table.get(key), accepted.get(key)
        if value is None or before is None:
            yield f'{", ".join(key)}: {value} now, {before} accepted'
        elif value > before * GROWTH:
            yield f'{", ".join(key)}: {value} now, {before} accepted: grew by more than 5 %'


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="the directory that ./run wrote to")
    parser.add_argument("accepted", type=Path, help="the figures that these are held to")
    parser.add_argument("--accept", action="store_true", help="hold later ones to these")
    return parser.parse_args()


def main():
    given = arguments()
    table = measured(given.results)
    show(table)
    if given.accept:
        return write(given.accepted, table)
    found = sorted(complaints(table, read(given.accepted)))
    if found:
        sys.exit("\n".join(["", *found, "If that is wanted: ./run --accept"]))


if __name__ == "__main__":
    main()
