"""The formulas of the notebooks as MathML, which browsers draw without a script."""

import re
from html import escape

LETTERS = {
    "alpha": "\u03b1", "lambda": "\u03bb", "mu": "\u03bc", "pi": "\u03c0",
    "phi": "\u03d5", "varphi": "\u03c6", "Phi": "\u03a6", "sigma": "\u03c3", "psi": "\u03c8",
}  # fmt: skip
SIGNS = {
    "cdot": "\u22c5", "sum": "\u2211", "partial": "\u2202", "circ": "\u2218", "approx": "\u2248",
    "le": "\u2264", "ge": "\u2265", "times": "\u00d7", "to": "\u2192", "pm": "\u00b1",
    "ldots": "\u2026",
}  # fmt: skip
SPACES = {",": "0.17em", ";": "0.28em", " ": "0.25em", "quad": "1em", "qquad": "2em"}
WORDS = {"sin", "cos", "exp", "log", "max", "min", "tanh"}
SIZES = {"left", "right", "Big", "big", "bigl", "bigr"}

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\u00a0|\s+|[0-9]+(?:\.[0-9]+)?|.", re.DOTALL)


def mathml(tex: str, *, is_block: bool = False) -> str:
    r"""Return a formula, in the part of TeX that the course uses, as MathML.

    Raises
    ------
    ValueError
        If it has a command that is not known here.

    Examples
    --------
    >>> mathml(r"x^2")
    '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    worded = re.sub(
        r"(\\(?:text|mathrm)\{)([^}]*)", lambda m: m[1] + re.sub(r"\s+", "\u00a0", m[2]), tex
    )
    tokens = [token for token in TOKEN.findall(worded) if token == "\u00a0" or not token.isspace()]
    made = "".join(_Reader(tokens).row())
    opening = '<math display="block">' if is_block else "<math>"
    return f"{opening}{made}</math>"


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0
        self._is_large = False

    def row(self, end: str = "") -> list[str]:
        """Return parts up to ``end``, which is taken too."""
        parts: list[str] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token == end:
                self._at += 1
                return parts
            if token in ("^", "_", "'"):
                parts.append(self._scripts(parts.pop() if parts else "<mrow></mrow>"))
            else:
                parts.append(self._atom())
        return parts

    def _scripts(self, base: str) -> str:
        scripts = {"^": "", "_": ""}
        while self._at < len(self._tokens) and self._tokens[self._at] in ("^", "_", "'"):
            mark = self._tokens[self._at]
            self._at += 1
            if mark == "'":
                scripts["^"] += "<mo>\u2032</mo>"
            else:
                scripts[mark] += self._atom()
        up, down = (f"<mrow>{s}</mrow>" if s.count("</") > 1 else s for s in scripts.values())
        over = "\u2211" in base
        if up and down:
            tag = "munderover" if over else "msubsup"
            return f"<{tag}>{base}{down}{up}</{tag}>"
        tag = ("mover" if over else "msup") if up else ("munder" if over else "msub")
        return f"<{tag}>{base}{up or down}</{tag}>"

    def _atom(self) -> str:
        token = self._tokens[self._at]
        self._at += 1
        if token == "{":
            return f"<mrow>{''.join(self.row('}'))}</mrow>"
        if token.startswith("\\"):
            return self._command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{escape(token)}</mi>"
        sign = escape(token.replace("-", "\u2212"))
        grows = self._is_large or token not in "()[]|"
        self._is_large = False
        return f"<mo>{sign}</mo>" if grows else f'<mo stretchy="false">{sign}</mo>'

    def _command(self, name: str) -> str:
        if name in LETTERS:
            return f"<mi>{LETTERS[name]}</mi>"
        if name in SIGNS:
            return f"<mo>{SIGNS[name]}</mo>"
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}"></mspace>'
        if name in WORDS:
            return f"<mi>{name}</mi>"
        if name in SIZES:
            self._is_large = True
            return self._atom()
        if name in ("frac", "tfrac"):
            above, below = self._short(), self._short()
            return f"<mfrac>{above}{below}</mfrac>"
        if name == "sqrt":
            return f"<msqrt>{self._atom()}</msqrt>"
        if name in ("text", "mathrm", "operatorname"):
            return self._words(name)
        if name in ("{", "}", "|", "%"):
            return f"<mo>{name}</mo>"
        raise ValueError(
            f"\\{name} must be a command known to kanviz.course.formulas; add it there."
        )

    def _short(self) -> str:
        r"""Return the next argument; ``\tfrac12`` has one digit for each."""
        token = self._tokens[self._at]
        if token.isdigit() and len(token) > 1:
            self._tokens[self._at : self._at + 1] = list(token)
        return self._atom()

    def _words(self, name: str) -> str:
        end = self._tokens.index("}", self._at)
        words = self._tokens[self._at + 1 : end]
        self._at = end + 1
        tag = "mi" if name == "operatorname" else "mtext"
        return f"<{tag}>{escape(''.join(words))}</{tag}>"
