# SPDX-License-Identifier: Apache-2.0
"""What must be said of each zone of "sardane lab up --broken": trust, kind of answer, whether it holds, words of the reason."""

EXPECTED = {
    "good": ("secure", "records", True, ""),
    "bad-digest": ("bogus", None, False, "has another digest than the key of its tag"),
    "expired": ("bogus", None, False, "expired at"),
    "clock-skew": ("bogus", None, False, "is not valid before"),
    "missing-ds": ("insecure", None, False, "its parent proves that it has no DS"),
    "unsigned": ("insecure", None, False, "its parent proves that it has no DS"),
    "stripped": ("bogus", None, False, "no DNSKEY, although there is a DS"),
    "bogus-denial": ("bogus", "denial", False, "NSEC of the denial: signature with key tag"),
    "denial": ("secure", "denial", False, ""),
    "nsec3": ("secure", "denial", False, ""),
    "iterations": ("insecure", "denial", False, "NSEC3 with 500 iterations"),
    "cname": ("secure", "records", True, ""),
    "cname-out": ("insecure", "records", False, "zone unsigned.broken.example: its parent proves that it has no DS"),
    "cname-in": ("insecure", "records", False, "zone cname-in.broken.example: its parent proves that it has no DS"),
    "loop": ("unknown", None, False, "the aliases lead round"),
    "dname": ("secure", "records", True, ""),
    "wildcard": ("secure", "records", True, ""),
    "huge": ("secure", "records", True, ""),
    "unknown-algorithm": ("insecure", None, False, "of an algorithm no validator here knows"),
    "servfail": ("unknown", None, False, "answers SERVFAIL"),
    "mute": ("unknown", None, False, "no answer"),
    "lame": ("secure", "records", True, ""),
    "disagree": ("secure", "records", True, ""),
    "lagging": ("secure", "records", True, ""),
}


def misjudged(zone, row):
    """What is wrong with the JSON of a trace of this zone, or None."""
    trust, kind, holds, why = EXPECTED[zone]
    if row["trust"] != trust or row["holds"] != holds or (kind and row["answer"] != kind) or why not in row["why"]:
        return f"{row['trust']}, {row['answer']}, holds {row['holds']}, {row['why']!r}; expected {EXPECTED[zone]}"
    return None
