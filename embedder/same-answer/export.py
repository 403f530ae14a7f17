"""Writes the trained network as ONNX with int8 weights, and checks what that costs."""

from __future__ import annotations

from pathlib import Path

import torch
from blake3 import blake3


def export(model, out: Path, examples: list[tuple[str, str]], tokenizer, say) -> None:
    """Writes `out` and `out`.blake3. Inputs: input_ids, attention_mask, token_type_ids, int64 [batch, tokens];
    output: logits, float32 [batch, 1]."""
    import numpy
    import onnx
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model.eval()
    plain = out.with_suffix(".fp32.onnx")
    ids = torch.ones(2, 9, dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        model, (ids, ids, ids * 0), str(plain), input_names=names, output_names=["logits"], dynamo=False,
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {"logits": {0: "batch"}}, opset_version=17,
    )
    quantize_dynamic(str(plain), str(out), per_channel=True, reduce_range=False, weight_type=QuantType.QInt8,
                     op_types_to_quantize=["MatMul", "Gemm", "Gather"])
    onnx.checker.check_model(str(out))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(out), options)
    worst = []
    for pair in examples:
        encoding = tokenizer.encode(*pair)
        rows = [numpy.array([row], dtype=numpy.int64) for row in (encoding.ids, encoding.attention_mask, encoding.type_ids)]
        quantised = session.run(None, dict(zip(names, rows)))[0][0, 0]
        with torch.no_grad():
            exact = model(*map(torch.from_numpy, rows))[0, 0].item()
        worst.append(abs(1 / (1 + numpy.exp(-quantised)) - 1 / (1 + numpy.exp(-exact))))
    worst.sort()
    say(f"int8 against fp32, probability: median {worst[len(worst) // 2]:.4f}, p95 {worst[int(len(worst) * 0.95)]:.4f}, "
        f"worst {worst[-1]:.4f}")
    # The digest the embedder's test checks with the hash it has anyway.
    digest = blake3(out.read_bytes()).hexdigest()
    out.with_suffix(".onnx.blake3").write_text(f"{digest}  {out.name}\n")
    plain.unlink()
    say(f"{out.name}: {out.stat().st_size / 1e6:.1f} MB, blake3 {digest}")
