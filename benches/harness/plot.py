"""Plots as SVG, drawn by hand: no library, and text that is text."""

from __future__ import annotations

import math

WIDTH, HEIGHT = 720, 210
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 34, 34


def scale(steps: list[dict]) -> str:
    """Search time, memory and recall over the number of entries, one below the other."""
    sizes = [step["entries"] for step in steps]
    panels = [
        _panel("search time in us (p50 and p99), bound 500", sizes, 500.0, log=True, lines=[
            ("p50", [step["search_us"]["p50"] for step in steps]),
            ("p99", [step["search_us"]["p99"] for step in steps])]),
        _panel("resident bytes for each entry, bound 2,600", sizes, 2_600.0, zero=True, lines=[
            ("bytes", [step["bytes_per_entry"] for step in steps])]),
        _panel("recall@1 against the exact answer, bound 0.98", sizes, 0.98, least=0.95, most=1.0, lines=[
            ("recall", [step["recall"]["at_1"] for step in steps])]),
    ]
    body = "".join(f'<g transform="translate(0,{place * HEIGHT})">{panel}</g>' for place, panel in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(panels)}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>{body}</svg>\n')


def _panel(title: str, sizes: list[int], bound: float, lines: list[tuple[str, list[float]]], log: bool = False,
           zero: bool = False, least: float | None = None, most: float | None = None) -> str:
    values = [value for _, points in lines for value in points] + [bound]
    low = least if least is not None else 0.0 if zero else min(values)
    high = most if most is not None else max(values) * 1.1
    turn = (lambda value: math.log10(max(value, 1e-9))) if log else (lambda value: value)
    span = max(turn(high) - turn(low), 1e-9)
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: float) -> float:
        return LEFT + (math.log10(size) - first) / max(last - first, 1e-9) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        share = min(max((turn(value) - turn(low)) / span, 0.0), 1.0)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    drawn = [f'<text x="{LEFT}" y="20" font-weight="bold">{title}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = turn(low) + share * span
        value = 10 ** value if log else value
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    for size in sizes:
        drawn.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_number(size)}</text>')
    drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(bound):.1f}" y2="{y(bound):.1f}" stroke="#c33" '
                 f'stroke-dasharray="6 4"/>')
    for (name, points), colour in zip(lines, ("#1f5fa8", "#7aa6d8")):
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, points))
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.extend(f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>'
                     for size, value in zip(sizes, points))
        drawn.append(f'<text x="{x(sizes[-1]) - 6:.1f}" y="{y(points[-1]) - 8:.1f}" text-anchor="end" '
                     f'fill="{colour}">{name}</text>')
    return "".join(drawn)


def _number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    if value >= 10_000:
        return f"{value / 1_000:.0f} K"
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
