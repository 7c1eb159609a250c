"""How people are told: shot types on labelled crops of photographs, and faces on pictures that show none.

    python bench/people.py                          # shot types, development and report
    python bench/people.py --no-faces folder        # how many pictures below the folder have a face all the same

The crops are pieces of photographs that the dependencies ship (``shot_labels.json``: picture, x, y, width, height in
pixels, and the shot type that a person saw). The limits of the shot types were chosen on the first list. Crops on which
the person could not decide are in neither list. Pictures with transparency are laid over white, green or dark blue.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import common
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from rumiai import weights
from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.frames import FrameDetections, Sampling
from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.results import ServiceResult
from rumiai.demo.pictures import picture
from rumiai.inference.objects import assemble_objects, persons_of
from rumiai.inference.yolo import DetectionParams
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.framing import shots_of
from rumiai.people import PeopleAnalyzer, PeopleFrame, assemble_people
from rumiai.services import entries_of
from rumiai.settings import Settings
from rumiai.timeline.build import build
from rumiai_server.engines.yolo.engine import YoloEngine
from rumiai_server.engines.yolo.types import YoloParams

_LABELS: Final = Path(__file__).with_name("shot_labels.json")
_SHORT_SIDE_PX: Final = 720
_LONG_SIDE_PX: Final = 1280
_BACKGROUNDS: Final = ((255, 255, 255), (120, 140, 120), (40, 40, 60))

Picture = npt.NDArray[np.uint8]


class Looker:
    """The detector and the analyzer of people, on single pictures."""

    def __init__(self, yolo: YoloEngine, people: PeopleAnalyzer) -> None:
        self._yolo, self._people = yolo, people

    def objects(self, image: Picture) -> FrameDetections:
        """The objects on a picture, (height, width, 3) RGB."""
        (found,) = self._yolo.detect([(image[None], YoloParams())])[0]
        height, width = image.shape[:2]
        corners = found.boxes / np.array([width, height] * 2, np.float32)
        boxes = np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), axis=1)
        return FrameDetections(0.0, 0, boxes, found.scores, found.class_ids)

    def people(self, image: Picture, objects: FrameDetections) -> list[PeopleFrame]:
        """The people on it."""
        self._people.reset()
        return self._people.analyze(image[None], np.zeros(1), np.zeros(1, np.int64), [persons_of(objects)])

    def shot(self, image: Picture) -> str | None:
        """Its shot type, as the analyses tell it of a video of this one frame."""
        height, width = image.shape[:2]
        sampling = Sampling(width, height, 1.0, 1.0, 1.0, 1)
        seen = self.objects(image)
        objects = assemble_objects([seen], (), sampling, model="yolo", params=DetectionParams())
        people = assemble_people(self.people(image, seen), sampling, objects=objects)
        results = {data.service: ServiceResult(data.service, "", data) for data in (objects, people)}
        facts = MediaFacts(1.0, 1.0, width, height, 1.0)
        metadata = AnalysisMetadata.of(VideoMetadata.local("crop"))
        evidence = read_evidence(build("crop", metadata, facts, results, entries_of))
        return shots_of(evidence.people, evidence.objects)[0] if evidence.people else None


@contextmanager
def looker() -> Iterator[Looker]:
    """Both models, loaded."""
    yolo = YoloEngine(weights.path(Settings().yolo_weights))
    with PeopleAnalyzer(weights.path) as people:
        yield Looker(yolo, people)


def cropped(name: str, x: int, y: int, width: int, height: int) -> Picture:
    """A piece of a photograph at the size of a video's frame."""
    scale = min(_SHORT_SIDE_PX / min(width, height), _LONG_SIDE_PX / max(width, height))
    size = round(width * scale), round(height * scale)
    piece = picture(name)[y : y + height, x : x + width]
    return np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def on_canvas(path: Path, number: int) -> Picture:
    """A picture in the middle of a portrait frame."""
    image = Image.open(path).convert("RGBA")
    scale = min(0.9 * _SHORT_SIDE_PX / image.width, 0.8 * _LONG_SIDE_PX / image.height)
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    frame = Image.new("RGBA", (_SHORT_SIDE_PX, _LONG_SIDE_PX), (*_BACKGROUNDS[number % len(_BACKGROUNDS)], 255))
    frame.alpha_composite(image, ((frame.width - image.width) // 2, (frame.height - image.height) // 2))
    return np.array(frame.convert("RGB"))


def judge_shots(look: Looker) -> None:
    """Print how many labelled crops of each list have the shot type that a person saw, and the confusions."""
    for name, rows in json.loads(_LABELS.read_text()).items():
        told = [(label, look.shot(cropped(*crop)) or "unknown") for *crop, label in rows]
        right = sum(label == shot for label, shot in told)
        wrong = Counter(f"{label} as {shot}" for label, shot in told if label != shot)
        print(f"{name}: {right} of {len(told)} crops right; {dict(wrong)}")


def judge_faces(look: Looker, folder: Path) -> None:
    """Print how many pictures below a folder, which show no human face, have one all the same, by kind and in all.

    A folder below it is a kind. The figures and the names of those pictures are written to ``bench/results`` too.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    pictures, found = Counter[str](), Counter[str]()
    names: list[str] = []
    for number, path in enumerate(paths):
        image, kind = on_canvas(path, number), path.parent.name
        (frame,) = look.people(image, look.objects(image))
        pictures[kind] += 1
        found[kind] += bool(frame.faces)
        names += [f"{kind}/{path.name}"] * bool(frame.faces)
    for kind, count in pictures.items():
        print(f"{kind}: {found[kind]} of {count} pictures with a face")
    print(f"in all: {found.total()} of {len(paths)} pictures with a face: {', '.join(names) or 'none'}")
    common.write_result("no-faces", {"pictures": dict(pictures), "with_a_face": dict(found), "names": names})


def main() -> None:
    """Judge what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-faces", type=Path, metavar="FOLDER", help="pictures without a human face")
    folder = parser.parse_args().no_faces
    with looker() as look:
        if folder is None:
            judge_shots(look)
        else:
            judge_faces(look, folder)


if __name__ == "__main__":
    main()
