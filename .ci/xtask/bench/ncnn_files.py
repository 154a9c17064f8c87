"""The network in ncnn's two files: a list of layers as text, and the numbers.

ncnn's int8 has a scale for every activation but no zero point, so what our bytes spread over 0..255 it spreads over
0..127. The weights are the same integers.
"""

import struct

import numpy as np

MAGIC, INT8 = 7767517, 0x000D4B38


def model(layers, is_int8):
    """(text, bytes). Input `pixels`: 3 x T x T of float, 0..255."""
    lines, numbers, uses = ["Input pixels 0 1 pixels"], bytearray(), {}
    for layer in layers:
        uses[layer.source] = uses.get(layer.source, 0) + 1
    names = {layers[0].source: ["pixels"] * uses[layers[0].source]}
    blobs = 1
    for layer in layers:
        source = names[layer.source].pop()
        lines.append(convolution(layer, source, is_int8))
        numbers += weights(layer, layer is layers[0], is_int8)
        blobs += 1
        copies = uses.get(layer.name, 0)
        if copies > 1:
            outputs = [f"{layer.name}_{i}" for i in range(copies)]
            lines.append(f"Split {layer.name}_split 1 {copies} {layer.name} {' '.join(outputs)}")
            names[layer.name] = outputs
            blobs += copies
        else:
            names[layer.name] = [layer.name]
    return f"{MAGIC}\n{len(lines)} {blobs}\n" + "\n".join(lines) + "\n", bytes(numbers)


def convolution(layer, source, is_int8):
    out, inner, rows, columns = layer.weight.shape
    words = {0: out, 1: columns, 2: layer.dilation, 3: layer.stride, 4: layer.padding, 5: 1, 6: out * inner * rows * columns}
    if is_int8:
        words[8] = 1
    if not layer.is_head:
        words[9] = 1
    return f"Convolution {layer.name} 1 1 {source} {layer.name} " + " ".join(f"{k}={v}" for k, v in words.items())


def weights(layer, is_first, is_int8):
    # The first layer's float input are bytes, not 0..1.
    input_scale = layer.source_scale if is_first else 1.0
    bias = layer.bias_float().tobytes()
    if not is_int8:
        return struct.pack("<I", 0) + (layer.weight_float() * np.float32(input_scale)).tobytes() + bias
    integers = layer.weight.astype(np.int8).tobytes()
    integers += b"\0" * (-len(integers) % 4)
    out = len(layer.weight)
    steps_per_unit = 1 / np.broadcast_to(layer.weight_scale * input_scale, out).astype(np.float32)
    highest = 255.0 if is_first else (255 - layer.source_zero) * layer.source_scale
    step = np.float32(127 / highest)
    return struct.pack("<I", INT8) + integers + bias + steps_per_unit.tobytes() + step.tobytes()
