"""Write the small models that the detector's tests run, with onnxruntime's answers beside them.

    python make.py

Random weights of a fixed seed. An answer file holds the heat, then the distances, as little-endian f32; the input
is the bytes (i * 7919 >> 3) & 255.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

TILE_PX, STRIDE_PX = 68, 4
# (channels out, stride, dilation)
BODY = [(8, 2, 1), (12, 2, 1), (20, 1, 2)]
HERE = Path(__file__).parent


class Model:
    def __init__(self, zero_in, per_channel):
        self.random, self.per_channel = np.random.default_rng(3), per_channel
        self.nodes, self.constants = [], []
        source, channels = ("pixels", np.float32(1 / 255), np.uint8(zero_in)), 3
        for i, (channels_out, stride, dilation) in enumerate(BODY):
            source = self.quantized(f"conv{i}", source, channels, channels_out, 3, stride, dilation, 0)
            channels = channels_out
        self.features, self.channels = source, channels

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def quantized(self, name, source, channels, channels_out, side, stride, dilation, zero_out, group=1):
        source_name, source_scale, source_zero = source
        weight = self.random.integers(-127, 128, (channels_out, channels // group, side, side))
        spread = 73 * 100 * np.sqrt(channels * side * side)
        if self.per_channel:
            weight_scale = (self.random.random(channels_out) * 0.002 + 0.001).astype(np.float32)
            weight, weight_zero = weight.astype(np.int8), np.zeros(channels_out, np.int8)
        else:
            weight_scale = np.float32(0.002)
            weight, weight_zero = (weight + 128).astype(np.uint8), np.uint8(128)
        scale = np.float32(spread * 0.002 * source_scale / 90)
        inputs = [
            source_name,
            self.constant(f"{name}_source_scale", source_scale),
            self.constant(f"{name}_source_zero", source_zero),
            self.constant(f"{name}_weight", weight),
            self.constant(f"{name}_weight_scale", weight_scale),
            self.constant(f"{name}_weight_zero", weight_zero),
            self.constant(f"{name}_scale", scale),
            self.constant(f"{name}_zero", np.uint8(zero_out)),
            self.constant(f"{name}_bias", self.random.normal(0, spread / 3, channels_out).astype(np.int32)),
        ]
        padding = dilation * (side // 2)
        form = {"strides": [stride] * 2, "pads": [padding] * 4, "dilations": [dilation] * 2, "group": group}
        self.nodes.append(helper.make_node("QLinearConv", inputs, [name], name, kernel_shape=[side] * 2, **form))
        return name, scale, np.uint8(zero_out)

    def head(self, name, channels_out, zero_out):
        answer = self.quantized(f"{name}_u8", self.features, self.channels, channels_out, 1, 1, 1, zero_out)
        inputs = [answer[0], f"{name}_u8_scale", f"{name}_u8_zero"]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name], f"{name}_dequantize"))

    def float_head(self, name, channels_out):
        source, scale, zero = self.features
        self.nodes.append(helper.make_node("DequantizeLinear", [source, f"{source}_scale", f"{source}_zero"], ["real"]))
        weight = self.random.normal(0, 1, (channels_out, self.channels, 1, 1)).astype(np.float32)
        inputs = ["real", self.constant(f"{name}_weight", weight)]
        self.nodes.append(helper.make_node("Conv", inputs, [name], f"{name}_in_floats", kernel_shape=[1, 1]))

    def write(self, name, has_answer):
        grid = TILE_PX // STRIDE_PX
        shapes = [("heat", [1, 1, grid, grid]), ("distance", [1, 4, grid, grid])]
        graph = helper.make_graph(
            self.nodes,
            "test",
            [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, 3, TILE_PX, TILE_PX])],
            [helper.make_tensor_value_info(head, TensorProto.FLOAT, shape) for head, shape in shapes],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="trapline")
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
        if has_answer:
            count = 3 * TILE_PX * TILE_PX
            pixels = ((np.arange(count) * 7919 >> 3) & 255).astype(np.uint8).reshape(1, 3, TILE_PX, TILE_PX)
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            answers = session.run(None, {"pixels": pixels})
            (HERE / f"{name}.answer").write_bytes(b"".join(answer.astype("<f4").tobytes() for answer in answers))


def main():
    for name, zero_in, per_channel in (("per-tensor", 0, False), ("per-channel", 7, True)):
        model = Model(zero_in, per_channel)
        model.head("heat", 1, 190)
        model.head("distance", 4, 120)
        model.write(name, has_answer=True)
    model = Model(0, False)
    model.head("heat", 1, 190)
    model.float_head("distance", 4)
    model.write("float-head", has_answer=False)
    model = Model(0, False)
    model.features = model.quantized("grouped", model.features, model.channels, 20, 3, 1, 1, 0, group=4)
    model.head("heat", 1, 190)
    model.head("distance", 4, 120)
    model.write("grouped", has_answer=False)


if __name__ == "__main__":
    main()
