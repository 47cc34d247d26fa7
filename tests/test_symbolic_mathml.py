import re
import xml.etree.ElementTree as ElementTree

import pytest
import sympy

from kanviz.symbolic import default_library
from kanviz.symbolic.language import WORDS, X
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import TAGS, equations, latex_names, to_mathml


def read(mathml: str) -> ElementTree.Element:
    """Return the tree, after a look at its tags and attributes."""
    root = ElementTree.fromstring(mathml)
    assert root.tag == "math"
    for element in root.iter():
        assert element.tag in TAGS
        assert element.attrib == {}
    return root


def words(mathml: str) -> str:
    return "".join(read(mathml).itertext()).replace("\N{INVISIBLE TIMES}", "*")


@pytest.mark.parametrize("name", list(default_library()))
def test_every_known_function_prints(name: str) -> None:
    function = default_library()[name].expression
    assert words(to_mathml(2.5 * function.xreplace({X: 1.5 * X - 0.3}) - 1e-7))


@pytest.mark.parametrize("word", list(WORDS))
def test_every_word_of_the_language_prints(word: str) -> None:
    assert words(to_mathml(WORDS[word](X)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2*sin(x) + 1", "2*sin(x)+1"),
        ("arcsin(x)", "arcsin(x)"),
        ("J2(x)", "J2(x)"),
        ("relu(x)", "relu(x)"),
        ("1.5e-7*x", "1.5\u00b710-7*x"),
        ("exp(x)", "ex"),
        ("sgn(x)", "sgn(x)"),
    ],
)
def test_formulas_read_as_the_language_has_them(text: str, shown: str) -> None:
    assert words(to_mathml(parse(text))) == shown


@pytest.mark.parametrize(
    "name", ["<img onerror=alert(1)>", "&lt;", "$x$", "a b", "</math><script>", "\u00e9", "alpha"]
)
def test_names_are_text_and_nothing_else(name: str) -> None:
    mathml = to_mathml(2 * sympy.Symbol(name))
    assert words(mathml) == ("2*" if name in ("\u00e9", "alpha") else "2\u00b7") + name
    assert not re.search(r"<(?!/?m)", mathml)


def test_words_and_categories_can_be_told_from_the_numbers_beside_them() -> None:
    steel, temperature = sympy.Symbol("material=steel"), sympy.Symbol("temperature [K]")
    law = 2 * steel * temperature + 3 * sympy.exp(-temperature / 4)
    assert words(to_mathml(law)) == (
        "2\u00b7[material = steel]\u00b7temperature [K]+3*exp(-temperature [K]4)"
    )
    assert r"[\text{material}=\text{steel}]" in latex_names(["material=steel"]).values()
    # No fraction: what falls off is exp(-x), not 1 / exp(x).
    assert "mfrac" not in to_mathml(2 * sympy.exp(-sympy.Symbol("x")))


def test_numbers_of_names_and_splines_are_subscripts() -> None:
    assert "<msub><mi>x</mi><mn>12</mn></msub>" in to_mathml(sympy.Symbol("x_12"))
    spline = sympy.Function("phi_0_1_2")(sympy.Symbol("x_1"))
    assert words(to_mathml(spline)) == "\u03c60,1,2(x1)"


def test_several_outputs_are_rows() -> None:
    root = read(equations(["y", "<b>"], [X, X**2]))
    assert len(root.findall(".//mtr")) == 2
    assert words(equations(["y"], [X])) == "x"


def test_a_part_that_has_no_tag_of_the_list_is_refused() -> None:
    with pytest.raises(TypeError, match="formulas must print as"):
        to_mathml(sympy.Integral(X, (X, 0, 1)))
