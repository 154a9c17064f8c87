"""The same network in the files of each engine, from the integers of one ONNX file.

    python models.py MODEL.onnx FOLDER TILE_PX [TILE_PX ...]

MODEL.onnx is the trap's own: a chain of QLinearConv on bytes, then DequantizeLinear. For every tile size FOLDER gets

    int8-PX.onnx      the model as it is, for another size of tile
    float-PX.onnx     weights and biases as the float numbers that the integers stand for, no rounding in between
    int8-PX.tflite    the same integers: activations moved by 128 into i8, the same scales
    float-PX.ncnn.*   as float-PX.onnx
    int8-PX.ncnn.*    the same integer weights; ncnn knows no zero point, so its activations have one bit less

A file that an engine's package is missing for is left out.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Layer:
    """One convolution; `weight` out, in, row, column in whole numbers around 0; scales as arrays of 1 or one per output."""

    source: str
    name: str
    weight: np.ndarray
    bias: np.ndarray
    stride: int
    padding: int
    dilation: int
    source_scale: float
    source_zero: int
    weight_scale: np.ndarray
    scale: float
    zero: int
    is_head: bool = False

    def weight_float(self):
        return self.weight.astype(np.float32) * self.weight_scale.reshape(-1, 1, 1, 1).astype(np.float32)

    def bias_float(self):
        return (self.bias * (self.source_scale * self.weight_scale)).astype(np.float32)


def read(model):
    """The layers in order, heads last, and the names of the graph's answers for the heads."""
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    layers, answers = [], {}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear":
            answers[node.input[0]] = node.output[0]
            continue
        if node.op_type != "QLinearConv":
            raise SystemExit(f"{node.op_type} is no part of the trap's models")
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        values = [constants.get(name) for name in node.input]
        weight = values[3].astype(np.int32) - values[5].astype(np.int32).reshape(-1, *[1] * 3)
        bias = values[8] if len(values) > 8 else np.zeros(len(weight), np.int32)
        layers.append(
            Layer(
                source=node.input[0],
                name=node.output[0],
                weight=weight,
                bias=bias.astype(np.int32),
                stride=attributes.get("strides", [1, 1])[0],
                padding=attributes.get("pads", [0, 0])[0],
                dilation=attributes.get("dilations", [1, 1])[0],
                source_scale=float(values[1]),
                source_zero=int(values[2]),
                weight_scale=np.atleast_1d(values[4]).astype(np.float64),
                scale=float(values[6]),
                zero=int(values[7]),
            )
        )
    for layer in layers:
        layer.is_head = layer.name in answers
    return layers, answers


def total_stride(layers):
    stride = 1
    for layer in layers:
        stride *= 1 if layer.is_head else layer.stride
    return stride


def resized(model, layers, tile_px):
    model = onnx.ModelProto.FromString(model.SerializeToString())
    del model.graph.value_info[:]
    sides = [(model.graph.input[0], tile_px)]
    sides += [(answer, tile_px // total_stride(layers)) for answer in model.graph.output]
    for value, side in sides:
        for dimension in value.type.tensor_type.shape.dim[2:]:
            dimension.dim_value = side
    onnx.checker.check_model(model, full_check=True)
    return model


def as_float(model, layers, answers):
    """Bytes in, Cast, plain Conv and Relu, the same answers out. The 1/255 of the bytes is in the first weights."""
    pixels = model.graph.input[0].name
    nodes = [helper.make_node("Cast", [pixels], ["pixels_float"], to=TensorProto.FLOAT)]
    constants, names = [], {pixels: "pixels_float"}
    for layer in layers:
        weight = layer.weight_float()
        if layer.source == pixels:
            weight = weight * np.float32(layer.source_scale)
        constants.append(numpy_helper.from_array(weight.astype(np.float32), f"{layer.name}_w"))
        constants.append(numpy_helper.from_array(layer.bias_float(), f"{layer.name}_b"))
        answer = answers.get(layer.name, f"{layer.name}_sum")
        nodes.append(
            helper.make_node(
                "Conv",
                [names[layer.source], f"{layer.name}_w", f"{layer.name}_b"],
                [answer],
                kernel_shape=list(weight.shape[2:]),
                strides=[layer.stride] * 2,
                pads=[layer.padding] * 4,
                dilations=[layer.dilation] * 2,
            )
        )
        names[layer.name] = answer
        if not layer.is_head:
            names[layer.name] = f"{layer.name}_relu"
            nodes.append(helper.make_node("Relu", [answer], [names[layer.name]]))
    graph = helper.make_graph(nodes, "float", model.graph.input, model.graph.output, constants)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    result.ir_version = 8
    onnx.checker.check_model(result, full_check=True)
    return result


def main():
    source, folder, sizes = sys.argv[1], Path(sys.argv[2]), [int(word) for word in sys.argv[3:]]
    model = onnx.load(source)
    layers, answers = read(model)
    folder.mkdir(parents=True, exist_ok=True)
    for tile_px in sizes:
        resized_model = resized(model, layers, tile_px)
        onnx.save(resized_model, folder / f"int8-{tile_px}.onnx")
        onnx.save(as_float(resized_model, layers, answers), folder / f"float-{tile_px}.onnx")
        for name, others in (("tflite", write_tflite), ("ncnn", write_ncnn)):
            try:
                others(layers, folder, tile_px)
            except ImportError as problem:
                print(f"no files for {name}: {problem}")


def write_tflite(layers, folder, tile_px):
    import tflite

    (folder / f"int8-{tile_px}.tflite").write_bytes(tflite.model(layers, tile_px))


def write_ncnn(layers, folder, tile_px):
    import ncnn_files

    for kind in ("float", "int8"):
        param, weights = ncnn_files.model(layers, kind == "int8")
        (folder / f"{kind}-{tile_px}.ncnn.param").write_text(param)
        (folder / f"{kind}-{tile_px}.ncnn.bin").write_bytes(weights)


if __name__ == "__main__":
    main()
