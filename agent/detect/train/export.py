"""Write trained weights as an int8 ONNX model that takes raw RGB bytes, with its manifest.

    python export.py --data DATA/train.json --weights weights.pt --id NAME --threshold 0.43 --out ../models

Every layer becomes one QLinearConv with u8 activations, u8 weights and one scale per tensor; a ReLU is nothing
but a zero point of 0. The picture's bytes are the first layer's input as they are: scale 1/255, zero point 0.
The activation ranges come from tiles of the training photographs. Onnxruntime runs the result against the
float network before it is kept. Beside it stands the float network that it was made from, NAME-float.onnx, for comparisons.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

from dataset import DISTANCE_PX_MAX, DISTANCE_PX_MIN, STRIDE_PX
from network import Network
from photographs import Photographs

CALIBRATION_TILES = 64
# Cells without an insect answer anything; steps spent on what no insect needs would blur those that count.
# Every range must hold 0, because a zero point is one of the 256 steps.
HEAT_LOW = -8.0
DISTANCE_RANGE = (float(np.log(DISTANCE_PX_MIN)), float(np.log(DISTANCE_PX_MAX)))
OPSET = 13


def calibration_tiles(photographs, tile_px, rng):
    tiles = []
    for _ in range(CALIBRATION_TILES):
        pixels = photographs.pixels[rng.integers(len(photographs.pixels))]
        top = rng.integers(pixels.shape[0] - tile_px + 1)
        left = rng.integers(pixels.shape[1] - tile_px + 1)
        tiles.append(pixels[top : top + tile_px, left : left + tile_px].transpose(2, 0, 1))
    return np.ascontiguousarray(np.stack(tiles))


def observe(layers, tiles):
    """The range (low, high) of every layer's answers; a thousandth of a percent may saturate."""
    ranges = [[] for _ in layers]
    with torch.no_grad():
        for tile in tiles:
            features = torch.from_numpy(tile[None]).float() / 255
            for i, (weight, bias, stride, padding, dilation, has_relu) in enumerate(layers):
                parameters = torch.from_numpy(weight), torch.from_numpy(bias)
                answer = functional.conv2d(features, *parameters, stride, padding, dilation)
                if has_relu:
                    features = answer = functional.relu(answer)
                values = np.sort(answer.numpy().ravel())
                skip = len(values) // 100_000
                ranges[i].append((values[skip], values[-1 - skip]))
    ranges = [(min(low for low, _ in seen), max(high for _, high in seen)) for seen in ranges]
    *body, heat, distance = ranges
    heat = (max(heat[0], HEAT_LOW), heat[1])
    distance = DISTANCE_RANGE
    return [*body, heat, distance]


def shape_of(layer):
    """The attributes of a convolution in ONNX."""
    weight, _, stride, padding, dilation, _ = layer
    return {
        "kernel_shape": list(weight.shape[2:]),
        "strides": [stride] * 2,
        "pads": [padding] * 4,
        "dilations": [dilation] * 2,
    }


class Graph:
    """The ONNX graph while it grows."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def convolution(self, name, source, layer, answer_range):
        """Append a QLinearConv; `source` and the answer are (tensor, scale, zero point)."""
        weight, bias, stride, padding, dilation, has_relu = layer
        source_name, source_scale, source_zero = source
        weight_scale = np.float32(np.abs(weight).max() / 127)
        weight_u8 = (np.round(weight / weight_scale) + 128).clip(1, 255).astype(np.uint8)
        low, high = (0.0, answer_range[1]) if has_relu else answer_range
        scale = np.float32((high - low) / 255)
        zero = np.uint8(np.clip(round(-low / scale), 0, 255))
        inputs = [
            source_name,
            self.constant(f"{name}_source_scale", np.float32(source_scale)),
            self.constant(f"{name}_source_zero", np.uint8(source_zero)),
            self.constant(f"{name}_weight", weight_u8),
            self.constant(f"{name}_weight_scale", weight_scale),
            self.constant(f"{name}_weight_zero", np.uint8(128)),
            self.constant(f"{name}_scale", scale),
            self.constant(f"{name}_zero", zero),
            self.constant(f"{name}_bias", np.round(bias / (source_scale * weight_scale)).astype(np.int32)),
        ]
        self.nodes.append(helper.make_node("QLinearConv", inputs, [name], name, **shape_of(layer)))
        return name, scale, zero

    def dequantize(self, source, name):
        inputs = [source[0], self.constant(f"{name}_scale", source[1]), self.constant(f"{name}_zero", source[2])]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name], f"{name}_dequantize"))


def quantized(layers, ranges, tile_px):
    graph = Graph()
    features = ("pixels", np.float32(1 / 255), np.uint8(0))
    for i, (layer, answer_range) in enumerate(zip(layers[:-2], ranges)):
        features = graph.convolution(f"conv{i}", features, layer, answer_range)
    for name, layer, answer_range in zip(("heat", "distance"), layers[-2:], ranges[-2:]):
        graph.dequantize(graph.convolution(f"{name}_u8", features, layer, answer_range), name)
    return finished(graph, tile_px)


def in_float(layers, tile_px):
    """The same network and the same input, in float."""
    graph = Graph()
    graph.nodes.append(helper.make_node("Cast", ["pixels"], ["bytes"], "cast", to=TensorProto.FLOAT))
    graph.nodes.append(helper.make_node("Mul", ["bytes", graph.constant("share", np.float32(1 / 255))], ["rgb"], "shares"))
    source = "rgb"
    for i, layer in enumerate(layers):
        name = {len(layers) - 2: "heat", len(layers) - 1: "distance"}.get(i, f"conv{i}")
        weight, bias, *_, has_relu = layer
        inputs = [source, graph.constant(f"{name}_weight", weight), graph.constant(f"{name}_bias", bias)]
        answer = f"{name}_sum" if has_relu else name
        graph.nodes.append(helper.make_node("Conv", inputs, [answer], name, **shape_of(layer)))
        if has_relu:
            graph.nodes.append(helper.make_node("Relu", [answer], [name], f"{name}_relu"))
            source = name
    return finished(graph, tile_px)


def finished(graph, tile_px):
    grid = tile_px // STRIDE_PX
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "insects",
            [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, 3, tile_px, tile_px])],
            [
                helper.make_tensor_value_info("heat", TensorProto.FLOAT, [1, 1, grid, grid]),
                helper.make_tensor_value_info("distance", TensorProto.FLOAT, [1, 4, grid, grid]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="trapline",
    )
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def compare(model, network, tiles):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    heat_error, distance_error, found = [], [], 0
    with torch.no_grad():
        for tile in tiles[:16]:
            heat, distance = session.run(None, {"pixels": tile[None]})
            heat_float, distance_float = (part.numpy() for part in network(torch.from_numpy(tile[None]).float() / 255))
            chance, chance_float = 1 / (1 + np.exp(-heat)), 1 / (1 + np.exp(-heat_float))
            heat_error.append(np.abs(chance - chance_float).max())
            strong = chance_float[:, 0] > 0.3
            found += strong.sum()
            error = np.abs(np.exp(distance) - np.exp(distance_float)).max(1)[strong]
            distance_error.extend(error.tolist())
    print(f"int8 against float: largest heat error per tile, mean {np.mean(heat_error):.3f};", end=" ")
    print(f"mean of the largest distance error {np.mean(distance_error):.2f} px over {found} cells")


MANIFEST = """\
# What the detector must know about its model. Written by train/export.py.
id = "{id}"
file = "{id}.onnx"
sha256 = "{sha256}"
# Taught on these photographs, under this licence; see {id}.md.
trained_on = "SPoHF yellow sticky traps, train split, CC BY 4.0"
licence = "CC BY 4.0"
# The card it is for.
card = "yellow sticky card"
classes = ["insect"]
# How its convolutions are computed on the trap; a convolution that would not be is an error.
arithmetic = "{arithmetic}"

[input]
# One tile: 1 x 3 x tile_px x tile_px bytes, planes in the order R, G, B.
tile_px = {tile_px}
channels = 3
layout = "planar-rgb-u8"
# Neighbouring tiles share this much, so that an insect on a border is whole in one of them.
overlap_px = 96

[output]
# One cell of heat (logit) and of four log distances (left, top, right, bottom) per this many pixels.
stride_px = {stride_px}

[thresholds]
# Shown and counted by default.
score = {threshold}
# Kept in the ledger, for those who want to look lower.
score_low = {threshold_low}
# Of two boxes that overlap more than this, the weaker goes.
nms_iou = 0.5
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True, action="append")
    arguments.add_argument("--weights", type=Path, default=Path("weights.pt"))
    arguments.add_argument("--id", required=True)
    arguments.add_argument("--tile", type=int, default=512)
    arguments.add_argument("--threshold", type=float, default=0.43)
    arguments.add_argument("--threshold-low", type=float, default=0.2)
    arguments.add_argument("--out", type=Path, default=Path("../models"))
    options = arguments.parse_args()

    torch.set_num_threads(1)
    network = Network()
    network.load_state_dict(torch.load(options.weights, weights_only=True))
    network.eval()
    layers = network.folded()
    photographs = Photographs.together(options.data)
    tiles = calibration_tiles(photographs, 320, np.random.default_rng(7))
    ranges = observe(layers, tiles)
    compare(quantized(layers, ranges, 320), network, tiles)
    options.out.mkdir(parents=True, exist_ok=True)
    model = quantized(layers, ranges, options.tile).SerializeToString()
    for name, bytes_, arithmetic in (
        (options.id, model, "int8"),
        (f"{options.id}-float", in_float(layers, options.tile).SerializeToString(), "float"),
    ):
        (options.out / f"{name}.onnx").write_bytes(bytes_)
        (options.out / f"{name}.toml").write_text(
            MANIFEST.format(
                id=name,
                sha256=hashlib.sha256(bytes_).hexdigest(),
                arithmetic=arithmetic,
                tile_px=options.tile,
                stride_px=STRIDE_PX,
                threshold=options.threshold,
                threshold_low=options.threshold_low,
            )
        )
    print(f"{options.id}: {len(model)} bytes, tile {options.tile} px")


if __name__ == "__main__":
    main()
