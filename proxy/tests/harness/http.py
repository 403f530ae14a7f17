"""The small part of HTTP/1.1 syntax that both ends of the harness share, kept literal on purpose:
a library would normalise away the very differences the tests look for."""

HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


def split_head(head):
    """Splits a message head into its first line and the raw (name, value) pairs, in order."""
    lines = head.decode("latin-1").split("\r\n")
    pairs = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            pairs.append((name, value.strip()))
    return lines[0], pairs


def values(pairs, name):
    """All values of a header, in order."""
    return [value for key, value in pairs if key.lower() == name.lower()]


def first(pairs, name):
    """The first value of a header, or None."""
    found = values(pairs, name)
    return found[0] if found else None


def end_to_end(pairs, without=()):
    """The headers that must survive a proxy, as a sorted list of (lower-case name, value)."""
    drop = HOP_BY_HOP | {name.lower() for name in without}
    for value in values(pairs, "connection"):
        drop |= {name.strip().lower() for name in value.split(",")}
    return sorted((key.lower(), value) for key, value in pairs if key.lower() not in drop)


def chunked(pieces, last=True):
    """The chunked coding of `pieces`, one chunk each; without `last` the body stays open."""
    out = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return out + b"0\r\n\r\n" if last else out
