"""A model's answer held against contract, metrics and evidence, and laid over the Python blocks.

Numbers are Python's, always. What a model may decide is taken when it keeps the contract and cites nothing that is not
in the data; what it cites and is not there is dropped, and the rule's value stays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rumiai.contracts.blocks import EXTRA, AnalysisBlocks, Blocks, FieldSchema, Schema
from rumiai.contracts.blocks.rules import contradictions
from rumiai.insights.answer_json import UnreadableError, blocks_of, read_object
from rumiai.insights.citing import Corpus
from rumiai.insights.cleaning import clean, clean_text
from rumiai.insights.data import PromptData
from rumiai.metrics.registry import rules_of, schema_of

# A figure of the model disagrees with the measured one when they differ by more than this share of the larger.
_DISAGREEMENT: Final = 0.05
_SAME_TIME_S: Final = 0.06
_PLACEHOLDER: Final = re.compile(r"<[a-z_]+>")
_MOST_APPENDED: Final = 8
_TEXT_CHARS: Final = 300
_TIME_MEMBERS: Final = ("timestamp", "start", "window", "second")
# Members that are quotations as a whole: phrase with its time, or text from anywhere.
_SPOKEN_MEMBER: Final = "phrase"
_QUOTE_MEMBERS: Final = ("phrase", "text")
_ALL_BLOCKS: Final = 6


@dataclass
class Verdict:
    """What came of an answer.

    Attributes:
        blocks: The six blocks: Python's, where the answer is valid with the judgements taken laid over them.
        valid: Whether it keeps the contract.
        errors: Why not; what the repair round is told.
        warnings: Oddities that did no harm.
        disagreements: Computed fields for which the model had another value.
        dropped: Judgements that were not taken, each with its reason.
        taken: Block -> fields that are the model's.
        model_confidence: Block -> the model's own confidence; recorded, not used.
        extra: What it wrote that is in no contract, by block.
    """

    blocks: AnalysisBlocks
    valid: bool = False
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    taken: dict[str, list[str]] = field(default_factory=dict)
    model_confidence: dict[str, float] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON form, without the blocks."""
        plain = {name: value for name, value in vars(self).items() if name not in ("blocks", "extra")}
        return {**plain, EXTRA: self.extra}


def judge(
    analysis: str,
    text: str,
    stop_reason: str | None,
    blocks: AnalysisBlocks,
    data: PromptData,
    author: str | None = None,
) -> Verdict:
    """Check and correct an answer of the model.

    Args:
        analysis: Which.
        text: The answer.
        stop_reason: Why it ended.
        blocks: Python's six blocks.
        data: What the model was told.
        author: Whose name was left out of it.
    """
    # What the model saw of the blocks, and can be held to.
    schema = schema_of(analysis)
    shown: Blocks = clean(schema.to_json(blocks), author)
    verdict = Verdict(blocks)
    given = _read(analysis, text, stop_reason, verdict)
    if given is None:
        return verdict
    corpus = Corpus.of(data)
    _check(analysis, given, shown, corpus.duration_s, verdict)
    if verdict.errors:
        return verdict
    laid = schema.to_json(blocks)
    for block in schema.blocks:
        for item in block.fields:
            if item.needs_judgement and item.name in given.get(block.name, {}):
                seen = shown.get(block.name, {}).get(item.name)
                _lay(block.name, item, given[block.name][item.name], seen, laid[block.name], corpus, verdict)
    _drop_contradictions(schema, laid, schema.to_json(blocks), verdict)
    verdict.errors += _new_problems(schema, laid, blocks, corpus.duration_s)
    if not verdict.errors:
        verdict.valid, verdict.blocks = True, schema.read(laid)
    return verdict


def _drop_contradictions(schema: Schema, laid: dict[str, dict[str, Any]], blocks: Blocks, verdict: Verdict) -> None:
    """Give back the rule's value where the model's word contradicts something else; of a list the word is left out."""
    for rule in contradictions(rules_of(schema.name), laid):
        block, name = rule.label.split(".")
        if name in verdict.taken.get(block, ()):
            item, value = schema.block(block).by_key[name], laid[block][name]
            kept = [word for word in value if word not in rule.words] if item.is_list else blocks[block][name]
            laid[block].update(dict.fromkeys((item.name, *item.aliases), kept))
            if not item.is_list:
                verdict.taken[block].remove(name)
            verdict.dropped.append(f"{rule.label}: contradicts {rule.other}: {rule.says}")


def _new_problems(schema: Schema, judged: Blocks, blocks: AnalysisBlocks, duration_s: float) -> list[str]:
    """What is wrong with the judged blocks and was not with Python's."""
    problems = [str(problem) for problem in schema.problems(judged, duration_s=duration_s)]
    if not problems:
        return []
    before = {str(problem) for problem in schema.problems(schema.to_json(blocks), duration_s=duration_s)}
    return [problem for problem in problems if problem not in before]


def _read(analysis: str, text: str, stop_reason: str | None, verdict: Verdict) -> dict[str, dict[str, Any]] | None:
    if stop_reason in ("max_tokens", "model_context_window_exceeded"):
        verdict.errors.append("it was cut off before its end: be shorter, every list at most as long as needed")
        return None
    if stop_reason == "refusal":
        verdict.errors.append("the model declined to answer")
        return None
    try:
        given, errors, verdict.extra = blocks_of(analysis, read_object(text))
    except UnreadableError as exc:
        verdict.errors.append(str(exc))
        return None
    verdict.errors += errors
    verdict.warnings += [f"{name}: no such block" for name in verdict.extra]
    return given


def _check(
    analysis: str, given: Mapping[str, dict[str, Any]], blocks: Blocks, duration_s: float, verdict: Verdict
) -> None:
    """Contract, disagreements and placeholders; fills the lists of the verdict."""
    schema = schema_of(analysis)
    for block in schema.blocks:
        content, name = given.get(block.name, {}), schema.prefix + block.name
        for item in block.fields:
            if item.needs_judgement:
                if item.name not in content:
                    verdict.errors.append(f"{name}.{item.name}: got nothing, expected {item.describe()}")
                    continue
                problems = item.check(content[item.name], f"{name}.{item.name}", duration_s)
                verdict.errors += [str(problem) for problem in problems]
            if item.kind == "num" and item.name in content and item is not block.confidence:
                mine, theirs = blocks.get(block.name, {}).get(item.name), content[item.name]
                if not item.extensible and not _agree_on(item, mine, theirs):
                    verdict.disagreements.append(f"{name}.{item.name}")
        for key in content:
            if key not in block.by_key and key != EXTRA:
                verdict.extra.setdefault(name, {})[key] = content[key]
                verdict.warnings.append(f"{name}.{key}: no such field")
        own = content.get(block.confidence.name)
        if isinstance(own, int | float) and not isinstance(own, bool) and math.isfinite(own):
            verdict.model_confidence[block.name] = float(own)
    verdict.errors += [f"{place}: the placeholder {word} is no value" for place, word in _placeholders(given)]
    _check_constants(schema.prefix, given, blocks, verdict)


def _check_constants(prefix: str, given: Mapping[str, dict[str, Any]], blocks: Blocks, verdict: Verdict) -> None:
    own = list(verdict.model_confidence.values())
    if len(own) == _ALL_BLOCKS and len(set(own)) == 1:
        verdict.errors.append(f"confidence: {own[0]:g} in all six blocks; judge each block by its own evidence")
    core, mine = given.get("CoreMetrics", {}), blocks.get("CoreMetrics", {})
    numbers = {n: v for n, v in core.items() if n != "confidence" and type(v) in (int, float)}
    if len(numbers) > 2 and not any(numbers.values()) and any(mine.get(name) for name in numbers):
        verdict.errors.append(f"{prefix}CoreMetrics: all numbers are 0, but the metrics given are not")


def _agree_on(item: FieldSchema, mine: Any, theirs: Any) -> bool:
    """Whether the computed part of a field is as given; of a list with judged members a part may have been shown."""
    if not (item.judged and isinstance(mine, list) and isinstance(theirs, list)):
        return _agree(mine, theirs)

    def bare(record: Any) -> Any:
        return {k: v for k, v in record.items() if k not in item.judged} if isinstance(record, Mapping) else record

    return all(any(_agree(bare(one), bare(other)) for one in mine) for other in theirs)


def _agree(mine: Any, theirs: Any) -> bool:
    if _is_number(mine) and _is_number(theirs):
        return bool(abs(mine - theirs) <= _DISAGREEMENT * max(abs(mine), abs(theirs)) + 1e-9)
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        return set(mine) == set(theirs) and all(_agree(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(_agree(a, b) for a, b in zip(mine, theirs, strict=True))
    return bool(mine == theirs)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _placeholders(value: Any, place: str = "answer") -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(place, value)] if _PLACEHOLDER.fullmatch(value.strip()) else []
    if isinstance(value, Mapping):
        return [hit for key, item in value.items() for hit in _placeholders(item, f"{place}.{key}")]
    if isinstance(value, list):
        return [hit for index, item in enumerate(value) for hit in _placeholders(item, f"{place}[{index}]")]
    return []


def _lay(
    block: str, item: FieldSchema, value: Any, seen: Any, content: dict[str, Any], corpus: Corpus, verdict: Verdict
) -> None:
    """Lay the model's value of one field over Python's in ``content``, which the model saw as ``seen``."""
    place = f"{block}.{item.name}"
    mine = content.get(item.name)
    if mine is None and not (item.facts.open_to_model and _rests_on_data(content)):
        # Its input is missing: no face, no speech. What a model says of it all the same is not from the data.
        if value not in (None, [], ""):
            verdict.dropped.append(f"{place}: unknown for lack of data")
        return
    if value is None:
        return
    if item.kind == "judge" or mine is None:
        result, taken = _judged(item, value, mine, place, corpus, verdict)
    else:
        result, taken = _extended(item, value, mine, seen, place, corpus, verdict)
    if taken:
        content.update(dict.fromkeys((item.name, *item.aliases), result))
        verdict.taken.setdefault(block, []).append(item.name)


def _rests_on_data(content: Mapping[str, Any]) -> bool:
    """Whether a block's confidence is above 0; that of the Quality block is the one of the analysis."""
    return bool(content["confidence"] if "confidence" in content else content["overallConfidence"])


def _judged(item: FieldSchema, value: Any, mine: Any, place: str, corpus: Corpus, verdict: Verdict) -> tuple[Any, bool]:
    """A judge field: list items one by one, anything else as a whole."""
    if item.is_list:
        kept = [_tidy(entry) for entry in value if _sound(entry, place, corpus, verdict)]
        return _unique(kept), True
    if not _sound(value, place, corpus, verdict):
        return mine, False
    return _tidy(value), True


def _extended(
    item: FieldSchema, value: Any, mine: list[Any], seen: list[Any], place: str, corpus: Corpus, verdict: Verdict
) -> tuple[list[Any], bool]:
    """A computed list: judged members of its own items, and new items where it is open."""
    if not item.is_list:
        return mine, False
    result, taken, fresh = list(mine), False, []
    left = list(range(len(mine)))
    for entry in value:
        index = next((i for i in left if _same_item(seen[i], entry, item)), None)
        if index is None:
            fresh.append(entry)
            continue
        left.remove(index)
        for name in item.judged:
            words = entry[name]
            if _sound(words, f"{place}[{index}].{name}", corpus, verdict):
                result[index] = {**result[index], name: _tidy(words)}
                taken = True
    if not item.extensible:
        verdict.dropped += [f"{place}: no such item in the metrics ({_short(entry)})" for entry in fresh]
        return result, taken
    room = _MOST_APPENDED
    for entry in fresh:
        tidy = _tidy(entry)
        if room and tidy not in result and tidy not in seen and _sound(entry, place, corpus, verdict):
            result.append(tidy)
            room, taken = room - 1, True
    return _by_time(item, result), taken


def _same_item(mine: Any, theirs: Any, item: FieldSchema) -> bool:
    if not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
        return bool(mine == theirs)
    keys = [name for name in mine if name not in item.judged]
    times = [name for name in keys if name in _TIME_MEMBERS][:1]
    texts = [name for name in keys if name in _QUOTE_MEMBERS]
    return all(_near(mine[name], theirs.get(name)) for name in times + texts) and bool(times + texts)


def _near(mine: Any, theirs: Any) -> bool:
    if _is_number(mine) and _is_number(theirs):
        return bool(abs(mine - theirs) <= _SAME_TIME_S)
    if isinstance(mine, str) and isinstance(theirs, str):
        return clean_text(mine) == clean_text(theirs)
    return bool(mine == theirs)


def _sound(entry: Any, place: str, corpus: Corpus, verdict: Verdict) -> bool:
    """Whether everything that an entry cites is in the data; what is not is recorded."""
    faults: list[str] = []
    if isinstance(entry, Mapping):
        for name, value in entry.items():
            if name in _QUOTE_MEMBERS:
                if not corpus.has(str(value)):
                    faults.append(f"{str(value)!r} is in none of the texts")
                elif name == _SPOKEN_MEMBER and not corpus.said_at(str(value), float(entry.get("timestamp", -1.0))):
                    faults.append(f"{str(value)!r} is not said at {entry.get('timestamp')} s")
            elif isinstance(value, str):
                faults += corpus.faults(value)
    elif isinstance(entry, str):
        faults = corpus.faults(entry)
        if not entry.strip():
            faults.append("it is empty")
    verdict.dropped += [f"{place}: {fault}" for fault in faults]
    return not faults


def _tidy(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)[:_TEXT_CHARS]
    if isinstance(value, Mapping):
        return {name: _tidy(member) for name, member in value.items()}
    return value


def _unique(items: list[Any]) -> list[Any]:
    return [item for index, item in enumerate(items) if item not in items[:index]]


def _by_time(field: FieldSchema, items: list[Any]) -> list[Any]:
    if field.is_timed_list:
        return sorted(items, key=lambda item: float(item["timestamp"]))
    return items


def _short(entry: Any) -> str:
    return clean_text(str(entry))[:60]
