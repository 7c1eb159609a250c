"""Train the guess of a line's script: ``triton/rumiai_server/engines/ocr/ppocr/script_guess.json``.

    python scripts/train_script_guess.py FONTS

FONTS is a folder with the fonts of Debian's fonts-noto-core, fonts-noto-extra, fonts-noto-cjk and fonts-nanum
(``apt-get download`` and ``dpkg -x`` are enough). Lines of made-up words in each script, and pieces of pictures without
text, go through the recogniser; a linear classifier learns what they are from what the network saw of them, averaged
over the line. A third of the fonts of each script is kept aside; the table that is printed is theirs.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from rumiai import weights
from rumiai.contracts.tensors import SCRIPTS
from rumiai.demo import Shot, View, pictures
from rumiai.demo.draw import ShotPainter
from rumiai_server.engines.ocr.ppocr.graph import read_model
from rumiai_server.engines.ocr.ppocr.network import fast_network
from rumiai_server.engines.ocr.ppocr.recognizer import LineRecognizer, characters_of, recognizer_outputs, with_outputs
from rumiai_server.engines.ocr.ppocr.scripts import NO_TEXT, PATH, READABLE

LINES_A_CLASS = 360
LATIN = "abcdefghijklmnopqrstuvwxyz"
ACCENTED = "áàâäãåæçéèêëíìîïñóòôöõøúùûüýßğışžčřěůőűąęłńśźż"
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґўћђљњџ"
# Consonants, and the signs that may follow one.
SYLLABLES = {
    "devanagari": ("कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह", "ािीुूेैोौं्"),
    "gujarati": ("કખગઘચછજઝટઠડઢણતથદધનપફબભમયરલવશષસહ", "ાિીુૂેૈોૌં્"),
    "thai": ("กขคงจฉชซญดตถทธนบปผฝพฟภมยรลวสหอ", "ะาิีึืุูเแโไ่้์"),
    "bengali": ("কখগঘচছজঝটঠডঢণতথদধনপফবভমযরলশষসহ", "ািীুূেৈোৌ্"),
    "tamil": ("கஙசஞடணதநபமயரலவழளறன", "ாிீுூெேைொோ்"),
    "telugu": ("కఖగఘచఛజఝటఠడఢణతథదధనపఫబభమయరలవశషసహ", "ాిీుూెేైొోౌ్"),
}
# English words: those of this project's pages.
ENGLISH = sorted(
    {
        word
        for page in ("README.md", "docs/endpoints.md", "docs/analyses.md", "LICENSE")
        for word in (Path(__file__).parents[1] / page).read_text(encoding="utf-8").split()
        if word.isalpha() and word.isascii()
    }
)
LETTERS = {
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويءئةىگپچژی",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשתםןץףך",
    "greek": "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώ",
    "armenian": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
}
KANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンー"
)
OTHERS = ("hebrew", "armenian", "georgian", "bengali", "tamil", "telugu")
FONTS = {
    "latin": ("NotoSans-", "NotoSerif-", "NotoSansDisplay-", "NotoSerifDisplay-", "NotoSansMono-"),
    "cyrillic": ("NotoSans-", "NotoSerif-", "NotoSansDisplay-", "NotoSerifDisplay-", "NotoSansMono-"),
    "greek": ("NotoSans-", "NotoSerif-"),
    "han": ("NotoSansCJK", "NotoSerifCJK"),
    "hangul": ("NotoSansCJK", "NotoSerifCJK", "Nanum"),
    "arabic": ("NotoSansArabic", "NotoNaskhArabic", "NotoKufiArabic"),
}


def word(rng: np.random.Generator, script: str, han: str, hangul: str) -> str:
    """A made-up word."""
    length = int(rng.integers(2, 9))
    if script == "latin":
        return latin_word(rng, length)
    if script == "cyrillic":
        return _cased(rng, "".join(rng.choice(list(CYRILLIC[:32] * 3 + CYRILLIC), length)))
    if script == "han":
        kana = rng.random() < 0.4
        return "".join(rng.choice(list(KANA * 3 + han[:100] if kana else han), length))
    if script == "hangul":
        return "".join(rng.choice(list(hangul), max(length // 2, 1)))
    if script in LETTERS:
        return "".join(rng.choice(list(LETTERS[script]), length))
    consonants, signs = SYLLABLES[script]
    return "".join(
        str(rng.choice(list(consonants))) + (str(rng.choice(list(signs))) if rng.random() < 0.6 else "")
        for _ in range(max(length // 2, 2))
    )


def latin_word(rng: np.random.Generator, length: int) -> str:
    """Letters as they come in English, a number, a name, or letters with accents."""
    kind = rng.random()
    number = int(rng.integers(0, 10 ** int(rng.integers(1, 5))))
    if kind < 0.15:
        return str(rng.choice(["{}", "{}%", "${}", "€{}", "{}.99", "{}:30", "+{}", "{}k", "#{}", "1/{}"])).format(
            number
        )
    if kind < 0.25:
        return str(rng.choice(["#", "@", "www.", "¿", "¡", "(", '"', "..."])) + "".join(rng.choice(list(LATIN), length))
    if kind < 0.75:
        return _cased(rng, str(rng.choice(ENGLISH)))
    letters = LATIN if kind < 0.85 else LATIN * 2 + ACCENTED
    return _cased(rng, "".join(rng.choice(list(letters), length)))


def _cased(rng: np.random.Generator, text: str) -> str:
    kind = rng.random()
    return text.upper() if kind < 0.3 else text.capitalize() if kind < 0.5 else text


def line_of(rng: np.random.Generator, text: str, font: Path) -> np.ndarray:
    """The text, drawn tightly over a piece of a picture: (h, w, 3) uint8 RGB."""
    size = int(rng.integers(22, 60))
    face = ImageFont.truetype(str(font), size, index=0)
    stroke = int(rng.choice([0, 0, 1, max(size // 12, 1)]))
    left, top, right, bottom = (round(side) for side in face.getbbox(text, stroke_width=stroke))
    margin = int(rng.integers(1, max(size // 4, 2)))
    width, height = max(right - left, 8) + 2 * margin, max(bottom - top, 8) + 2 * margin
    image = Image.fromarray(background(rng, width, height))
    light = rng.random() < 0.7
    colour = tuple(int(v) for v in (rng.integers(190, 256, 3) if light else rng.integers(0, 70, 3)))
    edge = (0, 0, 0) if light else (255, 255, 255)
    if rng.random() < 0.4 and not stroke:
        image.paste(edge, (0, 0, width, height))
    ImageDraw.Draw(image).text(
        (margin - left, margin - top), text, fill=colour, font=face, stroke_width=stroke, stroke_fill=edge
    )
    _, jpeg = cv2.imencode(".jpg", np.asarray(image), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), dtype=np.uint8)


_SHOTS: dict[str, np.ndarray] = {}


def background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A piece of one of the demo's pictures."""
    name = str(rng.choice(pictures.NAMES))
    if name not in _SHOTS:
        _SHOTS[name] = ShotPainter(Shot(name, 1.0, View(0.5, 0.5, 1.2)), 720, 1280).frame(0.0, 0)
    shot = _SHOTS[name]
    y, x = int(rng.integers(0, 1280 - 60)), int(rng.integers(0, 720 - 60))
    piece = shot[y : y + max(height // 2, 20), x : x + max(width // 2, 20)]
    return np.asarray(cv2.resize(piece, (width, height)), dtype=np.uint8)


@functools.cache
def fonts_of(folder: Path, script: str) -> list[Path]:
    """Font files that have the script, sorted."""
    starts = FONTS.get(script, (f"NotoSans{script.capitalize()}-", f"NotoSerif{script.capitalize()}-"))
    found = [path for path in folder.rglob("*.tt[fc]") if path.name.startswith(starts) and "Italic" not in path.name]
    return sorted(found)


def samples(folder: Path, han: str, hangul: str, *, held_out: bool) -> list[tuple[np.ndarray, int]]:
    """Lines and their class, from a third of the fonts or from the others."""
    rng = np.random.default_rng([3, held_out])
    made = []
    for kind, script in enumerate((*SCRIPTS, NO_TEXT)):
        for number in range(LINES_A_CLASS // (3 if held_out else 1)):
            if script == NO_TEXT:
                made.append((background(rng, int(rng.integers(40, 400)), int(rng.integers(24, 60))), kind))
                continue
            name = OTHERS[number % len(OTHERS)] if script == "other" else script
            fonts = fonts_of(folder, name)
            chosen = [f for i, f in enumerate(fonts) if (i % 3 == 0) == held_out] or fonts
            words = [word(rng, name, han, hangul) for _ in range(int(rng.integers(1, 6)))]
            text = ("" if name == "han" else " ").join(words)
            if rng.random() < 0.15:
                text += str(rng.choice(["!", "?", "...", " 5", " 100%", " 2024"]))
            made.append((line_of(rng, text, chosen[int(rng.integers(len(chosen)))]), kind))
    return made


def features_of(lines: list[np.ndarray]) -> np.ndarray:
    """(lines, channels) what the recogniser saw."""
    model = read_model(weights.path("PP-OCRv6_rec_small.onnx"))
    names = recognizer_outputs(model)
    network = fast_network(with_outputs(model, names), names, torch.device("cpu"), few_shapes=False)
    reader = LineRecognizer(network, characters_of(model))
    out: dict[int, np.ndarray] = {}
    for batch in reader.batches(lines, strict=False):
        readings = reader.read([lines[i] for i in batch], strict=False)
        out |= {i: reading.features for i, reading in zip(batch, readings, strict=True)}
    return np.stack([out[i] for i in range(len(lines))])


def train(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (channels, classes) and bias of a softmax regression over ``x`` as it is."""
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    inputs, labels = torch.from_numpy((x - mean) / deviation).float(), torch.from_numpy(y)
    model = torch.nn.Linear(x.shape[1], int(y.max()) + 1)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=300)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(model(inputs), labels) + 2e-4 * model.weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    weight = model.weight.detach().numpy().T / deviation[:, None]
    return weight, model.bias.detach().numpy() - mean @ weight


def main() -> None:
    """Draw, train, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fonts", type=Path)
    args = parser.parse_args()
    torch.manual_seed(0)
    known = characters_of(read_model(weights.path("PP-OCRv6_rec_small.onnx")))
    han = "".join(c for c in known if len(c) == 1 and "\u4e00" <= c <= "\u9fff")[:3500]
    # Those that every font has: the syllables of KS X 1001.
    hangul = "".join(char for code in range(0xAC00, 0xD7A4) if (char := chr(code)).encode("euc_kr", "ignore"))
    kinds = (*SCRIPTS, NO_TEXT)
    parts = [samples(args.fonts, han, hangul, held_out=held_out) for held_out in (False, True)]
    (x, y), (test_x, test_y) = (
        (features_of([line for line, _ in part]), np.array([kind for _, kind in part])) for part in parts
    )
    weight, bias = train(x, y)
    guessed = (test_x @ weight + bias).argmax(axis=1)
    sure = test_x @ weight + bias
    sure = np.exp(sure - sure.max(axis=1, keepdims=True))
    foreign = (sure / sure.sum(axis=1, keepdims=True))[:, [kind not in READABLE for kind in kinds]].sum(axis=1)
    for kind, name in enumerate(kinds):
        these = foreign[test_y == kind]
        shares = ", ".join(f"{limit}: {(these >= limit).mean():.3f}" for limit in (0.5, 0.8, 0.9, 0.95, 0.99))
        sys.stdout.write(f"{name}: share that is disbelieved from a probability of {shares}\n")
    sys.stdout.write("script: right of lines, what else it was taken for\n")
    for kind, name in enumerate(kinds):
        these = guessed[test_y == kind]
        wrong = {kinds[other]: int((these == other).sum()) for other in np.unique(these) if other != kind}
        sys.stdout.write(f"{name}: {int((these == kind).sum())} of {len(these)}, {wrong}\n")
    content = {"kinds": kinds, "weight": np.round(weight, 3).tolist(), "bias": np.round(bias, 3).tolist()}
    PATH.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
