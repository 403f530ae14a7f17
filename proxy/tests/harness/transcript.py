"""Reads what a client was sent: whole answers, server-sent events and JSON arrays of both protocols."""

import json


def events(body):
    """The data of each event, in order; JSON where it parses, else the text ("[DONE]")."""
    out = []
    for block in body.decode().replace("\r\n", "\n").split("\n\n"):
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            joined = "\n".join(data)
            try:
                out.append(json.loads(joined))
            except json.JSONDecodeError:
                out.append(joined)
    return out


def text(content_type, body):
    """The answer's text out of a body of either protocol, streamed or not; "" where there is none."""
    if "event-stream" in content_type:
        objects = [event for event in events(body) if isinstance(event, dict)]
    else:
        value = json.loads(body)
        objects = value if isinstance(value, list) else [value]
    return "".join(piece for item in objects for piece in pieces(item))


def pieces(item):
    """The text pieces of one object: an OpenAI answer or chunk, or a Gemini response."""
    for choice in item.get("choices") or []:
        part = choice.get("message") or choice.get("delta") or {}
        yield part.get("content") or ""
    for candidate in item.get("candidates") or []:
        for part in (candidate.get("content") or {}).get("parts") or []:
            if not part.get("thought"):
                yield part.get("text") or ""
