"""Write ``pykan_layer.json``: a layer of pykan 0.2.8, and what it gives.

Run it as a script. It needs pykan, which the tests do not.
"""

import json
from pathlib import Path

import torch

FILE = Path(__file__).parent / "pykan_layer.json"


def main() -> None:
    """Make a layer with knots that were moved to data, and write all that its functions are."""
    from kan.KANLayer import KANLayer

    generator = torch.Generator().manual_seed(0)
    torch.set_default_dtype(torch.float64)
    layer = KANLayer(2, 2, num=4, k=3)
    with torch.no_grad():
        for weight in (layer.coef, layer.scale_base, layer.scale_sp):
            weight.normal_(generator=generator)
        layer.update_grid_from_samples(torch.rand(500, 2, generator=generator) ** 2)
        low, high = layer.grid[:, 3], layer.grid[:, -4]
        x = low + (high - low) * torch.rand(8, 2, generator=generator)
        arrays = {"grid": layer.grid, "coef": layer.coef, "mask": layer.mask, "x": x}
        arrays |= {"scale_base": layer.scale_base, "scale_sp": layer.scale_sp, "y": layer(x)[0]}
    FILE.write_text(json.dumps({name: value.tolist() for name, value in arrays.items()}) + "\n")


if __name__ == "__main__":
    main()
