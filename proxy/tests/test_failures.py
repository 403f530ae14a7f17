"""Errors never take the request down: whatever breaks inside, the request still goes upstream."""

import resource
import signal

import pytest

from harness import config
from harness.wait import let_pass, until

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"


def base(openai_upstream, *tables):
    return "".join(tables) + config.NO_TEMPLATES + config.upstream(openai_upstream)


def ignore_file_size_signal():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def tiny_files():
    """Every write past 16 KiB fails, as on a disk that is full from the start."""
    ignore_file_size_signal()
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, 16 * 1024))


def check_answers(proxy, key, goals=5):
    for i in range(goals):
        goal = f"How do I get better at skill number {i}?"
        for stream in (False, True):
            answer = proxy.client.chat(goal, key, stream=stream)
            assert answer.status == 200 and answer.text.endswith(goal), answer.body[:300]


class TestFullDisk:
    def test_full_from_the_start(self, start, openai_upstream, key):
        proxy = start(base(openai_upstream), ready=False, preexec=tiny_files)
        until(lambda: proxy.admin("/healthz").status == 200, "the proxy is alive")
        check_answers(proxy, key)

    def test_full_while_serving(self, start, openai_upstream, key):
        proxy = start(base(openai_upstream), preexec=ignore_file_size_signal)
        proxy.warm(lambda: proxy.client.chat(GOAL, key))
        # From now on not a single byte can be written to any file.
        resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (0, 0))
        check_answers(proxy, key, goals=40)
        let_pass(1.2)  # a flush a second: the store has met the full disk by now
        check_answers(proxy, key, goals=45)
        assert proxy.client.chat(GOAL, key).cache == "exact", "what is in memory is still served"
        assert proxy.admin("/healthz").status == 200
        assert proxy.process.poll() is None

    def test_what_was_stored_before_survives_it(self, start, openai_upstream, key):
        proxy = start(base(openai_upstream), preexec=ignore_file_size_signal)
        stored = proxy.warm(lambda: proxy.client.chat(GOAL, key))
        let_pass(1.2)
        resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (0, 0))
        check_answers(proxy, key, goals=40)
        let_pass(1.2)
        proxy.kill()
        proxy.preexec = None
        proxy.restart()
        answer = proxy.client.chat(GOAL, key)
        assert (answer.cache, answer.text) == ("exact", stored.text)


class TestDeadEmbedder:
    @pytest.fixture(params=["model", "runtime is missing", "runtime is no library"])
    def proxy(self, request, start, openai_upstream, tmp_path):
        broken = tmp_path / "broken"
        broken.mkdir()
        for name in ("model.onnx", "tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"):
            (broken / name).write_text("not what it says")
        library = broken / "libonnxruntime.so"
        if request.param == "model":
            table = config.table("embedder", model_dir=str(broken))
        elif request.param == "runtime is missing":
            table = config.table("embedder", runtime=str(library))
        else:
            library.write_bytes(b"\x7fELF but not really")
            table = config.table("embedder", runtime=str(library))
        proxy = start(base(openai_upstream, table), ready=False)
        until(lambda: proxy.admin("/healthz").status == 200, "the proxy is alive")
        return proxy

    def test_requests_go_upstream_and_the_exact_tier_works(self, proxy, key):
        check_answers(proxy, key, goals=2)
        answer = proxy.client.chat(GOAL, key)
        assert (answer.status, answer.cache) == (200, "miss")
        until(lambda: proxy.client.chat(GOAL, key).cache == "exact", "the exact tier works")
        assert proxy.client.chat(REWORDED, key).cache == "miss"
        assert proxy.client.chat(GOAL, key, headers={"Cache-Control": "no-store"}).cache == "bypass"

    def test_readyz_and_the_log_tell(self, proxy):
        def told():
            answer = proxy.admin("/readyz")
            return answer.status != 200 or b"embedder" in answer.body.lower()

        until(told, "/readyz tells that the embedder is dead")
        until(lambda: "panicked" in proxy.log or "embedder" in proxy.log.lower(), "the log tells")
        assert "panicked" not in proxy.log, proxy.log[-3000:]


def test_an_embedder_past_its_deadline_is_a_miss(start, openai_upstream, key):
    """No MiniLM on a CPU reads two hundred words within a millisecond; the exact tier does not need it."""
    proxy = start(base(openai_upstream, config.table("embedder", deadline="1ms")))
    long = " ".join(["and to tell stories about my garden, my dog and my work"] * 16)
    assert proxy.client.chat(f"{GOAL} {long}", key).cache == "miss"
    until(lambda: proxy.client.chat(f"{GOAL} {long}", key).cache == "exact", "the exact tier works")
    for i in range(5):
        answer = proxy.client.chat(f"{REWORDED} {long}" + " " * i, key)
        assert answer.status == 200 and answer.cache in ("miss", "exact")


def test_a_full_embedding_queue_is_a_miss_not_an_error(start, openai_upstream, key):
    import threading

    proxy = start(base(openai_upstream, config.table("embedder", queue=1, threads=1)))
    results = []

    def ask(i):
        results.append(proxy.client.chat(f"How do I get better at skill number {i}?", key).status)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [200] * 32


def test_a_data_directory_that_cannot_be_made_still_serves(start, openai_upstream, key, tmp_path):
    """The path of the data directory is taken by a file."""
    folder = tmp_path / "proxy0"
    folder.mkdir()
    (folder / "data").write_text("in the way")
    proxy = start(base(openai_upstream), ready=False)
    until(lambda: proxy.admin("/healthz").status == 200, "the proxy is alive")
    check_answers(proxy, key, goals=2)


def test_a_huge_header_and_a_broken_request_harm_nobody_else(cached, key):
    from harness import raw

    for junk in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with raw.Wire(cached.address, timeout=5) as wire:
            wire.send(junk)
            wire.half_close()
            wire.until(b"\r\n\r\n")
    assert cached.client.chat(GOAL, key).status == 200


def test_a_body_over_the_limit_is_a_413_in_the_clients_protocol(start, openai_upstream, gemini_upstream, key):
    text = (
        config.table("server", max_body_bytes=100_000)
        + config.NO_TEMPLATES
        + config.upstream(openai_upstream, models={"gpt-*": "gpt-*"})
        + config.upstream(gemini_upstream, models={"gemini-*": "gemini-*"})
    )
    proxy = start(text)
    mark = openai_upstream.mark()
    large = "x" * 150_000
    answer = proxy.client.chat(large, key)
    assert answer.status == 413 and answer.json()["error"]["message"]
    answer = proxy.client.generate(large, key)
    assert (answer.status, answer.json()["error"]["code"]) == (413, 413)
    assert openai_upstream.since(mark) == []
    assert proxy.client.chat("small", key).status == 200


def test_requests_before_the_embedder_is_ready_are_answered(start, openai_upstream, key):
    proxy = start(base(openai_upstream), ready=False)
    answer = proxy.client.chat(GOAL, key)
    assert answer.status == 200 and answer.text.endswith(GOAL)
    proxy.wait_ready()
