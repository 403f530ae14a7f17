"""Reads the Prometheus text format strictly: a line that does not parse is a failure."""

import re

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
EMBEDDED = re.compile(r"^tollfree_embed\w*_(total|count)$")
NOT_EMBEDDED = re.compile(r"fail|error|drop|reject|deadline|full|restart|ready|prefilter|static|queue")


class Metrics:
    def __init__(self, text):
        self.text = text
        self.samples = []
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                self.types[name] = kind
            elif line and not line.startswith("#"):
                found = SAMPLE.match(line)
                assert found, f"not a Prometheus sample: {line!r}"
                name, labels, value = found.groups()
                self.samples.append((name, dict(LABEL.findall(labels or "")), float(value)))

    @property
    def names(self):
        return {name for name, _, _ in self.samples} | set(self.types)

    def sum(self, name, **labels):
        """The sum of all samples of that name whose labels include the given ones."""
        return sum(v for n, have, v in self.samples if n == name and labels.items() <= have.items())

    def lookups(self, result):
        return self.sum("tollfree_cache_lookups_total", result=result)

    def embeddings(self):
        """How often the embedder was called: the sum of its call counters, failures aside."""
        found = [(n, v) for n, _, v in self.samples if EMBEDDED.match(n) and not NOT_EMBEDDED.search(n)]
        assert found, "no counter or histogram tollfree_embed*_total / _count among the metrics"
        # A calls histogram and a texts counter may stand side by side: take one of them.
        name = sorted({n for n, _ in found})[0]
        return sum(v for n, v in found if n == name)
