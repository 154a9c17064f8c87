"""The network as a TFLite file, for XNNPACK: i8 activations (the bytes moved by 128), i8 weights, i32 biases."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


class Writer:
    """Tensors, buffers and operators while they grow."""

    def __init__(self):
        empty = schema.BufferT()
        empty.data = []
        self.buffers, self.tensors, self.operators, self.codes = [empty], [], [], []

    def tensor(self, name, shape, kind, scales=None, zero=0, data=None):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.buffers.append(buffer)
            tensor.buffer = len(self.buffers) - 1
        if scales is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [float(scale) for scale in scales]
            tensor.quantization.zeroPoint = [zero] * len(scales)
            tensor.quantization.quantizedDimension = 0
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(self, code, version, sources, answers, options_type=0, options=None):
        key = (code, version)
        if key not in self.codes:
            self.codes.append(key)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(key)
        operator.inputs, operator.outputs = sources, answers
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        self.operators.append(operator)

    def file(self, sources, answers):
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = self.tensors, self.operators, sources, answers
        graph.name = "insects"
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = []
        for code, version in self.codes:
            operator_code = schema.OperatorCodeT()
            operator_code.builtinCode, operator_code.version = code, version
            operator_code.deprecatedBuiltinCode = min(code, 127)
            model.operatorCodes.append(operator_code)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def model(layers, tile_px):
    """The file's bytes. Input: 1 x T x T x 3 of i8, the bytes minus 128. Answers: i8 per head, with scale and zero."""
    int8, int32 = schema.TensorType.INT8, schema.TensorType.INT32
    writer, first = Writer(), layers[0]
    source = writer.tensor("pixels", [1, tile_px, tile_px, 3], int8, [first.source_scale], first.source_zero - 128)
    maps, answers = {first.source: (source, tile_px)}, []
    for layer in layers:
        tensor, side = maps[layer.source]
        out, inner, rows, columns = layer.weight.shape
        # TFLite's own "same" padding is one-sided at a stride of 2; then the padding is an operator.
        padding = schema.Padding.SAME if layer.padding and layer.stride == 1 else schema.Padding.VALID
        if layer.padding and layer.stride > 1:
            ends = np.array([[0, 0], [layer.padding] * 2, [layer.padding] * 2, [0, 0]], np.int32)
            amounts = writer.tensor(f"{layer.name}_pads", [4, 2], int32, data=ends)
            padded = side + 2 * layer.padding
            target = writer.tensor(
                f"{layer.name}_padded", [1, padded, padded, inner], int8, [layer.source_scale], layer.source_zero - 128
            )
            writer.operator(
                schema.BuiltinOperator.PAD, 2, [tensor, amounts], [target], schema.BuiltinOptions.PadOptions, schema.PadOptionsT()
            )
            tensor = target
        weight = writer.tensor(
            f"{layer.name}_w",
            [out, rows, columns, inner],
            int8,
            layer.weight_scale,
            data=layer.weight.transpose(0, 2, 3, 1).astype(np.int8),
        )
        bias = writer.tensor(f"{layer.name}_b", [out], int32, layer.source_scale * layer.weight_scale, data=layer.bias)
        side = side // layer.stride
        answer = writer.tensor(layer.name, [1, side, side, out], int8, [layer.scale], layer.zero - 128)
        options = schema.Conv2DOptionsT()
        options.padding = padding
        options.strideH = options.strideW = layer.stride
        options.dilationHFactor = options.dilationWFactor = layer.dilation
        options.fusedActivationFunction = (
            schema.ActivationFunctionType.NONE if layer.is_head else schema.ActivationFunctionType.RELU
        )
        writer.operator(
            schema.BuiltinOperator.CONV_2D,
            3,
            [tensor, weight, bias],
            [answer],
            schema.BuiltinOptions.Conv2DOptions,
            options,
        )
        maps[layer.name] = (answer, side)
        if layer.is_head:
            answers.append(answer)
    return writer.file([source], answers)
