"""A BERT encoder that reads two requests at once and says whether one answer does for both.

Plain PyTorch, no model library: the whole network is on this page. It starts from the weights of all-MiniLM-L6-v2
(Wang et al. 2020, arXiv:2002.10957; Apache-2.0), whose tokenizer it shares with the embedder.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 384
HEADS = 12
INNER = 1536
VOCABULARY = 30522
POSITIONS = 512
EPSILON = 1e-12


class Layer(nn.Module):
    """One transformer layer, normalised after each residual, as in BERT (Devlin et al. 2018, arXiv:1810.04805)."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(HIDDEN, HIDDEN)
        self.key = nn.Linear(HIDDEN, HIDDEN)
        self.value = nn.Linear(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, HIDDEN)
        self.attention_norm = nn.LayerNorm(HIDDEN, EPSILON)
        self.up = nn.Linear(HIDDEN, INNER)
        self.down = nn.Linear(INNER, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, EPSILON)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x: [batch, tokens, HIDDEN]; bias: [batch, 1, 1, tokens], added to the attention logits."""
        batch, tokens, _ = x.shape

        def heads(y: Tensor) -> Tensor:
            return y.view(batch, tokens, HEADS, HIDDEN // HEADS).transpose(1, 2)

        query, key, value = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        weights = query @ key.transpose(2, 3) / math.sqrt(HIDDEN // HEADS) + bias
        mixed = (weights.softmax(-1) @ value).transpose(1, 2).reshape(batch, tokens, HIDDEN)
        x = self.attention_norm(x + self.dropout(self.out(mixed)))
        return self.norm(x + self.dropout(self.down(F.gelu(self.up(x)))))


class CrossEncoder(nn.Module):
    """Two requests in, one logit out: sigmoid(logit) is the probability that the answer to the first does for both."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, HIDDEN)
        self.positions = nn.Embedding(POSITIONS, HIDDEN)
        self.types = nn.Embedding(2, HIDDEN)
        self.embedding_norm = nn.LayerNorm(HIDDEN, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.dense = nn.Linear(HIDDEN, HIDDEN)
        self.head = nn.Linear(HIDDEN, 1)
        self.dropout = nn.Dropout(0.1)
        # One request of the pair adds this to its words' embeddings: the sentence model never saw a second text,
        # its own token types are as good as untrained.
        nn.init.normal_(self.types.weight, std=0.02)

    def encode(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        """All inputs: int64 [batch, tokens]. Returns the first token and the mean of all, [batch, HIDDEN] each."""
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.words(input_ids) + self.positions(positions) + self.types(token_type_ids)
        x = self.dropout(self.embedding_norm(x))
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
        for layer in self.layers:
            x = layer(x, bias)
        mask = attention_mask[:, :, None].to(x.dtype)
        return x[:, 0], (x * mask).sum(1) / mask.sum(1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Returns [batch, 1]."""
        first, mean = self.encode(input_ids, attention_mask, token_type_ids)
        hidden = torch.tanh(self.dense(first + mean))
        return self.head(self.dropout(hidden))

    def load_base(self, tensors: dict[str, Tensor], chosen: list[int]) -> None:
        """Takes the embeddings and the `chosen` layers of the sentence model."""

        def copy(to: nn.Module, name: str) -> None:
            to.weight.data.copy_(tensors[f"{name}.weight"])
            if getattr(to, "bias", None) is not None:
                to.bias.data.copy_(tensors[f"{name}.bias"])

        copy(self.words, "embeddings.word_embeddings")
        copy(self.positions, "embeddings.position_embeddings")
        self.types.weight.data += tensors["embeddings.token_type_embeddings.weight"][0]
        copy(self.embedding_norm, "embeddings.LayerNorm")
        for layer, source in zip(self.layers, chosen, strict=True):
            at = f"encoder.layer.{source}"
            copy(layer.query, f"{at}.attention.self.query")
            copy(layer.key, f"{at}.attention.self.key")
            copy(layer.value, f"{at}.attention.self.value")
            copy(layer.out, f"{at}.attention.output.dense")
            copy(layer.attention_norm, f"{at}.attention.output.LayerNorm")
            copy(layer.up, f"{at}.intermediate.dense")
            copy(layer.down, f"{at}.output.dense")
            copy(layer.norm, f"{at}.output.LayerNorm")
        # Frozen: words that no training sentence holds keep their place among those that one does.
        self.words.weight.requires_grad = False
