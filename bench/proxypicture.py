# SPDX-License-Identifier: Apache-2.0
"""The picture of bench-proxy: for each figure a bar of how much of its goal was used; shorter is better."""
from html import escape

ROW, LEFT, WIDE = 22, 470, 300


def used(f):
    """How much of the goal was used: 1 is the goal itself."""
    if "broken" in f:
        return 2
    relation, goal = f["goal"].split()
    value, goal = f["ours"] if f["ratio"] is None else f["ratio"], float(goal)
    if goal == 0 or value <= 0:
        return 0 if f["met"] else 2
    return value / goal if relation == "<=" else goal / value


def draw(figures):
    height = ROW * (len(figures) + 2)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDE + 190}" height="{height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="10" y="16">sardane-proxy: how much of each goal was used (the line is the goal)</text>']
    for i, f in enumerate(figures):
        y, part = ROW * (i + 1) + 6, min(used(f), 2)
        said = "BROKEN" if "broken" in f else f"{f['ours']:g} {f['unit']}" if f["ratio"] is None else f"{f['ratio']:g} x"
        out += [f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(f["figure"])}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{part * WIDE / 2:.1f}" height="15" fill="{"#2a7f62" if f["met"] else "#b3422f"}"/>',
            f'<text x="{LEFT + WIDE + 8}" y="{y + 12}">{escape(said)}{escape(", goal " + f["goal"] if f["goal"] else "")}</text>']
    x = LEFT + WIDE / 2
    return "\n".join(out + [f'<line x1="{x}" x2="{x}" y1="{ROW}" y2="{height - 6}" stroke="#222"/>', "</svg>"]) + "\n"
