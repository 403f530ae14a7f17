"""What the scripted upstream says: OpenAI's and Gemini's wire formats, plain, streamed, and as errors.

`chat(...)` and `gemini(...)` return a function from the recorded request to a `Reply`, so that one script
line serves a streamed and a whole request alike. Their default text repeats the goal.
"""

import base64
import json
import struct

from .reply import Reply

DATE = ("Date", "Mon, 23 Nov 2026 10:00:00 GMT")
CREATED = 1764064800


def goal_of(request):
    """The last user text of a request of either protocol, or None."""
    try:
        body = request.json()
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    messages = body.get("messages")
    for message in reversed(messages if isinstance(messages, list) else []):
        if message.get("role") == "user":
            content = message.get("content")
            return content if isinstance(content, str) else "".join(p.get("text", "") for p in content or [])
    for content in reversed(body.get("contents") or []):
        if content.get("role", "user") == "user":
            return "".join(part.get("text", "") for part in content.get("parts") or [])
    return None


def echo(name, number, goal):
    """The text of a generated answer: who answered, as the how-manieth, and which goal."""
    return f"Answer {number} of {name} to: {goal}"


def split(text, size=12):
    """Cuts a text into pieces as a model streams it."""
    return [text[i : i + size] for i in range(0, len(text), size)] or [""]


def default(upstream, request, number):
    """The answer without a script, as the API of the upstream's kind would give it."""
    path = request.path.replace("%3A", ":").replace("%3a", ":")
    last = path.rsplit("/", 1)[-1]
    generates = ":generateContent" in last or ":streamGenerateContent" in last
    if (path.endswith("/chat/completions") or generates) and not _is_object(request):
        return gemini_error(400, "INVALID_ARGUMENT") if generates else openai_error(400, "invalid_json")
    if path.endswith("/chat/completions"):
        return chat(name=upstream.name, number=number)(request)
    if generates:
        return gemini(name=upstream.name, number=number)(request)
    if ":countTokens" in last:
        return _json({"totalTokens": 7, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}]}, upstream.kind)
    if ":batchEmbedContents" in last:
        return _json({"embeddings": [{"values": [0.25, -0.5, 1.0]} for _ in request.json()["requests"]]}, "gemini")
    if path.endswith("/embeddings"):
        return _json(_embeddings(request.json()), "openai")
    if path.endswith("/models") or "/models/" in path:
        return _json(_models(upstream.kind, path), upstream.kind)
    return _mirror(request)


def chat(
    text=None,
    finish="stop",
    usage=(10, 50),
    model=None,
    name="openai",
    number=0,
    comments=False,
    tool_calls=None,
    pieces=None,
    gate=None,
    rechunk=None,
    end="keep",
    done=True,
    error=None,
):
    """An OpenAI chat completion.

    comments: SSE comment lines between the events. pieces: the text's pieces when streamed. gate: waited for
    after the first text piece. rechunk: cuts the stream's bytes into chunks of that size, whatever lies there.
    done=False: the stream stops before finish_reason. error: an in-band error event in its place.
    """

    def reply(request):
        body = request.json()
        said = echo(name, number, goal_of(request)) if text is None else text
        head = {"id": f"chatcmpl-up{number}", "created": CREATED, "model": model or body.get("model")}
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        if not body.get("stream"):
            message = {"role": "assistant", "content": said, "refusal": None}
            if tool_calls:
                message |= {"content": None, "tool_calls": tool_calls}
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
            whole = {**head, "object": "chat.completion", "choices": [choice], "usage": counts}
            return _json(whole, "openai", number)
        wants_usage = (body.get("stream_options") or {}).get("include_usage")

        def event(delta, finish_reason=None):
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
            chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
            return _data(chunk | ({"usage": None} if wants_usage else {}), b"\n\n")

        out = [event({"role": "assistant", "content": "", "refusal": None})]
        if tool_calls:
            out.append(event({"tool_calls": [{"index": i, **call} for i, call in enumerate(tool_calls)]}))
        for i, piece in enumerate([] if tool_calls else pieces or split(said)):
            if comments:
                out.append(b": OPENROUTER PROCESSING\n\n")
            out.append(event({"content": piece}))
            if gate is not None and i == 0:
                out.append(gate)
        if error is not None:
            out.append(_data({"error": error}, b"\n\n"))
        elif done:
            out.append(event({}, finish))
            if wants_usage:
                usage_chunk = {**head, "object": "chat.completion.chunk", "choices": [], "usage": counts}
                out.append(_data(usage_chunk, b"\n\n"))
            out.append(b"data: [DONE]\n\n")
        headers = _headers("openai", number, "text/event-stream; charset=utf-8")
        return Reply(headers=headers, body=_rechunk(out, rechunk), framing="chunked", end=end)

    return reply


def gemini(
    text=None,
    finish="STOP",
    usage=(18, 50),
    thoughts=0,
    model=None,
    name="gemini",
    number=0,
    blocked=None,
    pieces=None,
    gate=None,
    rechunk=None,
    end="keep",
    done=True,
    parts=None,
    error=None,
    newline="\r\n",
):
    """A Gemini response: whole, as server-sent events, or as a JSON array, as the target asks.

    blocked: a promptFeedback.blockReason in place of candidates. parts: the parts of a whole answer as given.
    error: an in-band error event after the text, in place of the finish reason. newline: ends the event lines.
    Zero-valued fields are absent, as on the real wire.
    """

    def reply(request):
        method = request.path.replace("%3A", ":").rsplit(":", 1)[-1]
        said = echo(name, number, goal_of(request)) if text is None else text
        version = model or request.path.replace("%3A", ":").rsplit("/", 1)[-1].rsplit(":", 1)[0]
        counts = {"promptTokenCount": usage[0], "candidatesTokenCount": usage[1], "thoughtsTokenCount": thoughts}
        counts = {key: value for key, value in counts.items() if value} | {"totalTokenCount": sum(usage) + thoughts}
        tail = {"usageMetadata": counts, "modelVersion": version, "responseId": f"resp-up{number}"}

        def item(content, finish_reason=None):
            candidate = {"content": {**content, "role": "model"}, "index": 0}
            if finish_reason:
                candidate["finishReason"] = finish_reason
            return {"candidates": [candidate], **tail}

        if blocked:
            items = [{"promptFeedback": {"blockReason": blocked}, **tail}]
        elif method == "generateContent":
            items = [item({"parts": parts or [{"text": said}]}, finish)]
        else:
            cut = pieces or split(said)
            items = [item({"parts": [{"text": piece}]}) for piece in cut]
            if done and error is None:
                items[-1]["candidates"][0]["finishReason"] = finish
        if method == "generateContent":
            return _json(items[0], "gemini", number)
        if "alt=sse" in request.target:
            events = items + ([{"error": error}] if error else [])
            out = [_data(part, (newline * 2).encode()) for part in events]
            kind = "text/event-stream"
        else:
            out = [json.dumps(part, indent=2, ensure_ascii=False).encode() for part in items]
            out = [(b"[" if i == 0 else b"\n,\r\n") + part for i, part in enumerate(out)] + ([b"\n]"] if done else [])
            kind = "application/json; charset=UTF-8"
        if gate is not None:
            out.insert(1, gate)
        return Reply(headers=_headers("gemini", number, kind), body=_rechunk(out, rechunk), framing="chunked", end=end)

    return reply


def openai_error(status, code, message="scripted failure", kind="invalid_request_error", headers=()):
    """An OpenAI error reply."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    reply = _json(body, "openai")
    reply.status = status
    reply.headers += list(headers)
    return reply


def gemini_error(status, rpc_status, message="scripted failure", details=None):
    """A Gemini error reply."""
    error = {"code": status, "message": message, "status": rpc_status}
    if details:
        error["details"] = details
    reply = _json({"error": error}, "gemini")
    reply.status = status
    return reply


def bad_gemini_key():
    """What Gemini says to an unknown key: 400, not 401."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    message = "API key not valid. Please pass a valid API key."
    return gemini_error(400, "INVALID_ARGUMENT", message, [info])


def gemini_quota(quota_id, retry_delay="26s"):
    """A Gemini 429 for the quota with that id."""
    types = "type.googleapis.com/google.rpc."
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash"},
        "quotaValue": "500",
    }
    details = [
        {"@type": types + "QuotaFailure", "violations": [violation]},
        {"@type": types + "RetryInfo", "retryDelay": retry_delay},
    ]
    return gemini_error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", details)


def _is_object(request):
    try:
        return isinstance(request.json(), dict)
    except (ValueError, OSError):
        return False


def _headers(kind, number, content_type):
    own = {
        "openai": [
            ("x-request-id", f"req_{number:08d}"),
            ("openai-processing-ms", "42"),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-remaining-requests", "4999"),
        ],
        "gemini": [("Vary", "Origin"), ("Vary", "X-Origin"), ("server-timing", "gfet4t7; dur=42")],
    }[kind]
    return [("Content-Type", content_type), DATE, ("Server", "scripted"), *own]


def _json(value, kind, number=0):
    content_type = "application/json; charset=UTF-8" if kind == "gemini" else "application/json"
    body = json.dumps(value, ensure_ascii=False, indent=1).encode()
    return Reply(headers=_headers(kind, number, content_type), body=body)


def _data(value, end):
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + end


def _rechunk(pieces, size):
    if size is None:
        return pieces
    data = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return [data[i : i + size] for i in range(0, len(data), size)]


def _embeddings(body):
    inputs = body.get("input", "")
    inputs = inputs if isinstance(inputs, list) else [inputs]
    vector = [0.25, -0.5, 1.0]
    if body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<3f", *vector)).decode()
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, _ in enumerate(inputs)]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "data": data, "model": body.get("model"), "usage": usage}


def _models(kind, path):
    name = path.rsplit("/", 1)[-1]
    if kind == "gemini":

        def one(model):
            return {"name": f"models/{model}", "displayName": model, "inputTokenLimit": 1048576}

        return {"models": [one("gemini-2.5-flash"), one("gemini-3.8-flash")]} if name == "models" else one(name)

    def single(model):
        return {"id": model, "object": "model", "created": CREATED, "owned_by": "scripted"}

    if name == "models":
        return {"object": "list", "data": [single("gpt-4o-mini"), single("gpt-4o")]}
    return single(name)


def _mirror(request):
    """Any other path: tells back what arrived, byte for byte."""
    headers = [("Content-Type", request.header("content-type") or "application/octet-stream"), DATE]
    headers += [("x-mirror-method", request.method), ("x-mirror-target", request.target)]
    return Reply(headers=headers, body=request.body)
