"""Code that the tests run in notebooks."""

IMPORTS = "import threading, torch, kanviz as kv"

START = f"""{IMPORTS}
data = kv.from_function(
    lambda x: (torch.pi * x[:, 0]).sin() + x[:, 1] ** 2, [(-1, 1)] * 2, dtype=torch.float64
)
model = kv.KAN([2, 3, 1], seed=0, dtype=torch.float64)
explorer = model.explore(data)
"""

SHOW = "explorer"

LOGGED = f"""{START}
asked, answer = [], explorer._desk.answer
def log(message):
    asked.append(message["type"])
    return answer(message)
explorer._desk.answer = log
"""
"""As START, and ``asked`` lists what Python was asked, in order."""

COEFFICIENT = "float(model.network.layers[0].weight[0, 3, 0])"
"""The height of control point 3 of edge (0, 0, 0)."""

THREADS = "[t.name for t in threading.enumerate() if t.name.startswith('kanviz')]"
