"""The models in PyTorch, as its tutorials write them, with modules named as the layers of `models` are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .models import EPSILON
from .workloads import RESNET_WIDTHS, initial


class Dense(nn.Module):
    def __init__(self, sizes: tuple[int, ...]):
        super().__init__()
        for k, (n, m) in enumerate(pairwise(sizes), 1):
            setattr(self, f"dense_{k}", nn.Linear(n, m))
        self.count = len(sizes) - 1

    def forward(self, x: Any) -> Any:
        for k in range(1, self.count):
            x = F.relu(getattr(self, f"dense_{k}")(x))
        return getattr(self, f"dense_{self.count}")(x)


class CNN(nn.Module):
    def __init__(self, rate: float):
        super().__init__()
        self.conv_1, self.conv_2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.dense_1, self.dense_2 = nn.Linear(9216, 128), nn.Linear(128, 10)
        self.drop_1, self.drop_2 = nn.Dropout(0.5 * rate), nn.Dropout(rate)

    def forward(self, x: Any) -> Any:
        h = F.relu(self.conv_2(F.relu(self.conv_1(x))))
        h = self.drop_1(F.max_pool2d(h, 2)).permute(0, 2, 3, 1).flatten(1)  # rows of the kernel as Keras has them
        return self.dense_2(self.drop_2(F.relu(self.dense_1(h))))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5000, 128)
        self.lstm = nn.LSTM(128, 128, batch_first=True)
        self.dense = nn.Linear(128, 1)

    def forward(self, x: Any) -> Any:
        return self.dense(self.lstm(self.embedding(x))[0][:, -1])


class Attention(nn.Module):
    def __init__(self, d: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x: Any) -> Any:
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, d))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for k in (1, 2):
            setattr(self, f"attention_{k}", Attention(128, 4))
            setattr(self, f"norm_{k}_1", nn.LayerNorm(128, EPSILON))
            setattr(self, f"norm_{k}_2", nn.LayerNorm(128, EPSILON))
            setattr(self, f"dense_{k}_1", nn.Linear(128, 512))
            setattr(self, f"dense_{k}_2", nn.Linear(512, 128))
        self.dense = nn.Linear(128, 2)

    def forward(self, h: Any) -> Any:
        for k in (1, 2):
            h = getattr(self, f"norm_{k}_1")(h + getattr(self, f"attention_{k}")(h))
            m = getattr(self, f"dense_{k}_2")(F.gelu(getattr(self, f"dense_{k}_1")(h)))
            h = getattr(self, f"norm_{k}_2")(h + m)
        return self.dense(h.mean(1))


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self._add("0", 3, 16)
        self.blocks: list[tuple[str, bool]] = []
        channels = 16
        for stage, width in enumerate(RESNET_WIDTHS):
            for block in range(3):
                name, wider = f"{stage}_{block}", width != channels
                if wider:
                    self._add(f"{name}_s", channels, width, 2, 1)
                self._add(f"{name}_1", channels, width, 2 if wider else 1)
                self._add(f"{name}_2", width, width)
                self.blocks.append((name, wider))
                channels = width
        self.dense = nn.Linear(channels, 10)

    def _add(self, name: str, inner: int, width: int, stride: int = 1, size: int = 3) -> None:
        # Where a window of stride 2 does not fit evenly, Keras pads behind only; see `_conv`.
        padding = 0 if size == 1 or stride > 1 else 1
        setattr(self, f"conv_{name}", nn.Conv2d(inner, width, size, stride, padding, bias=False))
        setattr(self, f"norm_{name}", nn.BatchNorm2d(width, EPSILON, momentum=0.01))

    def _conv(self, name: str, h: Any) -> Any:
        conv = getattr(self, f"conv_{name}")
        if conv.stride[0] > 1 and conv.kernel_size[0] > 1:
            h = F.pad(h, (0, 1, 0, 1))
        return getattr(self, f"norm_{name}")(conv(h))

    def forward(self, x: Any) -> Any:
        h = F.relu(self._conv("0", x))
        for name, wider in self.blocks:
            short = self._conv(f"{name}_s", h) if wider else h
            h = F.relu(short + self._conv(f"{name}_2", F.relu(self._conv(f"{name}_1", h))))
        return self.dense(h.mean((2, 3)))


def build(key: str, rate: float) -> nn.Module:
    """The model of a workload, with the first weights that every side has."""
    makers = {
        "tabular": lambda: Dense((13, 64, 64, 1)),
        "mlp": lambda: Dense((784, 512, 512, 10)),
        "cnn": lambda: CNN(rate),
        "lstm": Recurrent,
        "encoder": Encoder,
        "resnet": ResNet,
    }
    model = makers[key]()
    with torch.no_grad():
        for name, module in model.named_children():
            fill(name, module)
    return model


def fill(name: str, module: nn.Module) -> None:
    """Give a module the first weights of its layer, in its own layout."""

    def values(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
        return [torch.from_numpy(a) for a in initial(name, list(shapes))]

    if isinstance(module, nn.Linear):
        n, m = module.in_features, module.out_features
        kernel, bias = values((n, m), (m,))
        module.weight.copy_(kernel.T)
        module.bias.copy_(bias)
    elif isinstance(module, nn.Conv2d):
        m, n, *window = module.weight.shape
        kernel, bias = values((*window, n, m), (m,))
        module.weight.copy_(kernel.permute(3, 2, 0, 1))
        if module.bias is not None:
            module.bias.copy_(bias)
    elif isinstance(module, nn.Embedding):
        module.weight.copy_(*values(tuple(module.weight.shape)))
    elif isinstance(module, nn.LSTM):
        n, u = module.input_size, module.hidden_size
        kernel, recurrent, bias = values((n, 4 * u), (u, 4 * u), (4 * u,))
        module.weight_ih_l0.copy_(kernel.T)
        module.weight_hh_l0.copy_(recurrent.T)
        module.bias_ih_l0.copy_(bias)
        module.bias_hh_l0.zero_().requires_grad_(False)  # Keras has one bias
    elif isinstance(module, Attention):
        d, h = module.out.in_features, module.heads
        one, few = (d, h, d // h), (h, d // h)
        *inner, last, bias = values(one, few, one, few, one, few, (h, d // h, d), (d,))
        module.qkv.weight.copy_(torch.cat([k.reshape(d, d).T for k in inner[::2]]))
        module.qkv.bias.copy_(torch.cat([b.reshape(d) for b in inner[1::2]]))
        module.out.weight.copy_(last.reshape(d, d).T)
        module.out.bias.copy_(bias)
