"""Train the detector from scratch: on a graphics processor where there is one, else on one processor core.

    python train.py --data DATA/train.json --out weights.pt

DATA is a COCO file, or a folder in the manner of YOLO; it may be given more than once. The weights that are written
are the average of the run's end.
"""

import argparse
import copy
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional

from dataset import crop, targets
from network import Network
from photographs import Photographs

TILE_PX = 320
BATCH = 16


class Phase(NamedTuple):
    """A part of the training."""

    name: str
    number: int
    steps: int
    rate: float  # the highest learning rate
    calm_share: float  # of the crops, without the field's weather


def batch(photographs, rng, calm_share):
    tiles, answers = [], []
    for _ in range(BATCH):
        tile, corners, is_cut = crop(photographs, TILE_PX, rng, calm_share)
        tiles.append(tile)
        answers.append(targets(corners, is_cut, TILE_PX))
    answers = [torch.from_numpy(np.stack(part)) for part in zip(*answers)]
    return torch.from_numpy(np.stack(tiles)).float() / 255, answers


def loss(logits, logs, answers):
    heat, care, distances, weight = answers
    logits = logits[:, 0]
    chance = torch.sigmoid(logits)
    # Focal loss with a discount near centres: a cell beside a centre is not quite wrong.
    found = (heat > 0.99).float()
    hit = found * (1 - chance) ** 2 * -functional.logsigmoid(logits)
    miss = (1 - found) * (1 - heat) ** 4 * chance**2 * -functional.logsigmoid(-logits)
    heat_loss = ((hit + miss) * care).sum() / found.sum().clamp(min=1)

    guess = logs.clamp(-1, 6).exp()
    inside = torch.minimum(guess, distances)
    around = torch.maximum(guess, distances)

    def area(d):
        return (d[:, 0] + d[:, 2]) * (d[:, 1] + d[:, 3])

    overlap = area(inside)
    union = area(guess) + area(distances) - overlap
    giou = overlap / union - (area(around) - union) / area(around)
    nearness = functional.smooth_l1_loss(logs, distances.log(), beta=0.1, reduction="none").mean(1)
    box_loss = (((1 - giou) + 0.5 * nearness) * weight).sum() / weight.sum().clamp(min=1)
    return heat_loss, box_loss


def learn(network, photographs, options, phase):
    """One rise and fall of the learning rate; returns the average of the run's end."""
    rng = np.random.default_rng([options.seed, phase.number])
    device = next(network.parameters()).device.type
    average = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=phase.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, phase.rate, total_steps=phase.steps, pct_start=0.15)
    began, recent = time.monotonic(), []
    for step in range(phase.steps):
        pixels, answers = batch(photographs, rng, phase.calm_share)
        pixels = pixels.to(device, memory_format=torch.channels_last)
        # Half the bits in the convolutions halve the time, also on a processor that knows them.
        with torch.autocast(device, dtype=torch.bfloat16):
            logits, logs = network(pixels)
        heat_loss, box_loss = loss(logits.float(), logs.float(), [part.to(device) for part in answers])
        optimizer.zero_grad()
        (heat_loss + 2 * box_loss).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        keep = min(0.998, (step + 1) / (step + 20))
        with torch.no_grad():
            for mine, theirs in zip(average.state_dict().values(), network.state_dict().values()):
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs, 1 - keep)
                else:
                    mine.copy_(theirs)
        recent.append((heat_loss.item(), box_loss.item()))
        if (step + 1) % 50 == 0:
            heat_mean, box_mean = np.mean(recent[-50:], 0)
            seconds = time.monotonic() - began
            print(f"{phase.name} step {step + 1} heat {heat_mean:.3f} box {box_mean:.3f} {seconds:.0f} s", flush=True)
        if (step + 1) % 200 == 0 or step + 1 == phase.steps:
            torch.save(average.state_dict(), options.out)
    return average


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, action="append")
    arguments.add_argument("--steps", type=int, default=9000, help="in all weathers")
    arguments.add_argument("--calm-steps", type=int, default=5000, help="after those, mostly in calm weather")
    arguments.add_argument("--out", type=Path, default=Path("weights.pt"))
    arguments.add_argument("--begin-with", type=Path, help="weights of an earlier run, instead of chance")
    arguments.add_argument("--seed", type=int, default=7)
    options = arguments.parse_args()

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    photographs = Photographs.together(options.data)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = Network().to(device, memory_format=torch.channels_last)
    if options.begin_with:
        network.load_state_dict(torch.load(options.begin_with, weights_only=True, map_location=device))
    for phase in (
        Phase("weather", 1, options.steps, 4e-3, 0.0),
        Phase("calm", 2, options.calm_steps, 2e-3, 0.65),
    ):
        if phase.steps:
            network = learn(network, photographs, options, phase)


if __name__ == "__main__":
    main()
