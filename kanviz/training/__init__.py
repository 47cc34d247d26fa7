"""Learning: fits a network to data. Knows nothing of files, history or pictures."""

from kanviz.training.fit import fit
from kanviz.training.report import FitReport, Progress
from kanviz.training.sparsity import Sparsity
from kanviz.training.task import FitOptions
from kanviz.training.warmup import warmup

__all__ = ["FitOptions", "FitReport", "Progress", "Sparsity", "fit", "warmup"]
