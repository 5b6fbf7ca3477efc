"""Takes markdown off a text: what it marks stays, its signs go. Code blocks are not for the ear and are left out."""

import re

FENCE = ("```", "~~~")
RULE = re.compile(r"[-*_= ]{3,}$|[|:\- ]{3,}$")
# Headings and items are lines by themselves: they end like sentences.
OWN_LINE = re.compile(r"(?:#{1,6}|[-*+•‣·])[ ](?:\[[ xX]\] )?(?P<rest>.*)")
QUOTATION = re.compile(r"(?:> ?)+")
LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,500}(?: \"[^\"]{0,200}\")?\)")
REFERENCE = re.compile(r"\[\^?[0-9]{1,3}\]")
EMPHASIS = re.compile(r"(?<![0-9])\*\*|\*\*(?![0-9])|__|~~|`+|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
ENDED = re.compile(r"[.।॥?!…:;,][\"'”’»)\]]*$")
DEVANAGARI = re.compile(r"[\u0904-\u0939]")


class Markup:
    """Reads one text, segment by segment; it remembers whether a code block is open."""

    def __init__(self) -> None:
        self._in_code = False

    def plain(self, segment: str) -> str:
        """The segment without markdown, on one line."""
        return " ".join(filter(None, map(self._line, segment.split("\n"))))

    def _line(self, line: str) -> str:
        line = line.strip()
        if line.startswith(FENCE):
            self._in_code = not self._in_code
            return ""
        if self._in_code or RULE.match(line):
            return ""
        line = QUOTATION.sub("", line, count=1) if line.startswith(">") else line
        if line.startswith("|"):
            line = _ended(", ".join(filter(None, (cell.strip() for cell in line.split("|")))))
        elif own := OWN_LINE.fullmatch(line):
            line = _ended(own["rest"])
        return EMPHASIS.sub("", REFERENCE.sub("", LINK.sub(r"\1", line)))


def _ended(line: str) -> str:
    """The line with an end mark of its script."""
    if not line or ENDED.search(line):
        return line
    return f"{line}।" if DEVANAGARI.search(line) else f"{line}."
