"""The network: plain 3x3 convolutions with ReLU, so that every layer is one integer convolution on the trap."""

import torch
from torch import nn

# (channels out, stride); the strides multiply to dataset.STRIDE_PX.
LAYERS = [(16, 2), (32, 2), (48, 2), (48, 1), (48, 1), (48, 1), (48, 1), (48, 1)]


class Network(nn.Module):
    """RGB in 0..1, Nx3xTxT in; heat logits Nx1xGxG and log distances Nx4xGxG out, G = T / 8."""

    def __init__(self):
        super().__init__()
        channels, body = 3, []
        for channels_out, stride in LAYERS:
            body += [
                nn.Conv2d(channels, channels_out, 3, stride, 1, bias=False),
                nn.BatchNorm2d(channels_out),
                nn.ReLU(inplace=True),
            ]
            channels = channels_out
        self.body = nn.Sequential(*body)
        self.heat, self.distance = nn.Conv2d(channels, 1, 1), nn.Conv2d(channels, 4, 1)
        nn.init.zeros_(self.heat.weight)
        nn.init.constant_(self.heat.bias, -4.0)  # insects are rare: start by saying "none"
        nn.init.constant_(self.distance.bias, 2.8)  # about 16 px, half of a typical insect

    def forward(self, pixels):
        features = self.body(pixels)
        return self.heat(features), self.distance(features)

    @torch.no_grad()
    def folded(self):
        """[(weight, bias, stride, padding, has_relu)]: the body with its batch norms folded in, then both heads."""
        layers = []
        modules = list(self.body)
        for conv, norm in zip(modules[0::3], modules[1::3]):
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = conv.weight * gain[:, None, None, None]
            bias = norm.bias - norm.running_mean * gain
            layers.append((weight.numpy(), bias.numpy(), conv.stride[0], 1, True))
        for conv in (self.heat, self.distance):
            layers.append((conv.weight.numpy(), conv.bias.numpy(), 1, 0, False))
        return layers
