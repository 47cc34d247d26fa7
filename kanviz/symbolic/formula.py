import sympy
def rounded(e,n): return e
