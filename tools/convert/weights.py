"""Stores the weights of a graph in fewer bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Smaller weights are not worth a scale of their own.
LEAST_NUMBERS = 1024


def _quantised(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 with one scale for each index of `axis`."""
    others = tuple(i for i in range(array.ndim) if i != axis)
    scale = np.maximum(np.abs(array).max(axis=others), 1e-12) / 127
    shape = [-1 if i == axis else 1 for i in range(array.ndim)]
    return np.clip(np.rint(array / scale.reshape(shape)), -127, 127).astype(np.int8), scale.astype(np.float32)


def _axes(graph: onnx.GraphProto) -> dict[str, int]:
    """Weights that can be stored as int8, with the axis of their scales: columns of matrices, rows of embeddings."""
    sizes = {tensor.name: list(tensor.dims) for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
    axes: dict[str, int] = {}
    refused: set[str] = set()
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name not in sizes or len(sizes[name]) != 2 or np.prod(sizes[name]) < LEAST_NUMBERS:
                continue
            if node.op_type == "Gather" and position == 0:
                axis = 0
            elif node.op_type == "MatMul" and position == 1:
                axis = 1
            elif node.op_type == "Gemm" and position == 1:
                axis = 0 if any(item.name == "transB" and item.i for item in node.attribute) else 1
            elif node.op_type == "Transpose" and position == 0:
                axis = 0
            else:
                refused.add(name)
                continue
            if axes.setdefault(name, axis) != axis:
                refused.add(name)
    return {name: axis for name, axis in axes.items() if name not in refused}


def weight_only_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Large weights as int8, turned into float32 by DequantizeLinear when the graph is opened."""
    quantised = onnx.ModelProto()
    quantised.CopyFrom(model)
    graph = quantised.graph
    axes = _axes(graph)
    kept, first = [], []
    for tensor in graph.initializer:
        if tensor.name not in axes:
            kept.append(tensor)
            continue
        values, scales = _quantised(numpy_helper.to_array(tensor), axes[tensor.name])
        name = tensor.name
        kept += [numpy_helper.from_array(values, f"{name}_q"), numpy_helper.from_array(scales, f"{name}_s")]
        first.append(helper.make_node("DequantizeLinear", [f"{name}_q", f"{name}_s"], [name], axis=axes[name]))
    nodes = [*first, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return quantised


def dynamic_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same weights, and MatMul in int8: activations are quantised over the whole call, so one text per call."""
    dynamic = weight_only_int8(model)
    graph = dynamic.graph
    stored = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    matrices = {
        node.input[1]
        for node in graph.node
        if node.op_type == "MatMul" and node.input[1] in stored and stored[node.input[1]].attribute[0].i == 1
    }
    shared = {name for node in graph.node if node.op_type != "MatMul" for name in node.input}
    matrices -= shared
    nodes: list[onnx.NodeProto] = []
    done: set[str] = set()
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.output[0] in matrices:
            continue
        if node.op_type != "MatMul" or node.input[1] not in matrices:
            nodes.append(node)
            continue
        activation, weight = node.input
        if activation not in done:
            done.add(activation)
            nodes.append(helper.make_node("DynamicQuantizeLinear", [activation], [f"{activation}_{x}" for x in ("u8", "us", "uz")]))
        out = node.output[0]
        nodes += [
            helper.make_node("MatMulInteger", [f"{activation}_u8", f"{weight}_q", f"{activation}_uz"], [f"{out}_i32"]),
            helper.make_node("Cast", [f"{out}_i32"], [f"{out}_f32"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{activation}_us", f"{weight}_s"], [f"{out}_scale"]),
            helper.make_node("Mul", [f"{out}_f32", f"{out}_scale"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
    return dynamic


def half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights and activations in float16; inputs stay integers, the output is float16."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return convert_float_to_float16(copy, keep_io_types=False)


def four_bits(model: onnx.ModelProto, block: int = 32) -> onnx.ModelProto:
    """Matrices in 4 bits by blocks (MatMulNBits of onnxruntime)."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    quantizer = MatMulNBitsQuantizer(copy, bits=4, block_size=block, is_symmetric=True)
    quantizer.process()
    return quantizer.model.model


def save_with_weights(graphs: dict[str, onnx.ModelProto], folder: Path, weights: str | None) -> None:
    """Writes graphs; with `weights`, their large tensors go into one file of that name that they share."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[tuple[str, bytes], tuple[int, int]] = {}
    data = bytearray()
    for name, original in graphs.items():
        graph = onnx.ModelProto()
        graph.CopyFrom(original)
        if weights is not None:
            for tensor in graph.graph.initializer:
                raw = numpy_helper.to_array(tensor).tobytes()
                if len(raw) < LEAST_NUMBERS:
                    continue
                key = (tensor.name, raw)
                if key not in written:
                    written[key] = (len(data), len(raw))
                    data += raw
                    data += b"\0" * (-len(data) % 64)
                offset, length = written[key]
                for field in ("raw_data", "float_data", "int32_data", "int64_data"):
                    tensor.ClearField(field)
                tensor.data_location = TensorProto.EXTERNAL
                del tensor.external_data[:]
                for key_, value in (("location", weights), ("offset", str(offset)), ("length", str(length))):
                    tensor.external_data.add(key=key_, value=value)
        (folder / name).write_bytes(graph.SerializeToString())
    if weights is not None:
        (folder / weights).write_bytes(bytes(data))
