"""Exponentials with their factor in the exponent, where it is so large or small that it hurts.

sympy makes k exp(a x) of exp(a x + b) with decimal b. For x in thousands, years for instance, k
leaves the range of floating-point numbers although the exponential itself stays near 1.
"""

import sympy

COMPUTED = 30.0
"""Largest |log k| of a factor that is computed as it stands; float32 has numbers to 88."""

PRINTED = 200.0
"""Largest |log k| of a factor that is printed as it stands; it can be read back."""


def gathered(expression: sympy.Expr, most: float) -> sympy.Expr:
    """Return the expression with k exp(u) as exp(u + log k) wherever |log k| is above ``most``.

    The new exponents are wrapped in ``UnevaluatedExpr``, so that sympy leaves them as they are.
    """
    if not expression.has(sympy.exp):
        return expression
    return expression.replace(lambda part: _size(part) > most, _into_exponent)


def _size(part: sympy.Basic) -> float:
    """Return |log k| for k exp(u) times anything; 0 for other expressions."""
    if not part.is_Mul or not any(isinstance(factor, sympy.exp) for factor in part.args):
        return 0.0
    return float(abs(sympy.log(abs(part.as_coeff_Mul()[0]))))


def _into_exponent(product: sympy.Mul) -> sympy.Expr:
    factor, _ = product.as_coeff_Mul()
    exponential = next(part for part in product.args if isinstance(part, sympy.exp))
    # Not by dividing: for sympy exp(u) / exp(u) need not be 1 where u has decimals.
    rest = [part for part in product.args if part not in (factor, exponential)]
    exponent = exponential.args[0] + sympy.log(abs(sympy.Float(factor)))
    return sympy.Mul(sympy.sign(factor), sympy.exp(sympy.UnevaluatedExpr(exponent)), *rest)
