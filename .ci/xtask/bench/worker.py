"""One foreign engine as a program that obeys lines, like agent/detect/benches/engines.rs.

    python worker.py ENGINE FOLDER TILES TILE_PX

ENGINE: onnxruntime-int8, onnxruntime-float, litert-int8, ncnn-int8, ncnn-float. TILES is a file of whole tiles, planes of
bytes. Every engine gets its tiles in the layout that it likes, prepared before the clock starts, and one thread.
"""

import sys
import time
from pathlib import Path

import numpy as np


def resident_kib(key):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


class OnnxRuntime:
    """Planes of bytes, as ours."""

    def __init__(self, folder, kind, tile_px):
        import onnxruntime

        self.version = onnxruntime.__version__
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.before_kib = resident_kib("VmRSS:")
        file = folder / f"{kind}-{tile_px}.onnx"
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def prepare(self, tile):
        return np.ascontiguousarray(tile[None])

    def run(self, tile):
        return self.session.run(None, {self.input: tile})

    def numbers(self, answers):
        return answers


class LiteRt:
    """Pixels of i8; XNNPACK is what it uses by default."""

    def __init__(self, folder, kind, tile_px):
        from ai_edge_litert.interpreter import Interpreter

        import importlib.metadata

        self.version = importlib.metadata.version("ai-edge-litert")
        self.before_kib = resident_kib("VmRSS:")
        self.interpreter = Interpreter(str(folder / f"{kind}-{tile_px}.tflite"), num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.answers = self.interpreter.get_output_details()
        # The file's own order of answers: heat before distance.
        self.answers.sort(key=lambda answer: answer["shape"][-1])

    def prepare(self, tile):
        return (np.ascontiguousarray(tile.transpose(1, 2, 0))[None].astype(np.int16) - 128).astype(np.int8)

    def run(self, tile):
        self.interpreter.set_tensor(self.input, tile)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(answer["index"]) for answer in self.answers]

    def numbers(self, answers):
        result = []
        for answer, details in zip(answers, self.answers):
            scale, zero = details["quantization"]
            result.append(((answer.astype(np.float32) - zero) * np.float32(scale)).transpose(0, 3, 1, 2))
        return result


class Ncnn:
    """Planes of float, 0..255."""

    def __init__(self, folder, kind, tile_px):
        import ncnn

        self.ncnn, self.version = ncnn, ncnn.__version__
        self.before_kib = resident_kib("VmRSS:")
        self.net = ncnn.Net()
        self.net.opt.num_threads = 1
        self.net.opt.use_vulkan_compute = False
        files = [str(folder / f"{kind}-{tile_px}.ncnn.{ending}") for ending in ("param", "bin")]
        if self.net.load_param(files[0]) or self.net.load_model(files[1]):
            raise RuntimeError("ncnn refused the files")
        text = Path(files[0]).read_text().splitlines()[2:]
        made = {line.split()[0] == "Convolution" and line.split()[5] for line in text} - {False}
        used = {line.split()[4] for line in text if not line.startswith("Input")}
        heads = [line.split() for line in text if line.startswith("Convolution") and line.split()[5] in made - used]
        heads.sort(key=lambda words: int(words[6].split("=")[1]))
        self.heads = [words[5] for words in heads]

    def prepare(self, tile):
        # A Mat looks at the array's memory and does not keep it alive.
        pixels = np.ascontiguousarray(tile.astype(np.float32))
        return self.ncnn.Mat(pixels), pixels

    def run(self, tile):
        with self.net.create_extractor() as extractor:
            extractor.input("pixels", tile[0])
            # Copied while the extractor lives, for the memory is its own.
            return [np.array(extractor.extract(head)[1]) for head in self.heads]

    def numbers(self, answers):
        return answers


ENGINES = {"onnxruntime": OnnxRuntime, "litert": LiteRt, "ncnn": Ncnn}


def main():
    engine, folder, tiles_file, tile_px = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    name, kind = engine.split("-")
    try:
        worker = ENGINES[name](folder, kind, tile_px)
    except Exception as problem:  # whatever an engine dislikes becomes a row that says so
        print("unavailable", " ".join(str(problem).split())[:200], flush=True)
        return
    pixels = np.fromfile(tiles_file, np.uint8).reshape(-1, 3, tile_px, tile_px)
    tiles = [worker.prepare(tile) for tile in pixels]
    print("ready", worker.version, flush=True)
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "round":
            took_ms = []
            for tile in tiles:
                start = time.perf_counter_ns()
                worker.run(tile)
                took_ms.append((time.perf_counter_ns() - start) / 1e6)
            print(" ".join(f"{took:.4f}" for took in took_ms), flush=True)
        elif word == "answers":
            parts = [part for tile in tiles for part in worker.numbers(worker.run(tile))]
            np.concatenate([part.astype(np.float32).ravel() for part in parts]).tofile(rest)
            print("done", flush=True)
        elif word == "memory":
            print(resident_kib("VmHWM:") - worker.before_kib, flush=True)


if __name__ == "__main__":
    main()
