"""One file per model. Reading one never runs code."""

from kanviz.files.model_file import SavedModel, load, read_model, write_model

__all__ = ["SavedModel", "load", "read_model", "write_model"]
