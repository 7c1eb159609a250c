"""Fit the weights of the cues of text kinds: ``orchestrator/rumiai/inference/text_kinds/weights.json``.

    python bench/text_kinds.py --seeds 0,60 --rows generated.json
    python bench/text_kinds.py --folder CLIPS --rows real.json
    python scripts/fit_text_kinds.py generated.json real.json

Each file holds rows as ``bench/text_kinds.py`` writes them: a clip, a kind, and the cues of one text. Every file counts
the same in sum, and in it a clip by the square root of its number of texts, for one filmed screen has hundreds.
Logistic regression with a penalty on the squares of the weights; a weight keeps the sign that stands in the file, for a
cue that argues the other way round on these clips is chance. The table that is printed is cross-validated: each clip is
judged by weights that were fitted without it. Where the cues begin and end, and the two thresholds, are the file's own.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

from rumiai.inference.text_kinds.model import KindModel

WEIGHTS: Final = Path(__file__).parents[1] / "orchestrator/rumiai/inference/text_kinds/weights.json"
PENALTY: Final = 0.15


@dataclass(frozen=True)
class Rows:
    """Texts whose kind is known: row i of each array is one of them."""

    shares: Any  # (n, cues) the cues brought to 0..1
    overlays: Any  # (n,) 1.0 of an overlay
    clips: Any  # (n,) names
    files: Any  # (n,) numbers

    @property
    def weights(self) -> Any:
        """(n,) how much each counts."""
        _, place, count = np.unique(self.clips, return_inverse=True, return_counts=True)
        weights = 1 / np.sqrt(count[place])
        for file in np.unique(self.files):
            weights[self.files == file] *= len(weights) / (2 * weights[self.files == file].sum())
        return weights


def read(paths: list[Path], model: KindModel) -> Rows:
    """The rows of all files."""
    rows = [(number, row) for number, path in enumerate(paths) for row in json.loads(path.read_text(encoding="utf-8"))]
    return Rows(
        np.array([list(model.shares(row["cues"]).values()) for _, row in rows]),
        np.array([float(row["kind"] == "overlay") for _, row in rows]),
        np.array([row["clip"] for _, row in rows]),
        np.array([number for number, _ in rows]),
    )


def fit(shares: Any, overlays: Any, weights: Any, signs: Any) -> Any:
    """The weights and, last, the bias."""

    def loss(p: Any) -> Any:
        z = shares @ p[:-1] + p[-1]
        slope = weights * (1 / (1 + np.exp(-z)) - overlays)
        value = (weights * (np.logaddexp(0, z) - overlays * z)).sum() + PENALTY * (p[:-1] ** 2).sum()
        return value, np.append(shares.T @ slope + 2 * PENALTY * p[:-1], slope.sum())

    bounds = [(0, None) if sign > 0 else (None, 0) for sign in signs] + [(None, None)]
    return minimize(loss, np.zeros(shares.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x


def probabilities(rows: Rows, signs: Any) -> Any:
    """(n,) of an overlay, each by weights that were fitted without its clip."""
    found = np.zeros(len(rows.overlays))
    for clip in np.unique(rows.clips):
        out = rows.clips == clip
        p = fit(rows.shares[~out], rows.overlays[~out], rows.weights[~out], signs)
        found[out] = 1 / (1 + np.exp(-(rows.shares[out] @ p[:-1] + p[-1])))
    return found


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", type=Path, help="files of bench/text_kinds.py")
    args = parser.parse_args()
    content = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    model = KindModel.from_json(content)
    rows = read(args.rows, model)
    signs = np.array([np.sign(weight.weight) or 1.0 for weight in model.weights.values()])
    found = probabilities(rows, signs)
    _tell("| file | overlays | recall | precision | overlays unknown | writing in the scene | unknown |")
    for number, path in enumerate(args.rows):
        mine = rows.files == number
        true, said = rows.overlays[mine] == 1, found[mine] >= model.overlay_from
        unsure = ~said & (found[mine] >= model.scene_below)
        right = int((true & said).sum())
        _tell(
            f"| {path.stem} | {true.sum()} | {right / max(1, true.sum()):.2f} | {right / max(1, said.sum()):.2f} "
            f"| {(true & unsure).sum()} | {(~true).sum()} | {(~true & unsure).sum()} |"
        )
    _tell("\n| probability | texts | overlays among them |")
    for low in np.arange(0, 1, 0.1):
        there = (found >= low) & (found < low + 0.1)
        if there.any():
            _tell(f"| {low:.1f} to {low + 0.1:.1f} | {there.sum()} | {rows.overlays[there].mean():.2f} |")
    p = fit(rows.shares, rows.overlays, rows.weights, signs)
    for name, value in zip(model.weights, p, strict=False):
        content["cues"][name]["weight"] = round(float(value), 3)
    content["bias"] = round(float(p[-1]), 3)
    WEIGHTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
