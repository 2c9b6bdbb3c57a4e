"""numpy.load reads every .npy file: shape, dtype, finite values, unit length, and the same bits as in the points."""

from finished_run import check, require, run_from_arguments

(np,) = require("numpy")

run = run_from_arguments()
matrices = {}
for space in run.dense:
    matrix = np.load(run.directory / space["embeddings"], mmap_mode="r", allow_pickle=False)
    name = space["name"]
    check(matrix.dtype == np.dtype("<f4"), f"{name} has dtype {matrix.dtype} instead of <f4")
    check(matrix.shape == (run.count, space["dimension"]), f"{name} has shape {matrix.shape}")
    check(matrix.flags.c_contiguous, f"{name} is not in C order")
    check(bool(np.isfinite(matrix).all()), f"{name} holds values that are not finite")
    norms = np.linalg.norm(matrix.astype(np.float64), axis=1)
    check(bool((np.abs(norms - 1) < 1e-5).all()), f"{name} holds vectors that are not of unit length")
    matrices[name] = matrix
    print(f"ok: {space['embeddings']} {matrix.shape} {matrix.dtype}, norms {norms.min():.8f} to {norms.max():.8f}")

rows = 0
for point in run.points():
    for name, matrix in matrices.items():
        same = np.array_equal(np.asarray(point["vector"][name], dtype=np.float32), matrix[rows])
        check(same, f"row {rows} of {name} differs from the point {point['id']}")
    rows += 1
check(rows == run.count, f"{rows} points, but {run.count} chunks")
print(f"ok: {rows} rows have the same bits in the .npy files and in {run.path('qdrant.jsonl').name}")
