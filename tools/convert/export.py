"""Writes a module of graphs.py as an ONNX file."""

from __future__ import annotations

import contextlib
import io
import logging

import onnx
import torch

from graphs import Encoder

OPSET = 18


def export_graph(module: Encoder, output: str, output_dimensions: list[str | int]) -> onnx.ModelProto:
    """Exports with batch and length left open, takes out what only a debugger needs, and checks the result."""
    module.eval()
    open_sizes = {"batch": torch.export.Dim("batch", max=1 << 16), "length": torch.export.Dim("length", min=2, max=1 << 20)}
    inputs = module.examples()
    shapes = tuple(
        {axis: open_sizes.get(size, torch.export.Dim.AUTO) for axis, size in enumerate(sizes) if isinstance(size, str)}
        for _, sizes in inputs.values()
    )
    # The exporter prints its progress; what matters is raised.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            module,
            tuple(example for example, _ in inputs.values()),
            dynamo=True,
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=(shapes,),
            opset_version=OPSET,
            optimize=True,
            verbose=False,
        )
    model = program.model_proto
    _tidy(model)
    _name_dimensions(model, {name: sizes for name, (_, sizes) in inputs.items()} | {output: output_dimensions})
    onnx.checker.check_model(model, full_check=True)
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


def _name_dimensions(model: onnx.ModelProto, sizes: dict[str, list[str | int]]) -> None:
    for tensor in [*model.graph.input, *model.graph.output]:
        shape = tensor.type.tensor_type.shape
        del shape.dim[:]
        for size in sizes[tensor.name]:
            shape.dim.add(**({"dim_value": size} if isinstance(size, int) else {"dim_param": size}))
