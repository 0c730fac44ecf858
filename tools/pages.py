# SPDX-License-Identifier: MIT
#
# Sets what tools/header.py read as man pages (section 9) and as HTML. A page is
# a list of (heading, kind, content); the two writers below know the markup.

import html
import re

SECTION = "9"
KINDS = {"struct", "enum", "union"}
# In the comments: `code`, name(), and what stands for itself.
INLINE = re.compile(r"`([^`]+)`|\b(\w+)\(\)|\b([A-Za-z_]\w*)\b")
STYLE = """body { max-width: 45em; margin: 2em auto; padding: 0 1em;
    font-family: sans-serif; line-height: 1.4; }
pre { background: #eee; padding: 0.7em; overflow-x: auto; }
td { padding: 0 1em 0.3em 0; vertical-align: top; }"""


class Page:
    """What one page is about. `file` is its name without a suffix."""

    def __init__(self, section, group, entries):
        self.section, self.group, self.entries = section, group, entries
        first = entries[0]
        tag = first.kind in KINDS
        self.file = f"{first.kind}_{first.name}" if tag else first.name
        self.title = f"{first.kind} {first.name}" if tag else first.name
        # An index shows what a reader would look for.
        names = [e.name + "()" * (e.kind == "function") for e in entries]
        self.shown = self.title if tag else ", ".join(names)
        # All that the comment is about, for the line under the title.
        kin = group.entries if first.callable else entries
        self.kin = ", ".join(e.name for e in kin) if not tag else self.title

    def names(self):
        """Every word that leads here."""
        for entry in self.entries:
            yield entry.name
            yield from entry.members


def make_pages(section):
    for group in section.groups:
        constants = [e for e in group.entries if e.kind == "constant"]
        for entry in group.entries:
            if entry.kind != "constant":
                yield Page(section, group, [entry])
        if constants:
            yield Page(section, group, constants)


class Book:
    """All pages of a header, and who is mentioned where."""

    def __init__(self, sections):
        self.sections = [(s, list(make_pages(s))) for s in sections]
        self.pages = [p for _, pages in self.sections for p in pages]
        self.where = {}
        for page in self.pages:
            for name in page.names():
                # A function wins over the enum that has its name.
                if name not in self.where or page.entries[0].callable:
                    self.where[name] = page

    def man(self):
        return {p.file: ManPage(self, p).text() for p in self.pages}

    def html(self):
        texts = {p.file: HtmlPage(self, p).text() for p in self.pages}
        texts["index"] = html_index(self.sections)
        return texts

    def see_also(self, page):
        """Pages that the comment names, then the rest of its section."""
        named = [self.where.get(word) for word in
                 re.findall(r"\w+", page.group.text)
                 if word != page.entries[0].name]
        beside = [p for p in self.pages if p.section is page.section]
        seen = {page.file: page}
        for other in named + beside:
            if other:
                seen.setdefault(other.file, other)
        return list(seen.values())[1:]


def synopsis(page):
    """The lines of code of a page's group: all of it that it explains."""
    first = page.entries[0]
    kinds = {first.kind} if not first.callable else {"function", "macro"}
    return [e.text for e in page.group.entries
            if e in page.entries or (first.callable and e.kind in kinds)]


class ManPage:
    """One man page, for groff's man macros."""

    def __init__(self, book, page):
        self.book, self.page = book, page

    def text(self):
        page = self.page
        lines = ['.\\" SPDX-License-Identifier: MIT',
                 f'.TH "{self.escape(page.file)}" {SECTION} "" "Keyhole" '
                 f'"Keyhole: {self.escape(page.section.title)}"',
                 ".nh", ".ad l", ".SH NAME",
                 f"{self.escape(page.kin)} \\- "
                 f"{self.inline(page.group.summary())}",
                 ".SH SYNOPSIS", ".nf", "\\fB#include <keyhole.h>\\fR", ".PP"]
        for code in synopsis(page):
            lines += [self.line(self.escape(c, code=True))
                      for c in code.splitlines()]
        lines.append(".fi")
        for heading, paragraphs in page.group.parts():
            lines.append(f".SH {heading.upper()}")
            lines += [".PP\n" + self.line(self.inline(p)) for p in paragraphs]
        others = [f"\\fB{self.escape(p.file)}\\fR({SECTION})"
                  for p in self.book.see_also(page)]
        if others:
            lines += [".SH SEE ALSO", ",\n".join(others)]
        return "\n".join(lines) + "\n"

    def inline(self, text):
        def mark(match):
            code, call, word = match.groups()
            if code:
                return f"\\fI{self.escape(code, code=True)}\\fR"
            if call:
                return f"\\fB{call}\\fR()"
            return f"\\fB{word}\\fR" if word in self.book.where and (
                word.isupper() or "_" in word) else word
        pieces, at = [], 0
        for match in INLINE.finditer(text):
            pieces += [self.escape(text[at:match.start()]), mark(match)]
            at = match.end()
        return "".join(pieces) + self.escape(text[at:])

    @staticmethod
    def line(text):
        """A dot or an apostrophe at the start would be a request."""
        return "\\&" + text if text[:1] in (".", "'") else text

    @staticmethod
    def escape(text, code=False):
        text = text.replace("\\", "\\e")
        for plain, glyph in (("`", "\\(ga"), ("^", "\\(ha"), ("~", "\\(ti"),
                             ("'", "\\(aq"), ('"', "\\(dq")):
            text = text.replace(plain, glyph)
        # A minus is not a hyphen: -ENOMEM, 2 - 1.
        return re.sub("-" if code else r"(?<![a-z])-", r"\\-", text)


class HtmlPage:
    """One page of HTML."""

    def __init__(self, book, page):
        self.book, self.page = book, page

    def text(self):
        page = self.page
        body = [f"<p><a href=\"index.html\">Keyhole's calls</a>: "
                f"{html.escape(page.section.title)}</p>",
                f"<h1>{html.escape(page.title)}</h1>",
                f"<p>{self.inline(page.group.summary())}</p>",
                "<h2>Synopsis</h2>",
                "<pre>#include &lt;keyhole.h&gt;\n\n"
                + html.escape("\n".join(synopsis(page)), quote=False)
                + "</pre>"]
        for heading, paragraphs in page.group.parts():
            body.append(f"<h2>{heading}</h2>")
            body += [f"<p>{self.inline(p)}</p>" for p in paragraphs]
        others = [link(p) for p in self.book.see_also(page)]
        if others:
            body += ["<h2>See also</h2>", f"<p>{', '.join(others)}</p>"]
        return document(page.title, body)

    def inline(self, text):
        pieces, at = [], 0
        for match in INLINE.finditer(text):
            pieces.append(html.escape(text[at:match.start()], quote=False))
            code, call, word = match.groups()
            at = match.end()
            if code:
                pieces.append(f"<code>{html.escape(code)}</code>")
                continue
            other = self.book.where.get(call or word)
            known = other and (call or word.isupper() or "_" in word)
            shown = f"<code>{match.group()}</code>" if known else match.group()
            if known and other is not self.page:
                shown = f'<a href="{other.file}.html">{shown}</a>'
            pieces.append(shown)
        return "".join(pieces) + html.escape(text[at:], quote=False)


def link(page):
    return f'<a href="{page.file}.html">{html.escape(page.shown)}</a>'


def html_index(sections):
    body = ["<h1>Keyhole's calls</h1>",
            "<p>What <code>keyhole.h</code> declares, in its order.</p>"]
    for section, pages in sections:
        body += [f"<h2>{html.escape(section.title)}</h2>", "<table>"]
        for group in section.groups:
            links = [link(p) for p in pages if p.group is group]
            body.append(f"<tr><td>{', '.join(links)}</td><td>" + html.escape(
                group.summary(), quote=False) + "</td></tr>")
        body.append("</table>")
    return document("Keyhole's calls", body)


def document(title, body):
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>",
        '<meta charset="utf-8">', f"<title>{html.escape(title)}</title>",
        f"<style>\n{STYLE}\n</style>", "</head>", "<body>", *body, "</body>",
        "</html>", ""])
