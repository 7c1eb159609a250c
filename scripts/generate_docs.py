#!/usr/bin/env python3
"""Write the parts of docs/ that code knows better: settings, command lines, the fields of the seven analyses.

``python scripts/generate_docs.py`` writes them; ``tests/unit/test_docs.py`` fails when they are not what this writes.
"""

from __future__ import annotations

from pathlib import Path

import click

from rumiai.metrics.registry import ANALYSES, schema_of
from rumiai.settings import OLDER, READ_ELSEWHERE, OlderVariable, variables

DOCS = Path(__file__).resolve().parents[1] / "docs"
_MADE = "<!-- Made by scripts/generate_docs.py; edit the code, not this file. -->"


def settings_page() -> str:
    """All settings with their names, defaults and meanings."""
    lines = [
        "# Settings",
        _MADE,
        "",
        "Precedence: flag, then environment, then `.env` in the current folder, then the default. Of several names",
        "for one setting the first of its row wins. A bad value ends with exit status 2 and a line that names it; a",
        "`RUMIAI_` name that means nothing is warned about.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for variable in variables():
        names = ", ".join(f"`{name}`" for name in variable.names)
        lines.append(f"| {names} | {f'`{variable.default}`' if variable.default else ''} | {variable.meaning} |")
    lines += ["", "## Read elsewhere", "", "| variable | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in READ_ELSEWHERE.items()]
    lines += [
        "",
        "## Variables of the earlier system",
        "",
        "These stand for no setting. One that asks for another result than a run gives, or sends data elsewhere, is",
        "refused: exit status 2, before anything begins. One that only asks for another way to the same result is",
        "warned about.",
        "",
        "| variable | taken without a word | any other value | why, and what to use instead |",
        "|---|---|---|---|",
    ]
    lines += [_older_row(variable) for variable in OLDER]
    return "\n".join(lines) + "\n"


def _older_row(variable: OlderVariable) -> str:
    harmless = ", ".join(f"`{text}`" for text in variable.harmless)
    fate = "refused" if variable.is_refused else "warned about"
    return f"| `{variable.name}` | {harmless} | {fate} | {variable.reason} |"


def _help(command: click.Command, path: list[str]) -> list[str]:
    context = click.Context(command, info_name=" ".join(path), terminal_width=100, max_content_width=100)
    out = [f"## {' '.join(path)}", "", "```text", command.get_help(context), "```", ""]
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            out += _help(command.commands[name], [*path, name])
    return out


def cli_page() -> str:
    """The help of every command of both programs."""
    from rumiai.cli import main as orch
    from rumiai_server.cli import main as triton

    lines = ["# Command lines", _MADE, ""]
    for program, command in (("rumiai-orch", orch), ("rumiai-triton", triton)):
        lines += _help(command, [program])
    return "\n".join(lines).rstrip() + "\n"


_ABOUT = """\
**Observed.** Every service's data says when it looked (`observed`: instants of sampled frames, or stretches of picture
and sound). A metric counts only that time: rates divide by it, and a second or window of which less than half was
looked at is null, not 0. Where the picture or the sound breaks off, the rest is unknown.

**No data, no word.** A label is null where what it rests on is null, and where no rule fits; no word stands for
"nothing measured". Words that need every type of element (sparse, minimal, empty seconds) are null unless every type
was looked for. Effects are null: nothing detects them. A synchrony is null where chance alone would give it.

**Consistency.** Labels of one analysis contradict neither each other nor its numbers: a steady state has a stable arc,
quick_cuts a scene below 1 s, a creator in the centre a face. The rules stand in `metrics/<analysis>/rules.py`; of a
model's answer a word that breaks one is not taken.

**Confidence.** A service's quality is q = c x r x s x d, and 0 when it failed or looked at nothing: c the mean
confidence of its finds (0.9 for finds without any, 0.5 for an empty result, 1 for a measurement), r the share of the
video that it looked at, s = min(1, sampled frames / 10), d what went wrong inside (looped or lost speech, a language
in doubt or another than English, which the word lists are in). A block's confidence is the mean of q over its
services by their weights, and 0 for a block that says nothing; the overall one is the mean of the five x
sqrt(completeness).
""".splitlines()


def analyses_page() -> str:
    """The fields of the seven analyses, from the schemas that validate them."""
    lines = [
        "# The seven analyses",
        _MADE,
        "",
        "Six blocks each. `num` fields are computed and authoritative; `judge` fields are interpretations by a",
        "stated rule. A field that is null could not be measured; Quality names the services that are missing.",
        "JSON Schema: `rumiai-orch schema ANALYSIS`.",
        "",
        *_ABOUT,
        "",
    ]
    lines += [schema_of(name).markdown() for name in ANALYSES]
    return "\n".join(lines).rstrip() + "\n"


PAGES = {"docs/settings.md": settings_page, "docs/cli.md": cli_page, "docs/analyses.md": analyses_page}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (DOCS.parent / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
