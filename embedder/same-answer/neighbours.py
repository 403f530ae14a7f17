"""Natural neighbours: other groups about the same thing, which an index would propose and which need another answer.

Changed words teach the model to see what differs between two sentences that are nearly equal. A stream brings something
else: two requests near each other in meaning that nobody derived from one another. The groups hold such pairs already;
the sentence model the network starts from finds them.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from network import CrossEncoder
from pairs import Group

# Cosine similarity. Below, the pair is as good as unrelated; above, two authors may have written the same request.
LOWEST, HIGHEST = 0.42, 0.76
MOST = 12
WORDINGS = 2
# Few shapes: oneDNN compiles its kernels for each new one.
LENGTHS = (16, 24, 32, 48, 64, 128)


@torch.no_grad()
def mine(groups: list[Group], base: dict[str, torch.Tensor], tokenizer) -> list[list[int]]:
    """For each group the groups nearest to it, those of its own field excepted: up to `MOST`, nearest first."""
    layers = 6
    model = CrossEncoder(layers)
    model.load_base(base, list(range(layers)))
    # A sentence on its own has the token type that the sentence model was trained with.
    model.types.weight.data[0] = base["embeddings.token_type_embeddings.weight"][0]
    model.eval()
    # The mean of a few wordings: one alone may lie far off.
    texts = [text for group in groups for text in group.same[:WORDINGS]]
    vectors = embed(model, texts, tokenizer)
    centres, start = [], 0
    for group in groups:
        end = start + len(group.same[:WORDINGS])
        centres.append(F.normalize(vectors[start:end].mean(0), dim=0))
        start = end
    similarity = torch.stack(centres) @ torch.stack(centres).T
    found = []
    for index, row in enumerate(similarity):
        values, order = row.topk(min(len(groups), 4 * MOST))
        found.append([
            other for value, other in zip(values.tolist(), order.tolist())
            if LOWEST <= value <= HIGHEST and groups[other].field != groups[index].field
        ][:MOST])
    return found


def embed(model: CrossEncoder, texts: list[str], tokenizer) -> torch.Tensor:
    """Unit vectors of the sentence model, [texts, 384]."""
    out = torch.empty(len(texts), model.words.embedding_dim)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), 64):
        part = order[start : start + 64]
        encoded = tokenizer.encode_batch([texts[i] for i in part])
        longest = next(length for length in LENGTHS if max(len(e.ids) for e in encoded) <= length)
        ids = torch.tensor([e.ids + [0] * (longest - len(e.ids)) for e in encoded])
        mask = torch.tensor([e.attention_mask + [0] * (longest - len(e.ids)) for e in encoded])
        out[part] = F.normalize(model.encode(ids, mask, torch.zeros_like(ids))[1], dim=1)
    return out
