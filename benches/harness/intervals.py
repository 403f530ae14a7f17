"""Confidence intervals of shares."""

from __future__ import annotations

import math


def wilson(hits: float, of: float) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson 1927)."""
    if of == 0:
        return 0.0, 1.0
    z, p = 1.96, hits / of
    middle, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, (middle - half) / (1 + z * z / of)), min(1.0, (middle + half) / (1 + z * z / of))


def stratified(strata: list[tuple[int, int, int]]) -> tuple[float, float, float]:
    """Share and 95 % interval over strata of (size, judged, wrong): Wilson's at the effective sample size (Kish 1965)."""
    strata = [(size, judged, wrong) for size, judged, wrong in strata if judged]
    total = sum(size for size, _, _ in strata)
    if not total:
        return 0.0, 0.0, 1.0
    share = sum(size / total * wrong / judged for size, judged, wrong in strata)
    effective = 1 / sum((size / total) ** 2 / judged for size, judged, _ in strata)
    return share, *wilson(share * effective, effective)
