"""Check every Markdown document below a directory: documents.py SOURCE [--measure].

A fault is a line `file:line: what is wrong`, and the exit status 1.  --measure prints the
length of the sentences of each page instead.
"""

import re
import sys
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

COLUMNS = 100
LONG = 30  # words; a sentence with more is long
LONG_SHARE = 0.035
MEAN = 15

# Terms that the glossary of doc/architecture.md has replaced, each with the word to use.
KEYS = r"(keys?|KEKs?|DEKs?|values?|payloads?|ciphertexts?|secrets?|versions?|envelopes?)"
ARTICLE = r"(a|an|the|its|their|each|every|any|this|that|old|wrapped)"
REPLACED = {
    r"doors?": "API function",
    r"(the|a|its|each|this|whose) needs?": "challenge",
    r"go(es)? together|shar(e|es|ed|ing) (a |one |their )?commits?": "group commit",
    r"wait(s|ing)? in line|line of (calls|runs)": "queue",
    r"patience|park(s|ed|ing)?": "long poll",
    r"bells?|rings?|rang|ringing": "notify",
    r"let(s|ting)? in": "authenticate",
    r"frames?": "request head, or payload encoding",
    r"(access keys? (of|for) (a|the|each|this) secret|secret's access keys?)": "wrap key",
    rf"(seal|open)(s|ed|ing)? ({ARTICLE} )*{KEYS}": "encrypt or wrap, decrypt or unwrap",
    rf"{KEYS} (is|are|was|were) (sealed|opened)": "encrypted or wrapped, decrypted or unwrapped",
    r"[Hh]ints?": "key cache",
    r"li(fe|ves) of (a|an|the|its|each|this) (daemon|database|audit|instance)": "epoch or instance",
    r"witness(es|ed)?": "receipt log",
    r"greet(s|ed|ings?)?": "handshake",
    r"spool(s|ed)?": "sort file",
}
# Where one of these is another thing: the page, and the words as they stand there.
OTHER_THINGS: set[tuple[str, str]] = set()

# Files and SQL objects of Coffer, as the text names them in code.
NAMED_FILE = r"(doc|docker|migrations|sql|src|tests)/[\w./-]*\w"
NAMED_OBJECT = r"((audit|auditor|daemon|fail|job|operator|rule|store)\.(?!sql\b)[a-z_]+)(\(.*)?"

parser = MarkdownIt("commonmark").enable("table").use(anchors_plugin, max_level=6)


class Page:
    """One document: its prose, by paragraph and table cell, its anchors and its links."""

    def __init__(self, path):
        text = path.read_text()
        self.lines = text.splitlines()
        self.anchors = set()
        self.links = []  # (line, target)
        self.codes = []  # (line, code in the text)
        self.prose = []  # (line, text with code, text without)
        self.cells = []  # the same of tables and headings
        self.free = set()  # numbers of lines that may be wide
        printed = False
        place = self.prose
        for token in parser.parse(text):
            first, last = token.map or (0, 0)
            if token.type == "heading_open":
                self.anchors.add(token.attrs["id"])
                place = self.cells
            elif token.type == "table_open":
                self.free.update(range(first, last))
                place = self.cells
            elif token.type in ("heading_close", "table_close"):
                place = self.prose
            elif token.type == "html_block":
                printed = token.content.startswith("<!-- coffer --")
            elif token.type == "fence" and (printed or token.info in ("text", "json")):
                self.free.update(range(first, last))
            elif token.type == "inline":
                self.read(first, token.children, place)

    def read(self, line, children, place):
        """Take the text and the links of one paragraph, cell or heading."""
        full, plain = [], []
        for child in children:
            if child.type == "link_open":
                self.links.append((line + 1, child.attrs["href"]))
            elif child.type == "image":
                self.links.append((line + 1, child.attrs["src"]))
            elif child.type == "code_inline":
                self.codes.append((line + 1, child.content))
                full.append("`" + re.sub(r"[.!?]", "_", child.content))
                plain.append("`")
            elif child.type in ("text", "softbreak", "hardbreak"):
                full.append(child.content or " ")
                plain.append(child.content or " ")
        place.append((line + 1, "".join(full), "".join(plain)))

    def sentences(self):
        """Return the sentences of all paragraphs: line, number of words, text."""
        found = []
        for line, text, _ in self.prose:
            for sentence in re.split(r"(?<=[.!?])[\"')]*\s+(?=[^a-z])", text):
                if words := [word for word in sentence.split() if re.search(r"\w", word)]:
                    found.append((line, len(words), sentence))
        return found


def documents(source):
    """Read every *.md that belongs to the sources, by its path below them."""
    pages = {}
    for path in sorted(source.rglob("*.md")):
        name = path.relative_to(source)
        others = {"node_modules", "site-packages", "var"} & set(name.parts)
        hidden = any(part[0] == "." for part in name.parts)
        if not others and not hidden and not name.parts[0].startswith("coffer-"):
            pages[str(name)] = Page(path)
    return pages


def wide_lines(page):
    """Yield the lines that are wider than a reader's window and could be broken."""
    for number, line in enumerate(page.lines):
        breaks = len(line.split()) > 1 and line.lstrip()[0] != "\\"  # as psql's \copy
        if len(line) > COLUMNS and breaks and number not in page.free:
            yield number + 1, f"{len(line)} columns, at most {COLUMNS}"


def long_sentences(page):
    """Yield what makes the sentences of a page too long."""
    sentences = page.sentences()
    if not sentences:
        return
    mean = sum(words for _, words, _ in sentences) / len(sentences)
    if mean > MEAN:
        yield 1, f"a sentence has {mean:.1f} words on average, at most {MEAN}"
    long = [sentence for sentence in sentences if sentence[1] > LONG]
    if len(long) > LONG_SHARE * len(sentences):
        share = 100 * len(long) / len(sentences)
        yield 1, f"{share:.1f} % of the sentences are long, at most {100 * LONG_SHARE:g} %"
        for line, words, text in long:
            yield line, f"{words} words: {text[:60]}..."


def replaced_words(name, page):
    """Yield the terms that the glossary has replaced."""
    for line, _, text in page.prose + page.cells:
        for pattern, word in REPLACED.items():
            for match in re.finditer(rf"\b({pattern})\b", text):
                if (name, match[0]) not in OTHER_THINGS:
                    yield line, f'"{match[0]}": the glossary has "{word}"'


def broken_links(source, name, pages):
    """Yield the links to what is not there."""
    for line, target in pages[name].links:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (source / name).parent / path if path else source / name
        if not there.exists():
            yield line, f"{target}: no such file"
        elif anchor:
            linked = pages.get(str(there.resolve().relative_to(source)))
            if linked is None or anchor not in linked.anchors:
                yield line, f"{target}: no such heading"


def missing_names(source, page, sql):
    """Yield the files and SQL objects that a page names and that are not there."""
    for line, code in page.codes:
        if re.fullmatch(NAMED_FILE, code) and not (source / code).exists():
            yield line, f"{code}: no such file"
        elif (named := re.fullmatch(NAMED_OBJECT, code)) and not re.search(rf"\b{named[1]}\b", sql):
            yield line, f"{named[1]}: not in sql/ nor migrations/"


def main():
    """Check all pages, or measure them."""
    source = Path(sys.argv[1]).resolve()
    pages = documents(source)
    if "--measure" in sys.argv:
        for name, page in pages.items():
            words = [words for _, words, _ in page.sentences()]
            long = sum(count > LONG for count in words)
            print(
                f"{name:24} {len(words):4} sentences  {sum(words) / len(words):5.1f} words"
                f"  {100 * long / len(words):4.1f} % long"
            )
        return 0
    files = [*source.glob("sql/**/*.sql"), *source.glob("migrations/*.sql")]
    sql = "".join(path.read_text() for path in files)
    faults = []
    for name, page in pages.items():
        found = list(broken_links(source, name, pages))
        found += wide_lines(page)
        found += long_sentences(page)
        found += replaced_words(name, page)
        found += missing_names(source, page, sql)
        faults += [(name, line, what) for line, what in found]
    for name, line, what in sorted(faults):
        print(f"{name}:{line}: {what}")
    return 1 if faults else 0


sys.exit(main())
