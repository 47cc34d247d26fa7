"""Measures a network in training in the user's units."""

from dataclasses import dataclass

import torch
from torch import Tensor

from kanviz.data import Dataset
from kanviz.nn import Network
from kanviz.training.errors import Errors
from kanviz.training.task import LOSS_FUNCTIONS, Loss


@dataclass(frozen=True, eq=False)
class Gauge:
    """Measures a network in training on all data; ``loss`` is what it is trained with."""

    data: Dataset
    loss: Loss

    @torch.no_grad()
    def measure(self, network: Network, loss: float) -> Errors:
        """Return the errors of a network whose training loss is known.

        Parameters
        ----------
        network : Network
            In any dtype.
        loss : float
            Its training loss in the network's units; where one factor leads from there to the
            user's units, the training data are not computed again.
        """
        data, x_test, y_test = self.data, self.data.x_test, self.data.y_test
        if self.loss is not LOSS_FUNCTIONS["mse"]:
            test = None if x_test is None else float(self._loss(network, x_test, y_test))
            return Errors("loss", loss, test)
        scales = data.y_scaling.scale
        if bool((scales == scales[0]).all()):
            train = loss**0.5 * float(scales[0])
        else:
            train = self._rmse(network, data.x, data.y)
        return Errors(
            "RMSE", train, None if x_test is None else self._rmse(network, x_test, y_test)
        )

    def _loss(self, network: Network, x: Tensor, y: Tensor | None) -> Tensor:
        like = network.layers[0].weight
        assert y is not None  # a data set has both parts or neither
        return self.loss(network(x.to(like)), y.to(like) if y.is_floating_point() else y)

    def _rmse(self, network: Network, x: Tensor, y: Tensor | None) -> float:
        like = network.layers[0].weight
        assert y is not None
        left = (network(x.to(like)) - y.to(like)) * self.data.y_scaling.scale.to(like)
        return float(left.square().mean().sqrt())
