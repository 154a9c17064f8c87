"""Train the detector from scratch on one processor core.

    python train.py --data DIR --steps 1100 --out weights.pt

DIR holds a COCO `train.json`; the last weights, averaged over the run's end, are written.
"""

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from dataset import Photographs, crop, targets
from network import Network

TILE_PX = 320
BATCH = 16


def batch(photographs, rng):
    tiles, answers = [], []
    for _ in range(BATCH):
        tile, corners, is_cut = crop(photographs, TILE_PX, rng)
        tiles.append(tile)
        answers.append(targets(corners, is_cut, TILE_PX))
    answers = [torch.from_numpy(np.stack(part)) for part in zip(*answers)]
    return torch.from_numpy(np.stack(tiles)).float() / 255, answers


def loss(network, pixels, answers):
    heat, care, distances, weight = answers
    logits, logs = network(pixels)
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


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--steps", type=int, default=1100)
    arguments.add_argument("--out", type=Path, default=Path("weights.pt"))
    arguments.add_argument("--seed", type=int, default=7)
    options = arguments.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    photographs = Photographs(options.data / "train.json")
    network = Network().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=options.steps, pct_start=0.15)

    began, recent = time.monotonic(), []
    for step in range(options.steps):
        pixels, answers = batch(photographs, rng)
        heat_loss, box_loss = loss(network, pixels.contiguous(memory_format=torch.channels_last), answers)
        optimizer.zero_grad()
        (heat_loss + 2 * box_loss).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        keep = min(0.995, (step + 1) / (step + 20))
        with torch.no_grad():
            for mine, theirs in zip(average.state_dict().values(), network.state_dict().values()):
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs, 1 - keep)
                else:
                    mine.copy_(theirs)
        recent.append((heat_loss.item(), box_loss.item()))
        if (step + 1) % 25 == 0:
            heat_mean, box_mean = np.mean(recent[-25:], 0)
            print(f"step {step + 1} heat {heat_mean:.3f} box {box_mean:.3f} {time.monotonic() - began:.0f} s", flush=True)
        if (step + 1) % 200 == 0 or step + 1 == options.steps:
            torch.save(average.state_dict(), options.out)


if __name__ == "__main__":
    main()
