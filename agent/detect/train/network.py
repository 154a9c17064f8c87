"""The network: plain 3x3 convolutions with ReLU, so that every layer is one integer convolution on the trap."""

import torch
from torch import nn

# (channels out, stride, dilation); the strides multiply to dataset.STRIDE_PX. The wide reach near the end lets a
# cell see the whole of an insect of 100 pixels and the card around it.
LAYERS = [(24, 2, 1), (48, 2, 1), (48, 1, 1), (96, 2, 1), (96, 1, 1), (96, 1, 2), (96, 1, 2), (96, 1, 1)]


class Network(nn.Module):
    """RGB in 0..1, Nx3xTxT in; heat logits Nx1xGxG and log distances Nx4xGxG out, G = T / 8."""

    def __init__(self):
        super().__init__()
        channels, body = 3, []
        for channels_out, stride, dilation in LAYERS:
            body += [
                nn.Conv2d(channels, channels_out, 3, stride, dilation, dilation, bias=False),
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
        """[(weight, bias, stride, padding, dilation, has_relu)]: the body with its batch norms folded in, then both heads."""
        layers = []
        modules = list(self.body)
        for conv, norm in zip(modules[0::3], modules[1::3]):
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = conv.weight * gain[:, None, None, None]
            bias = norm.bias - norm.running_mean * gain
            layers.append((weight.numpy(), bias.numpy(), conv.stride[0], conv.padding[0], conv.dilation[0], True))
        for conv in (self.heat, self.distance):
            layers.append((conv.weight.numpy(), conv.bias.numpy(), 1, 0, 1, False))
        return layers
