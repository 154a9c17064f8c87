"""Photographs and the boxes drawn on them, from a COCO file or from a folder in the manner of YOLO."""

import json
from pathlib import Path

import cv2
import numpy as np

PICTURE_ENDINGS = {".jpg", ".jpeg", ".png"}


class Photographs:
    """All photographs of one set in memory: `pixels[i]` is HxWx3 u8 RGB, `boxes[i]` is Nx4 (x, y, w, h) in pixels."""

    def __init__(self, source):
        """`source` is a COCO .json, or a folder with `images/` and `labels/` (YOLO: class cx cy w h, as shares)."""
        source = Path(source)
        self.names, self.pixels, self.boxes = [], [], []
        if source.is_dir():
            self._read_yolo(source)
        else:
            self._read_coco(source)
        if not self.names:
            raise SystemExit(f"{source}: no photographs found; give a COCO .json or a folder with images/ and labels/")

    @classmethod
    def together(cls, sources):
        """The photographs of several sets as one."""
        first, *rest = (cls(source) for source in sources)
        for other in rest:
            first.names += other.names
            first.pixels += other.pixels
            first.boxes += other.boxes
        return first

    def _read_coco(self, path):
        coco = json.loads(path.read_text())
        boxes = {image["id"]: [] for image in coco["images"]}
        for annotation in coco["annotations"]:
            boxes[annotation["image_id"]].append(annotation["bbox"])
        for image in coco["images"]:
            self._add(path.parent / image["file_name"], image["file_name"], boxes[image["id"]])

    def _read_yolo(self, folder):
        for picture in sorted((folder / "images").rglob("*")):
            if picture.suffix.lower() not in PICTURE_ENDINGS:
                continue
            name = picture.relative_to(folder / "images")
            labels = (folder / "labels" / name).with_suffix(".txt")
            lines = labels.read_text().split("\n") if labels.exists() else []
            shares = np.asarray([line.split()[1:5] for line in lines if line.strip()], np.float32).reshape(-1, 4)
            self._add(picture, str(name), None)
            height, width = self.pixels[-1].shape[:2]
            centre, size = shares[:, :2] * [width, height], shares[:, 2:] * [width, height]
            self.boxes[-1] = np.concatenate([centre - size / 2, size], 1).astype(np.float32)

    def _add(self, path, name, boxes):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"{path}: cannot be read as a picture")
        self.names.append(name)
        self.pixels.append(np.ascontiguousarray(picture[:, :, ::-1]))
        self.boxes.append(np.asarray(boxes if boxes is not None else [], np.float32).reshape(-1, 4))
