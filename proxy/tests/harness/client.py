"""Short ways to ask for an answer in either protocol, over `raw`, one connection a request."""

import json
import uuid

from . import raw

OPENAI_MODEL = "gpt-4o-mini"
GEMINI_MODEL = "gemini-2.5-flash"


def new_key():
    """A credential no other test uses; the namespace follows the credential, so this isolates a test."""
    return f"sk-{uuid.uuid4().hex}"


def encode(body):
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


def chat_body(goal, model=OPENAI_MODEL, **fields):
    """An OpenAI chat body; `goal` is a text or a whole list of messages."""
    messages = goal if isinstance(goal, list) else [{"role": "user", "content": goal}]
    return {"model": model, "messages": messages, **fields}


def generate_body(goal, **fields):
    """A Gemini body; `goal` is a text or a whole list of contents."""
    contents = goal if isinstance(goal, list) else [{"role": "user", "parts": [{"text": goal}]}]
    return {"contents": contents, **fields}


class Client:
    """Asks the server at `address` (host, port)."""

    def __init__(self, address):
        self.address = address

    def request(self, method, target, headers=(), body=None, chunks=None):
        return raw.request(self.address, method, target, headers, body, chunks)

    def get(self, target, headers=()):
        return self.request("GET", target, headers)

    def post(self, target, body, headers=()):
        return self.request("POST", target, [("Content-Type", "application/json"), *headers], encode(body))

    def chat(self, goal, key=None, headers=None, body=None, **fields):
        """POST /v1/chat/completions; `body` replaces the built one whole (bytes or JSON)."""
        auth = [("Authorization", f"Bearer {key}")] if key else []
        extra = list((headers or {}).items())
        body = chat_body(goal, **fields) if body is None else body
        return self.post("/v1/chat/completions", body, [*auth, *extra])

    def generate(
        self, goal, key=None, headers=None, model=GEMINI_MODEL, version="v1beta", form=None, body=None, **fields
    ):
        """Gemini; form: None (generateContent), "sse" or "array" (streamGenerateContent)."""
        method = {None: "generateContent", "sse": "streamGenerateContent?alt=sse", "array": "streamGenerateContent"}
        auth = [("x-goog-api-key", key)] if key else []
        extra = list((headers or {}).items())
        body = generate_body(goal, **fields) if body is None else body
        return self.post(f"/{version}/models/{model}:{method[form]}", body, [*auth, *extra])
