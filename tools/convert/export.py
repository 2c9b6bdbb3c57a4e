"""Writes a module of graphs.py as an ONNX file."""

from __future__ import annotations

import contextlib
import io
import logging
from pathlib import Path

import onnx
import torch

from graphs import Encoder

OPSET = 18


def export_graph(module: Encoder, path: Path, output: str, output_dimensions: list[str | int]) -> onnx.ModelProto:
    """Exports with batch and length left open, takes out what only a debugger needs, and checks the result."""
    module.eval()
    example = {name: torch.ones((2, 7), dtype=torch.int64) for name in module.inputs}
    batch, length = torch.export.Dim("batch", max=1 << 16), torch.export.Dim("length", min=2, max=1 << 20)
    shapes = tuple({0: batch, 1: length} for _ in module.inputs)
    # The exporter prints its progress; what matters is raised.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            module,
            tuple(example.values()),
            dynamo=True,
            input_names=module.inputs,
            output_names=[output],
            dynamic_shapes=(shapes,),
            opset_version=OPSET,
            optimize=True,
            verbose=False,
        )
    model = program.model_proto
    _tidy(model)
    _name_dimensions(model, output_dimensions)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return model


def _tidy(model: onnx.ModelProto) -> None:
    """Takes out stack traces and notes of the exporter: most of the size of a small graph."""
    graph = model.graph
    for part in [model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output]:
        part.doc_string = ""
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
    del graph.value_info[:]
    del model.functions[:]


def _name_dimensions(model: onnx.ModelProto, output_dimensions: list[str | int]) -> None:
    for tensor, names in [*((entry, ["batch", "length"]) for entry in model.graph.input), (model.graph.output[0], output_dimensions)]:
        shape = tensor.type.tensor_type.shape
        del shape.dim[:]
        for name in names:
            shape.dim.add(**({"dim_value": name} if isinstance(name, int) else {"dim_param": name}))
