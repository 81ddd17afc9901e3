#!/usr/bin/env python3
"""The six methods written plainly in PyTorch: the yardstick for the speed of `adbench`.

    bench/plain_pytorch.py METHOD [--seconds 20] [--max-samples 50] [--what step,step_first,predict] [--threads 2]
    bench/plain_pytorch.py all --check
    bench/plain_pytorch.py METHOD[,METHOD] --against build/release/bin/adbench [--rounds 3]

The first form prints one JSON object with the seconds of every call, the second checks sizes and runs everything once
at 64 pixels, the third times `adbench speed` and this file in turn. Needs torch and nothing else.

Plain means: torch.nn modules in the default memory format, torch.optim with its defaults, no torch.compile, the frozen
parts in eval() and without gradients. What the published code computes and throws away is left out (deeper stages of a
backbone, the network that a phase does not train), since `adbench` leaves it out, too. Weights are random, which does
not change the speed; inputs are ready tensors, so that no data set and no artificial defect is part of a measurement.

`adbench` keeps freed memory for the next step. To give Python the same, and so compare the networks alone, set
MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 in the environment.
"""
import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

CLIP_NORM = 5.0  # of every method: ADer's default
SEED = 42
IMAGE_SIZE = 256
PREDICTED_TOGETHER = 8
MIN_SAMPLES = 3
OPTIMISER = {}  # --fused puts an argument for every optimiser here


# Shared parts

def frozen(module):
    """In eval() for good and never with gradients.

    The random weights keep activations at an ordinary size, as trained ones do: arithmetic on tiny numbers is slow.
    """
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter)
    module.forward = torch.no_grad()(module.forward)
    return module.requires_grad_(False).eval()


def decay_groups(parameters, decay):
    """Weight decay for matrices, kernels and embeddings alone."""
    parameters = list(parameters)
    return [{'params': [p for p in parameters if p.dim() > 1], 'weight_decay': decay},
            {'params': [p for p in parameters if p.dim() <= 1], 'weight_decay': 0.0}]


def update(loss, *optimisers):
    for optimiser in optimisers:
        optimiser.zero_grad()
    loss.backward()
    for optimiser in optimisers:
        parameters = [p for group in optimiser.param_groups for p in group['params']]
        nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        optimiser.step()


def resize(x, side, align_corners):
    return F.interpolate(x, size=(side, side), mode='bilinear', align_corners=align_corners)


def gaussian_matrix(side, sigma=4.0):
    """SciPy's gaussian_filter along one axis, its mirrored border included, as a matrix [side, side] in double.

    The published code calls SciPy. Two products with this matrix take about as long as that; conv2d in double with a
    33-tap kernel was measured to take 15 times as long, and would be an unfair stand-in.
    """
    radius = int(4 * sigma + 0.5)
    weights = torch.exp(torch.arange(-radius, radius + 1, dtype=torch.float64).square() / (-2 * sigma * sigma))
    weights /= weights.sum()
    rows = torch.eye(side, dtype=torch.float64)
    rows = torch.cat([rows[:radius].flip(0), rows, rows[-radius:].flip(0)])
    return F.conv1d(rows.t().unsqueeze(1), weights.view(1, 1, -1)).squeeze(1).t().contiguous()


def smooth(maps, matrix):
    return matrix @ maps.double() @ matrix.t()


def pooled_maximum(maps, window):
    return F.avg_pool2d(maps.unsqueeze(1), window, stride=1).amax((1, 2, 3))


def conv_norm(in_channels, out_channels, kernel=3, stride=1, dilation=1, up=False):
    conv = (nn.ConvTranspose2d(in_channels, out_channels, 2, 2, bias=False) if up else
            nn.Conv2d(in_channels, out_channels, kernel, stride, dilation * (kernel // 2), dilation, bias=False))
    return conv, nn.BatchNorm2d(out_channels)


def conv_norm_relu(*shape, **more):
    return nn.Sequential(*conv_norm(*shape, **more), nn.ReLU(inplace=True))


class Method(nn.Module):
    """A method: `step` trains on the tensors of `inputs`, `predict` turns images into maps [B,S,S] and scores [B]."""

    batch = 8

    def inputs(self, batch, size):
        return (torch.randn(batch, 3, size, size),)


class DefectMethod(Method):
    """Its inputs are the corrupted image, the clean image and the mask of the defect."""

    def inputs(self, batch, size):
        clean = torch.rand(batch, 3, size, size)
        mask = torch.zeros(batch, 1, size, size)
        mask[:, :, size // 4:size // 2, size // 4:size // 2] = 1
        return torch.where(mask > 0, torch.rand_like(clean), clean), clean, mask


# Residual networks

class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut, self.relu = body, shortcut, nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.body(x)
        y += self.shortcut(x)
        return self.relu(y)


def shortcut(in_channels, out_channels, stride=1, up=False):
    if in_channels == out_channels and stride == 1 and not up:
        return nn.Identity()
    return nn.Sequential(*conv_norm(in_channels, out_channels, 1, stride, up=up))


def basic_block(in_channels, out_channels, stride=1):
    body = nn.Sequential(*conv_norm(in_channels, out_channels, 3, stride), nn.ReLU(inplace=True),
                         *conv_norm(out_channels, out_channels))
    return Residual(body, shortcut(in_channels, out_channels, stride))


def bottleneck(in_channels, width, out_channels, stride=1, up=False):
    """With `up` a transposed convolution in the middle doubles height and width."""
    body = nn.Sequential(*conv_norm(in_channels, width, 1), nn.ReLU(inplace=True),
                         *conv_norm(width, width, 3, stride, up=up), nn.ReLU(inplace=True),
                         *conv_norm(width, out_channels, 1))
    return Residual(body, shortcut(in_channels, out_channels, stride, up))


def basic_layer(in_channels, out_channels, stride=1):
    return nn.Sequential(basic_block(in_channels, out_channels, stride), basic_block(out_channels, out_channels))


def bottleneck_layer(blocks, in_channels, width, out_channels, **first):
    return nn.Sequential(bottleneck(in_channels, width, out_channels, **first),
                         *[bottleneck(out_channels, width, out_channels) for _ in range(blocks - 1)])


class ResNet(nn.Module):
    """Returns the output of every layer it is given."""

    def __init__(self, *layers):
        super().__init__()
        self.stem = nn.Sequential(conv_norm_relu(3, 64, kernel=7, stride=2), nn.MaxPool2d(3, 2, 1))
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        x = self.stem(x)
        outputs = []
        for layer in self.layers:
            x = layer(x)
            outputs.append(x)
        return outputs


def wide_resnet50():
    """WideResNet-50-2 to layer3."""
    return ResNet(bottleneck_layer(3, 64, 128, 256),
                  bottleneck_layer(4, 256, 256, 512, stride=2),
                  bottleneck_layer(6, 512, 512, 1024, stride=2))


def resnet18(layers):
    widths = [64, 128, 256, 512]
    return ResNet(*[basic_layer(widths[max(i - 1, 0)], widths[i], stride=2 if i else 1) for i in range(layers)])


# ViTAD

class TransformerBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def attention(self, x):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, dim))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """ViT-S/16. The decoder has no class token among its positions, and a classifier that the published size counts."""

    def __init__(self, tokens, depth, classes=0, dim=384, heads=6, patch=16):
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, tokens, dim) * 0.02)
        self.patch_embed = nn.Conv2d(3, dim, patch, patch)
        self.blocks = nn.ModuleList([TransformerBlock(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, classes) if classes else nn.Identity()

    def embed(self, images):
        x = self.patch_embed(images).flatten(2).transpose(1, 2)
        return torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)

    def forward(self, x, after):
        """The tokens after the blocks with these numbers, counted from 1."""
        x = x + self.pos_embed
        kept = []
        for number, block in enumerate(self.blocks, 1):
            x = block(x)
            if number in after:
                kept.append(x)
        return kept


class Vitad(Method):
    def __init__(self, size):
        super().__init__()
        self.grid = size // 16
        self.encoder = frozen(VisionTransformer(1 + self.grid ** 2, depth=12))
        self.fuser = nn.Linear(384, 384)
        self.decoder = VisionTransformer(self.grid ** 2, depth=9, classes=1000)
        self.register_buffer('gaussian', gaussian_matrix(size))
        trained = [*self.fuser.parameters(), *self.decoder.parameters()]
        self.optimiser = torch.optim.AdamW(decay_groups(trained, 1e-4), lr=1e-4, **OPTIMISER)

    def encode(self, images):
        tokens = self.encoder(self.encoder.embed(images), after=(3, 6, 9, 12))
        *teachers, neck = [x[:, 1:] for x in tokens]
        return teachers, neck

    def rebuild(self, neck):
        return self.decoder(self.fuser(neck), after=(3, 6, 9))[::-1]

    def step(self, images):
        teachers, neck = self.encode(images)
        loss = sum((1 - F.cosine_similarity(a.flatten(1), b.flatten(1))).mean()
                   for a, b in zip(teachers, self.rebuild(neck)))
        update(loss, self.optimiser)
        return loss

    @torch.no_grad()
    def predict(self, images):
        teachers, neck = self.encode(images)
        maps = 0
        for a, b in zip(teachers, self.rebuild(neck)):
            distance = (1 - F.cosine_similarity(a, b, dim=2)).view(-1, 1, self.grid, self.grid)
            maps = maps + resize(distance, images.shape[-1], align_corners=True).squeeze(1).double()
        maps = smooth(maps / 9, self.gaussian)
        return maps, pooled_maximum(maps, 16)


# UniAD

def same_conv(in_channels, out_channels, kernel, stride=1, groups=1):
    """TensorFlow's padding: for a stride of 2 on even sides one zero less before than behind."""
    if stride == 1:
        return nn.Conv2d(in_channels, out_channels, kernel, 1, kernel // 2, groups=groups, bias=False)
    before = (kernel - 2) // 2
    after = kernel - 2 - before
    return nn.Sequential(nn.ZeroPad2d((before, after, before, after)),
                         nn.Conv2d(in_channels, out_channels, kernel, stride, groups=groups, bias=False))


def norm_silu(channels):
    return nn.Sequential(nn.BatchNorm2d(channels, eps=1e-3), nn.SiLU(inplace=True))


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduced):
        super().__init__()
        self.reduce = nn.Conv2d(channels, reduced, 1)
        self.expand = nn.Conv2d(reduced, channels, 1)

    def forward(self, x):
        gate = self.expand(F.silu(self.reduce(x.mean((2, 3), keepdim=True))))
        return x * gate.sigmoid()


class MobileBlock(nn.Module):
    def __init__(self, in_channels, out_channels, expansion, kernel, stride):
        super().__init__()
        width = in_channels * expansion
        expand = [nn.Conv2d(in_channels, width, 1, bias=False), norm_silu(width)] if expansion > 1 else []
        self.body = nn.Sequential(*expand,
                                  same_conv(width, width, kernel, stride, groups=width), norm_silu(width),
                                  SqueezeExcite(width, in_channels // 4),
                                  nn.Conv2d(width, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels, eps=1e-3))
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class EfficientNetB4(nn.Module):
    """Maps of strides 2, 4, 8 and 16. The last two stages are built, as the published size counts them, but not run."""

    STAGES = [(2, 48, 24, 1, 3, 1), (4, 24, 32, 6, 3, 2), (4, 32, 56, 6, 5, 2), (6, 56, 112, 6, 3, 2),
              (6, 112, 160, 6, 5, 1), (8, 160, 272, 6, 5, 2), (2, 272, 448, 6, 3, 1)]

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(same_conv(3, 48, 3, stride=2), norm_silu(48))
        self.stages = nn.ModuleList()
        for blocks, in_channels, out_channels, expansion, kernel, stride in self.STAGES:
            stage = [MobileBlock(in_channels, out_channels, expansion, kernel, stride)]
            stage += [MobileBlock(out_channels, out_channels, expansion, kernel, 1) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(*stage))

    def forward(self, x):
        x = self.stem(x)
        maps = []
        for number, stage in enumerate(self.stages[:5]):
            x = stage(x)
            if number != 3:
                maps.append(x)
        return maps


class UniadLayer(nn.Module):
    """What the layers of encoder and decoder share: attentions, each with its norm, then a feed-forward part."""

    def __init__(self, dim, heads, hidden, dropout, attentions):
        super().__init__()
        self.attentions = nn.ModuleList([nn.MultiheadAttention(dim, heads, dropout) for _ in range(attentions)])
        self.norms = nn.ModuleList([nn.LayerNorm(dim) for _ in range(attentions + 1)])
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
                                 nn.Linear(hidden, dim), nn.Dropout(dropout))
        self.dropout = nn.Dropout(dropout)

    def attend(self, number, x, source, position, mask):
        mixed, _ = self.attentions[number](x + position, source + position, source, attn_mask=mask, need_weights=False)
        return self.norms[number](x + self.dropout(mixed))

    def feed_forward(self, x):
        return self.norms[-1](x + self.mlp(x))


class UniadReconstruction(nn.Module):
    """Tokens are [grid * grid, B, channels], as nn.MultiheadAttention takes them."""

    def __init__(self, grid, window, channels=272, dim=256, heads=8, hidden=1024, dropout=0.1, layers=4):
        super().__init__()
        self.row_embed = nn.Parameter(torch.rand(grid, 1, dim // 2))
        self.column_embed = nn.Parameter(torch.rand(1, grid, dim // 2))
        self.input_proj = nn.Linear(channels, dim)
        self.encoder = nn.ModuleList([UniadLayer(dim, heads, hidden, dropout, 1) for _ in range(layers)])
        self.decoder = nn.ModuleList([UniadLayer(dim, heads, hidden, dropout, 2) for _ in range(layers)])
        self.queries = nn.ParameterList([torch.randn(grid * grid, 1, dim) for _ in range(layers)])
        self.norm = nn.LayerNorm(dim)
        self.output_proj = nn.Linear(dim, channels)
        index = torch.arange(grid * grid)
        row, column = index // grid, index % grid
        near = (((row[:, None] - row).abs() <= window // 2) & ((column[:, None] - column).abs() <= window // 2))
        self.register_buffer('mask', torch.zeros(grid * grid, grid * grid).masked_fill(near, float('-inf')))

    def forward(self, features):
        batch, channels, grid, _ = features.shape
        tokens = features.flatten(2).permute(2, 0, 1)
        if self.training:
            tokens = tokens + torch.randn_like(tokens) * (20 / channels * tokens.norm(dim=2, keepdim=True))
        position = torch.cat([self.column_embed.expand(grid, -1, -1), self.row_embed.expand(-1, grid, -1)], 2)
        position = position.flatten(0, 1).unsqueeze(1)
        x = self.input_proj(tokens)
        for layer in self.encoder:
            x = layer.feed_forward(layer.attend(0, x, x, position, self.mask))
        memory = x
        for layer, queries in zip(self.decoder, self.queries):
            y = layer.attend(0, queries.expand(-1, batch, -1), memory, position, self.mask)
            x = layer.feed_forward(layer.attend(1, y, x, position, self.mask))
        return self.output_proj(self.norm(x)).permute(1, 2, 0).reshape(features.shape)


class Uniad(Method):
    def __init__(self, size):
        super().__init__()
        self.grid = size // 16
        self.backbone = frozen(EfficientNetB4())
        self.reconstruction = UniadReconstruction(self.grid, window=size // 32)
        self.optimiser = torch.optim.AdamW(decay_groups(self.reconstruction.parameters(), 1e-4), lr=1e-4, **OPTIMISER)

    def encode(self, images):
        return torch.cat([resize(x, self.grid, align_corners=True) for x in self.backbone(images)], 1)

    def step(self, images):
        self.reconstruction.train()
        features = self.encode(images)
        loss = F.mse_loss(self.reconstruction(features), features)
        update(loss, self.optimiser)
        return loss

    @torch.no_grad()
    def predict(self, images):
        self.reconstruction.eval()
        features = self.encode(images)
        distance = (self.reconstruction(features) - features).square().sum(1, keepdim=True).sqrt()
        maps = resize(distance, images.shape[-1], align_corners=True).squeeze(1)
        return maps, pooled_maximum(maps, 16)


# RD

class RdStudent(nn.Module):
    """Bottleneck and decoder: from the three maps of the encoder to three maps like them."""

    def __init__(self):
        super().__init__()
        self.reduce1 = nn.Sequential(conv_norm_relu(256, 512, stride=2), conv_norm_relu(512, 1024, stride=2))
        self.reduce2 = conv_norm_relu(512, 1024, stride=2)
        self.embed = bottleneck_layer(3, 3072, 512, 2048, stride=2)
        self.decoder = nn.ModuleList([bottleneck_layer(3, 2048, 512, 1024, up=True),
                                      bottleneck_layer(4, 1024, 256, 512, up=True),
                                      bottleneck_layer(6, 512, 128, 256, up=True)])

    def forward(self, maps):
        x = self.embed(torch.cat([self.reduce1(maps[0]), self.reduce2(maps[1]), maps[2]], 1))
        rebuilt = []
        for layer in self.decoder:
            x = layer(x)
            rebuilt.insert(0, x)
        return rebuilt


class Rd(Method):
    batch = 16

    def __init__(self, size):
        super().__init__()
        self.encoder = frozen(wide_resnet50())
        self.student = RdStudent()
        self.register_buffer('gaussian', gaussian_matrix(size))
        self.optimiser = torch.optim.Adam(self.student.parameters(), lr=0.005, betas=(0.5, 0.999), **OPTIMISER)

    def step(self, images):
        self.student.train()
        maps = self.encoder(images)
        loss = sum((1 - F.cosine_similarity(a.flatten(1), b.flatten(1))).mean()
                   for a, b in zip(maps, self.student(maps)))
        update(loss, self.optimiser)
        return loss

    @torch.no_grad()
    def predict(self, images):
        self.student.eval()
        maps = self.encoder(images)
        total = 0
        for a, b in zip(maps, self.student(maps)):
            distance = 1 - F.cosine_similarity(a, b, dim=1).unsqueeze(1)
            total = total + resize(distance, images.shape[-1], align_corners=True).squeeze(1)
        total = smooth(total / 9, self.gaussian)
        return total, total.amax((1, 2))


# DRÆM

def conv_block(in_channels, out_channels):
    """Its convolutions have biases, although a batch norm follows: so does the published network."""
    return [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]


def double(in_channels, middle, out_channels):
    return nn.Sequential(*conv_block(in_channels, middle), *conv_block(middle, out_channels))


def up(in_channels, out_channels):
    return nn.Sequential(nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True),
                         *conv_block(in_channels, out_channels))


class DraemReconstruction(nn.Module):
    def __init__(self, b=128):
        super().__init__()
        layers = [double(3, b, b)]
        for in_channels, out_channels in [(b, 2 * b), (2 * b, 4 * b), (4 * b, 8 * b), (8 * b, 8 * b)]:
            layers += [nn.MaxPool2d(2), double(in_channels, out_channels, out_channels)]
        for in_channels, out_channels in [(8 * b, 4 * b), (4 * b, 2 * b), (2 * b, b), (b, b)]:
            layers += [up(in_channels, in_channels), double(in_channels, in_channels, out_channels)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(b, 3, 3, padding=1))

    def forward(self, x):
        return self.layers(x)


class DraemSegmentation(nn.Module):
    def __init__(self, c=64):
        super().__init__()
        widths = [c, 2 * c, 4 * c, 8 * c, 8 * c, 8 * c]
        self.pool = nn.MaxPool2d(2)
        self.encoder = nn.ModuleList([double(i, o, o) for i, o in zip([6] + widths, widths)])
        self.ups, self.doubles = nn.ModuleList(), nn.ModuleList()
        in_channels = widths[-1]
        for skip, out_channels in zip(widths[-2::-1], [8 * c, 4 * c, 2 * c, c, c]):
            self.ups.append(up(in_channels, out_channels))
            self.doubles.append(double(out_channels + skip, out_channels, out_channels))
            in_channels = out_channels
        self.out = nn.Conv2d(c, 2, 3, padding=1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.encoder):
            x = block(self.pool(x) if i else x)
            skips.append(x)
        skips.pop()
        for upsample, block in zip(self.ups, self.doubles):
            x = block(torch.cat([upsample(x), skips.pop()], 1))
        return self.out(x)


class Draem(DefectMethod):
    def __init__(self, size):
        super().__init__()
        self.model = DraemReconstruction()
        self.model_seg = DraemSegmentation()
        taps = torch.exp(-(torch.arange(11) - 5.0).square() / (2 * 1.5 ** 2))
        taps = taps / taps.sum()
        self.register_buffer('window', torch.outer(taps, taps).expand(3, 1, 11, 11).contiguous())
        self.optimiser = torch.optim.Adam(self.parameters(), lr=1e-4, **OPTIMISER)

    def forward(self, images):
        reconstruction = self.model(images)
        return reconstruction, self.model_seg(torch.cat([reconstruction, images], 1)).softmax(1)

    def ssim(self, a, b):
        def mean(x):
            return F.conv2d(x, self.window, padding=5, groups=3)

        value_range = (255 if a.max() > 128 else 1) - (-1 if a.min() < -0.5 else 0)
        c1, c2 = (0.01 * value_range) ** 2, (0.03 * value_range) ** 2
        mu_a, mu_b = mean(a), mean(b)
        var_a, var_b, cov = mean(a * a) - mu_a ** 2, mean(b * b) - mu_b ** 2, mean(a * b) - mu_a * mu_b
        similarity = (2 * mu_a * mu_b + c1) * (2 * cov + c2)
        return (similarity / ((mu_a ** 2 + mu_b ** 2 + c1) * (var_a + var_b + c2))).mean()

    def step(self, images, clean, mask):
        self.train()
        reconstruction, probability = self(images)
        defect = mask[:, 0].clamp(1e-5, 1 - 1e-5)
        normal = (1 - mask[:, 0]).clamp(1e-5, 1 - 1e-5)
        q = normal * probability[:, 0] + defect * probability[:, 1] + 1e-5
        focal = -((1 - q) ** 2 * q.log()).mean()
        loss = F.mse_loss(reconstruction, clean) + 1 - self.ssim(reconstruction, clean) + focal
        update(loss, self.optimiser)
        return loss

    @torch.no_grad()
    def predict(self, images):
        self.eval()
        maps = self(images)[1][:, 1]
        return maps, pooled_maximum(maps, 21)


# DeSTSeg

class DestsegStudent(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = resnet18(4)
        self.deepest = basic_layer(512, 512)
        self.decoder = nn.ModuleList([basic_layer(512, 256), basic_layer(256, 128), basic_layer(128, 64)])

    def forward(self, images):
        *encoded, x = self.encoder(images)
        x = self.deepest(x)
        outputs = []
        for like, layer in zip(encoded[::-1], self.decoder):
            x = layer(resize(x, like.shape[-1], align_corners=False))
            outputs.insert(0, x)
        return outputs


class PyramidPooling(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_norm_relu(width, width, kernel=1))
        self.dilated = nn.ModuleList([conv_norm_relu(width, width, dilation=d) for d in (6, 12, 18)])
        self.fusion = conv_norm_relu(4 * width, width)

    def forward(self, x):
        whole = self.whole(x).expand(-1, -1, *x.shape[2:])
        return self.fusion(torch.cat([whole, *[branch(x) for branch in self.dilated]], 1))


class Destseg(DefectMethod):
    batch = 32

    def __init__(self, size, width=256):
        super().__init__()
        self.teacher = frozen(resnet18(3))
        self.student = DestsegStudent()
        self.segmentation = nn.ModuleDict({
            'res': basic_layer(64 + 128 + 256, width),
            'head': nn.Sequential(PyramidPooling(width), conv_norm_relu(width, width), nn.Conv2d(width, 1, 1))})
        self.student_optimiser = torch.optim.SGD(decay_groups(self.student.parameters(), 1e-4), lr=0.4, momentum=0.9,
                                                 **OPTIMISER)
        self.segmentation_optimiser = torch.optim.SGD(
            [{'params': self.segmentation['res'].parameters(), 'lr': 0.1},
             {'params': self.segmentation['head'].parameters(), 'lr': 0.01}],
            momentum=0.9, weight_decay=1e-4, **OPTIMISER)

    @torch.no_grad()
    def products(self, images):
        """Input of the segmentation network, which neither teacher nor student learns from."""
        teacher, student = self.teacher(images), self.student(images)
        side = teacher[0].shape[-1]
        return torch.cat([resize(-F.normalize(t, dim=1) * F.normalize(s, dim=1), side, align_corners=False)
                          for t, s in zip(teacher, student)], 1)

    def segment(self, products):
        return self.segmentation['head'](self.segmentation['res'](products)).sigmoid()

    def step_first(self, images, clean, mask):
        """The student learns; its loss is a sum over the batch, as published."""
        self.student.train()
        loss = sum((1 - F.cosine_similarity(s, t, dim=1)).mean((1, 2)).sum()
                   for s, t in zip(self.student(images), self.teacher(clean)))
        update(loss, self.student_optimiser)
        return loss

    def step(self, images, clean, mask):
        """The segmentation network learns."""
        self.student.eval()
        self.segmentation.train()
        s = self.segment(self.products(images))
        m = (resize(mask, s.shape[-1], align_corners=False) >= 0.5).float()
        p = s * m + (1 - s) * (1 - m)
        focal = ((1 - p) ** 4 * F.binary_cross_entropy(s, m, reduction='none')).mean()
        loss = F.l1_loss(s, m) + focal
        update(loss, self.segmentation_optimiser)
        return loss

    @torch.no_grad()
    def predict(self, images):
        self.student.eval()
        self.segmentation.eval()
        maps = resize(self.segment(self.products(images)), images.shape[-1], align_corners=False).squeeze(1)
        return maps, maps.flatten(1).topk(100).values.mean(1)


# SimpleNet

def patch_means(maps):
    """3 x 3 patches [B,C*9,H,W], averaged over neighbouring numbers to 768 per position."""
    patches = F.unfold(maps, 3, padding=1)
    return patches.unflatten(1, (768, -1)).mean(2).unflatten(2, maps.shape[2:])


def embed_in_closed_form(fine, coarse):
    """The embedding [B*H*W,1536] by the closed form of the card: the poolings in one, the resize after them."""
    side = fine.shape[-1]
    planes = torch.cat([patch_means(fine), resize(patch_means(coarse), side, align_corners=False)], 1)
    return planes.flatten(2).transpose(1, 2).flatten(0, 1)


def embed_as_published(fine, coarse):
    """The same step by step, as the published code has it; measured on one core, nine times as slow."""
    fine, coarse = [F.unfold(x, 3, padding=1).unflatten(2, x.shape[2:]) for x in (fine, coarse)]
    coarse = resize(coarse, fine.shape[-1], align_corners=False)
    vectors = [F.adaptive_avg_pool1d(x.flatten(2).transpose(1, 2).flatten(0, 1), 1536) for x in (fine, coarse)]
    return F.adaptive_avg_pool1d(torch.cat(vectors, 1), 1536)


class Simplenet(Method):
    batch = 32
    embed = staticmethod(embed_in_closed_form)

    def __init__(self, size):
        super().__init__()
        self.backbone = frozen(wide_resnet50())
        self.projection = nn.Linear(1536, 1536)
        self.discriminator = nn.Sequential(nn.Linear(1536, 1024), nn.BatchNorm1d(1024), nn.LeakyReLU(0.2),
                                           nn.Linear(1024, 1, bias=False))
        self.register_buffer('gaussian', gaussian_matrix(size))
        self.projection_optimiser = torch.optim.AdamW(decay_groups(self.projection.parameters(), 0.01), lr=1e-4,
                                                      **OPTIMISER)
        self.discriminator_optimiser = torch.optim.Adam(decay_groups(self.discriminator.parameters(), 1e-5), lr=2e-4,
                                                        **OPTIMISER)

    def embedding(self, images):
        return self.embed(*self.backbone(images)[1:])

    def step(self, images):
        self.projection.train()
        self.discriminator.train()
        true = self.projection(self.embedding(images))
        fake = true + torch.randn_like(true) * 0.015
        of_true, of_fake = self.discriminator(torch.cat([true, fake])).chunk(2)
        loss = F.relu(0.5 - of_true).mean() + F.relu(0.5 + of_fake).mean()
        update(loss, self.projection_optimiser, self.discriminator_optimiser)
        return loss

    @torch.no_grad()
    def predict(self, images):
        self.projection.eval()
        self.discriminator.eval()
        side = images.shape[-1] // 8
        patches = -self.discriminator(self.projection(self.embedding(images))).view(-1, 1, side, side)
        maps = resize(patches, images.shape[-1], align_corners=False).squeeze(1)
        return smooth(maps, self.gaussian), patches.amax((1, 2, 3))


METHODS = {'vitad': Vitad, 'uniad': Uniad, 'rd': Rd, 'draem': Draem, 'destseg': Destseg, 'simplenet': Simplenet}

# At 256 pixels: parameters, those trained, and multiply-accumulates of one image's prediction in convolutions, linear
# layers and attention. The cards print the last rounded; in full they are those of `adbench describe method`.
SIZES = {
    'vitad': (38586472, 16897768, 10708853760),  # section 9, "total", "trainable", "without them 10.709"
    'uniad': (24521560, 7779344, 3518836064),    # section 11, "parameters" (with stages 5-6), "trainable", "3.519 G"
    'rd': (80609600, 55747072, 28356640768),     # section 9, "total, default", "trainable", "28.357 G in convolutions"
    'draem': (97422725, 97422725, 197954371584),    # section 10, "total, all trainable", "197.95 G convolutions only"
    'destseg': (35154177, 32371393, 38444007424),   # section 11, "total", "trainable", "38.444 G with one teacher pass"
    'simplenet': (28800320, 3937792, 16026435584),  # section 9, "backbone to layer3 + heads", "trainable", "16.03 G"
}


# Running

def parameters_of(model):
    return sum(p.numel() for p in model.parameters())


def sizes_of(method):
    """What SIZES holds, found on tensors without data."""
    with torch.device('meta'):
        model = METHODS[method](IMAGE_SIZE)
        images = torch.empty(1, 3, IMAGE_SIZE, IMAGE_SIZE)
    with FlopCounterMode(display=False) as counter:
        model.predict(images)
    smoothing = 2 * IMAGE_SIZE ** 3 if hasattr(model, 'gaussian') else 0  # not a part of the network
    return (parameters_of(model), sum(p.numel() for p in model.parameters() if p.requires_grad),
            counter.get_total_flops() // 2 - smoothing)


def check(method):
    assert sizes_of(method) == SIZES[method], (method, sizes_of(method), SIZES[method])
    size, batch = 64, 2
    model = METHODS[method](size)
    inputs = model.inputs(batch, size)
    losses = {}
    for name in ('step_first', 'step'):
        if hasattr(model, name):
            before = [p.detach().clone() for p in model.parameters()]
            losses[name] = getattr(model, name)(*inputs).item()
            assert math.isfinite(losses[name]), (method, losses)
            assert any(not torch.equal(p, q) for p, q in zip(model.parameters(), before)), f'{method}: nothing learnt'
    maps, scores = model.predict(inputs[0])
    assert maps.shape == (batch, size, size) and scores.shape == (batch,), (method, maps.shape, scores.shape)
    assert maps.isfinite().all() and scores.isfinite().all(), method
    if method == 'simplenet':
        fine, coarse = torch.rand(1, 512, 8, 8), torch.rand(1, 1024, 4, 4)
        assert torch.allclose(embed_in_closed_form(fine, coarse), embed_as_published(fine, coarse), atol=1e-6)
    print('{}: {} parameters, {} trained, {} multiply-accumulates, as in SIZES; losses'.format(method, *SIZES[method]),
          ', '.join(f'{name} {loss:.4g}' for name, loss in losses.items()))


def samples_of(call, seconds, max_samples):
    """Seconds of each call; the first call, which warms up, is dropped."""
    call()
    samples = []
    started = time.perf_counter()
    while len(samples) < max_samples and (len(samples) < MIN_SAMPLES or time.perf_counter() - started < seconds):
        begun = time.perf_counter()
        call()
        samples.append(time.perf_counter() - begun)
    return samples


def measure(method, options):
    model = METHODS[method](options.size)
    images = model.inputs(PREDICTED_TOGETHER, options.size)[0]
    batch = model.inputs(model.batch, options.size)
    calls = {f'predict_{PREDICTED_TOGETHER}': lambda: model.predict(images)}
    calls |= {name: lambda step=getattr(model, name): step(*batch)
              for name in ('step', 'step_first') if hasattr(model, name)}
    series = {name: samples_of(call, options.seconds, options.max_samples) for name, call in calls.items()
              if name.removesuffix(f'_{PREDICTED_TOGETHER}') in options.what}
    return {'method': method, 'torch': torch.__version__, 'threads': torch.get_num_threads(),
            'parameters': parameters_of(model), 'batch': model.batch, 'image_size': options.size, 'series': series,
            'peak_bytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def answer_of(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(result.stdout)


def compare(methods, options):
    """A ratio above 1: adbench is that many times as fast. Low and high: the ratios of single rounds."""
    shared = ['--seconds', str(options.seconds), '--threads', str(options.threads), '--size', str(options.size)]
    own = ['--max-samples', str(options.max_samples), '--what', ','.join(options.what)]
    own += ['--fused'] * options.fused + ['--published-embedding'] * options.published_embedding
    print(f'{"method":10} {"what":10} {"adbench s":>10} {"plain s":>10} {"ratio":>6} {"low":>6} {"high":>6}')
    for method in methods:
        rounds = []
        for _ in range(options.rounds):
            answer = answer_of([options.against, 'speed', '--methods', method, '--batches', str(PREDICTED_TOGETHER),
                                '--json', *shared, *['--no-train'] * (options.what == ['predict'])])
            if answer['errors']:
                sys.exit(f'{options.against}: {answer["errors"]}')
            adbench, plain = answer['data'][0], answer_of([sys.executable, __file__, method, *own, *shared])
            assert all(adbench[key] == plain[key] for key in ('batch', 'image_size', 'threads')), (adbench, plain)
            rounds.append((adbench['series'], plain['series']))
        for name in rounds[0][1]:
            ratios = [statistics.median(plain[name]) / statistics.median(adbench[name]) for adbench, plain in rounds]
            adbench, plain = [statistics.median([s for pair in rounds for s in pair[k][name]]) for k in (0, 1)]
            print(f'{method:10} {name:10} {adbench:10.4f} {plain:10.4f} {plain / adbench:6.2f} {min(ratios):6.2f} '
                  f'{max(ratios):6.2f}', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('method', help=f'one of {", ".join(METHODS)}; several, or all, for --check and --against')
    parser.add_argument('--seconds', type=float, default=20, help=f'for each series, at least {MIN_SAMPLES} samples')
    parser.add_argument('--max-samples', type=int, default=50, help='of each series')
    parser.add_argument('--what', default='step,step_first,predict', help='which series')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--size', type=int, default=IMAGE_SIZE, help='side of the images')
    parser.add_argument('--fused', action='store_true', help='fused optimisers, not the default of torch on the CPU')
    parser.add_argument('--published-embedding', action='store_true', help='SimpleNet: the slow steps of its authors')
    parser.add_argument('--check', action='store_true', help='sizes against the cards, a step and a prediction')
    parser.add_argument('--against', metavar='BIN', help='the program adbench, timed in turns with this file')
    parser.add_argument('--rounds', type=int, default=3, help='turns of --against')
    options = parser.parse_args()
    options.what = options.what.split(',')
    methods = list(METHODS) if options.method == 'all' else options.method.split(',')
    if unknown := set(methods) - set(METHODS):
        parser.error(f'unknown method: {", ".join(sorted(unknown))}')
    if unknown := set(options.what) - {'step', 'step_first', 'predict'}:
        parser.error(f'unknown series: {", ".join(sorted(unknown))}')
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    if options.fused:
        OPTIMISER['fused'] = True
    if options.published_embedding:
        Simplenet.embed = staticmethod(embed_as_published)
    if options.check:
        for method in methods:
            check(method)
    elif options.against:
        compare(methods, options)
    elif len(methods) > 1:
        parser.error('one method at a time, so that none inherits the memory of another')
    else:
        print(json.dumps(measure(methods[0], options)))


if __name__ == '__main__':
    main()
