"""CPU kernels of second moments: of features and of edges, and backward.

Four groups: edges seen one by one (``edge_*``), all features (``feature_*``), the active features
in groups of samples (``*_active_*``), and what follows from moments for edges and nodes. Those of
edges and of all features work on a block of samples in a row, as ``dense`` does. Moments are
float64, which x and the weight need not be.
"""

import numpy as np

from kanviz.nn.kernels.basis import ZERO, read_settings
from kanviz.nn.kernels.dense import add_dots, write_features, write_products
from kanviz.nn.kernels.jit import kernel
from kanviz.nn.kernels.plan import VARIANCE_BLOCK, Array


@kernel
def edge_moments(
    start: int,
    stop: int,
    x: Array,
    knots: Array,
    weight: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    scratch: Array,
    features: Array,
    y: Array,
    mean: Array,
    square: Array,
) -> None:
    """Evaluate samples ``start`` to ``stop``, at least one, and write the moments of each edge.

    Parameters
    ----------
    x, knots, weight, numbers, tables, base, y
        As in the kernels of ``dense``.
    scratch : (scratch_rows + 1, VARIANCE_BLOCK)
        Is overwritten; each thread has its own.
    features : (inputs * width, samples) or nothing
        Gets all features.
    mean, square : (inputs, outputs) float64
        Get mean and sum of squared distances from it, in double precision because an edge may be
        almost constant; 0 before.
    """
    s = read_settings(numbers)
    z = scratch[s.first_feature + s.width]
    for begin in range(start, stop, VARIANCE_BLOCK):
        n = min(VARIANCE_BLOCK, stop - begin)
        for i in range(x.shape[0]):
            rows, first, place = scratch, s.first_feature, ZERO
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            here = x[i, begin : begin + n]
            write_features(here, knots[i], s, tables, base, scratch, rows, first, place)
            for j in range(y.shape[0]):
                write_products(n, j, rows, first, place, weight[i], z[:n])
                out = y[j, begin : begin + n]
                if i == 0:
                    for e in range(n):
                        out[e] = z[e]
                else:
                    for e in range(n):
                        out[e] += z[e]
                _add_moments(n, begin - start, z, i, j, mean, square)


@kernel
def _add_moments(n: int, before: int, z: Array, i: int, j: int, mean: Array, square: Array) -> None:
    """Add numbers to the moments of those before before (Chan, Golub, LeVeque, 1979, eq. 2.1)."""
    origin, total, squares = z[0], 0.0, 0.0
    for e in range(n):
        far = np.float64(z[e] - origin)
        total += far
        squares += far * far
    step = origin + total / n - mean[i, j]
    mean[i, j] += step * n / (before + n)
    square[i, j] += squares - total * total / n + step * step * (n * before / (before + n))


@kernel
def edge_backward(
    start: int,
    stop: int,
    x: Array,
    knots: Array,
    weight: Array,
    g: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    next_numbers: Array,
    next_tables: Array,
    next_base: Array,
    scratch: Array,
    features: Array,
    mean: Array,
    gain: Array,
    h: Array,
    out: Array,
) -> None:
    """Add the gradient in the weight, and write that in x, of what depends on y and the variances.

    Parameters
    ----------
    start, stop, x, knots, weight, numbers, tables, base
        See ``edge_moments``; the ``next`` ones are of the first derivative.
    g : (outputs, samples)
        Gradient in y.
    scratch : (scratch_rows + outputs + 1, VARIANCE_BLOCK)
        Is overwritten; each thread has its own.
    features : (inputs * width, samples) or nothing
        The features, where they are made already.
    mean, gain : (inputs, outputs) of the type of x
        Means of the edges; the gradient in an edge is g plus gain times its distance from its mean.
    h : (inputs, width, outputs)
        The gradient in the weight is added.
    out : (inputs, samples) or nothing
        Gets the gradient in x.
    """
    s, s_next = read_settings(numbers), read_settings(next_numbers)
    own, outputs = s.first_feature, g.shape[0]
    for begin in range(start, stop, VARIANCE_BLOCK):
        n = min(VARIANCE_BLOCK, stop - begin)
        end = begin + n
        for i in range(x.shape[0]):
            here = x[i, begin:end]
            rows, first, place = scratch, own, ZERO
            if features.size > 0:
                rows, first, place = features, i * s.width, begin
            else:
                write_features(here, knots[i], s, tables, base, scratch, rows, first, place)
            for j in range(outputs):
                u = scratch[own + s.width + j, :n]
                write_products(n, j, rows, first, place, weight[i], u)
                _turn_to_gradient(g[j, begin:end], mean[i, j], gain[i, j], u)
                add_dots(n, j, rows, first, place, u, h[i])
            if out.size > 0:
                t = knots[i]
                write_features(here, t, s_next, next_tables, next_base, scratch, scratch, own, ZERO)
                _write_edge_grad_input(n, weight[i], scratch, own, out[i, begin:end])


@kernel
def _turn_to_gradient(g: Array, mean: float, gain: float, u: Array) -> None:
    """Turn the values of an edge into the gradient in them."""
    for e in range(g.size):
        u[e] = g[e] + gain * (u[e] - mean)


@kernel
def _write_edge_grad_input(n: int, weight: Array, scratch: Array, own: int, out: Array) -> None:
    """Write derivatives of features times weight times the gradients in the edges.

    In ``scratch`` the derivatives begin at row ``own``, the gradients follow them.
    """
    width, outputs = weight.shape
    line = scratch[own + width + outputs, :n]
    for j in range(outputs):
        u = scratch[own + width + j]
        write_products(n, j, scratch, own, ZERO, weight, line)
        if j == 0:
            for e in range(n):
                out[e] = u[e] * line[e]
        else:
            for e in range(n):
                out[e] += u[e] * line[e]


@kernel
def feature_moments(
    start: int,
    stop: int,
    x: Array,
    knots: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    scratch: Array,
    wide: Array,
    features: Array,
    mean: Array,
    square: Array,
) -> None:
    """Write the moments of the features of samples ``start`` to ``stop``, at least one.

    Parameters
    ----------
    x, knots, numbers, tables, base
        As in the kernels of ``dense``.
    scratch : (scratch_rows, VARIANCE_BLOCK)
        Is overwritten; each thread has its own.
    wide : (width + 1, VARIANCE_BLOCK) float64
        Is overwritten.
    features : (inputs * width, samples) or nothing
        The features, where they are made already.
    mean : (inputs, width) float64
        Gets the means.
    square : (inputs, width, width) float64
        Gets the sums of products of the distances from the mean; 0 before.
    """
    s = read_settings(numbers)
    sums = wide[s.width]
    for i in range(x.shape[0]):
        # About the first sample: its own distance from the mean is part of the sum of squares, so
        # that the subtraction at the end can cost no more digits than the samples have.
        origin = mean[i]
        for m in range(s.width):
            sums[m] = 0
        for begin in range(start, stop, VARIANCE_BLOCK):
            n = min(VARIANCE_BLOCK, stop - begin)
            rows, first, place = features, i * s.width, begin
            if features.size == 0:
                rows, first, place = scratch, s.first_feature, ZERO
                here = x[i, begin : begin + n]
                write_features(here, knots[i], s, tables, base, scratch, rows, first, place)
            for m in range(s.width):
                row, far, total = rows[first + m, place : place + n], wide[m], 0.0
                origin[m] = row[0] if begin == start else origin[m]
                centre = origin[m]
                for e in range(n):
                    far[e] = row[e] - centre
                    total += far[e]
                sums[m] += total
            _add_squares(n, wide, square[i])
        _recentre_features(stop - start, sums, origin, square[i])


@kernel
def _recentre_features(samples: int, sums: Array, mean: Array, square: Array) -> None:
    """Turn moments about any point, which ``mean`` holds, into those about the mean."""
    for m in range(mean.size):
        step = sums[m] / samples
        mean[m] += step
        for q in range(m + 1):
            square[m, q] -= step * sums[q]
            square[q, m] = square[m, q]


@kernel
def _add_squares(n: int, wide: Array, square: Array) -> None:
    """Add the products of rows, four at a time; above the diagonal what comes along."""
    width = square.shape[0]
    for m in range(width):
        row, fours = wide[m], min(m // 4 * 4 + 4, width - width % 4)
        for q in range(0, fours, 4):
            a, b, c, d = wide[q], wide[q + 1], wide[q + 2], wide[q + 3]
            p, r, s, t = 0.0, 0.0, 0.0, 0.0
            for e in range(n):
                p += row[e] * a[e]
                r += row[e] * b[e]
                s += row[e] * c[e]
                t += row[e] * d[e]
            square[m, q] += p
            square[m, q + 1] += r
            square[m, q + 2] += s
            square[m, q + 3] += t
        for q in range(fours, m + 1):
            a, p = wide[q], 0.0
            for e in range(n):
                p += row[e] * a[e]
            square[m, q] += p


@kernel
def feature_grad_input(
    start: int,
    stop: int,
    x: Array,
    knots: Array,
    numbers: Array,
    tables: Array,
    base: Array,
    next_numbers: Array,
    next_tables: Array,
    next_base: Array,
    scratch: Array,
    features: Array,
    products: Array,
    mean: Array,
    factor: Array,
    out: Array,
) -> None:
    """Write the gradient in x of what depends on y and on the moments.

    Parameters
    ----------
    start, stop, x, knots, numbers, tables, base, features
        See ``feature_moments``; the ``next`` ones are of the first derivative.
    scratch : (scratch_rows + width + 1, VARIANCE_BLOCK)
        Is overwritten; each thread has its own.
    products : (inputs * width, samples)
        Weight times the gradient in y.
    mean : (inputs, width) float64
        Means of the features.
    factor : (inputs, width, width) of the type of x
        The gradient in a feature through the moments is ``factor`` times the features' distances
        from their mean.
    out : (inputs, samples)
        Gets the gradient.
    """
    s, s_next = read_settings(numbers), read_settings(next_numbers)
    own = s.first_feature
    for begin in range(start, stop, VARIANCE_BLOCK):
        n = min(VARIANCE_BLOCK, stop - begin)
        end = begin + n
        for i in range(x.shape[0]):
            here, t = x[i, begin:end], knots[i]
            if features.size == 0:
                write_features(here, t, s, tables, base, scratch, scratch, own, ZERO)
            for m in range(s.width):
                centre, far = scratch.dtype.type(mean[i, m]), scratch[own + m]
                rows, at, place = scratch, own + m, ZERO
                if features.size > 0:
                    rows, at, place = features, i * s.width + m, begin
                row = rows[at, place : place + n]
                for e in range(n):
                    far[e] = row[e] - centre
            top, row_out = own + s.width, out[i, begin:end]
            write_features(here, t, s_next, next_tables, next_base, scratch, scratch, top, ZERO)
            _write_feature_grad_input(n, i, begin, factor[i], scratch, own, products, row_out)


@kernel
def _write_feature_grad_input(
    n: int,
    i: int,
    begin: int,
    factor: Array,
    scratch: Array,
    own: int,
    products: Array,
    out: Array,
) -> None:
    """Write the gradient from centred features, from row ``own`` on, and their derivatives."""
    width = factor.shape[0]
    line = scratch[own + 2 * width]
    for m in range(width):
        _write_sum_of_rows(n, factor[m], own, scratch, line)
        a, c = scratch[own + width + m], products[i * width + m, begin : begin + n]
        if m == 0:
            for e in range(n):
                out[e] = a[e] * (line[e] + c[e])
        else:
            for e in range(n):
                out[e] += a[e] * (line[e] + c[e])


@kernel
def _write_sum_of_rows(n: int, factor: Array, first: int, rows: Array, out: Array) -> None:
    """Write the sum of factors times rows, four at a time."""
    width = factor.size
    fours = width - width % 4
    for e in range(n if fours == 0 else 0):
        out[e] = 0
    for q in range(0, fours, 4):
        a, b, c, d = rows[first + q], rows[first + q + 1], rows[first + q + 2], rows[first + q + 3]
        p, r, s, t = factor[q], factor[q + 1], factor[q + 2], factor[q + 3]
        if q == 0:
            for e in range(n):
                out[e] = (a[e] * p + b[e] * r) + (c[e] * s + d[e] * t)
        else:
            for e in range(n):
                out[e] += (a[e] * p + b[e] * r) + (c[e] * s + d[e] * t)
    for q in range(fours, width):
        a, p = rows[first + q], factor[q]
        for e in range(n):
            out[e] += a[e] * p


# The samples of an input are told apart by the first of their active features, which makes groups.
# Within a group the same ``rows`` features are active, so that its moments are small; the variance
# of an edge is that within its groups and that between them.


@kernel
def add_active_moments(
    width: int, offset: Array, values: Array, count: Array, mean: Array, sums: Array, square: Array
) -> None:
    """Add the active features of a chunk to the moments about the first sample of each group.

    Parameters
    ----------
    width : int
        Number of all features of an input.
    offset, values
        See ``sparse``.
    count : (inputs, groups) float64
        Samples of each group so far.
    mean, sums : (inputs, groups, rows) float64
        The first sample, and the sum of the distances from it.
    square : (inputs, groups, rows, rows) float64
        The sum of their products, on and below the diagonal.
    """
    samples, inputs = offset.shape
    rows = values.shape[0]
    for b in range(samples):
        for i in range(inputs):
            group = offset[b, i] - i * width
            first, total, part = mean[i, group], sums[i, group], square[i, group]
            if count[i, group] == 0:
                for r in range(rows):
                    first[r] = values[r, b, i]
            count[i, group] += 1
            for r in range(rows):
                far = values[r, b, i] - first[r]
                total[r] += far
                for q in range(r + 1):
                    part[r, q] += far * (values[q, b, i] - first[q])


@kernel
def recentre_groups(count: Array, mean: Array, sums: Array, square: Array) -> None:
    """Turn moments about the first sample into moments about the mean."""
    inputs, groups, rows = mean.shape
    for i in range(inputs):
        for group in range(groups):
            n = count[i, group]
            for r in range(rows if n > 0 else 0):
                step = sums[i, group, r] / n
                mean[i, group, r] += step
                for q in range(r + 1):
                    square[i, group, r, q] -= step * sums[i, group, q]
                    square[i, group, q, r] = square[i, group, r, q]


@kernel
def add_active_grad_input(
    width: int,
    offset: Array,
    values: Array,
    slopes: Array,
    mean: Array,
    within: Array,
    between: Array,
    out: Array,
) -> None:
    """Add to ``out`` (samples, inputs) the gradient in x of what depends on the moments.

    ``slopes`` are the derivatives of ``values``. The gradient in an active feature is ``within``
    (inputs, groups, rows, rows) times the features' distances from their mean in the group, plus
    ``between`` (inputs, groups, rows); both float64.
    """
    samples, inputs = offset.shape
    rows = values.shape[0]
    for b in range(samples):
        for i in range(inputs):
            group, total = offset[b, i] - i * width, 0.0
            for r in range(rows):
                inner = between[i, group, r]
                for q in range(rows):
                    inner += within[i, group, r, q] * (values[q, b, i] - mean[i, group, q])
                total += slopes[r, b, i] * inner
            out[b, i] += total


@kernel
def edge_variances(
    has_base: int,
    weight: Array,
    count: Array,
    mean: Array,
    square: Array,
    scratch: Array,
    edges: Array,
) -> None:
    """Write the variances of all edges.

    Parameters
    ----------
    has_base, count, mean, square
        The fields of ``variance.Moments``.
    weight : (inputs, width, outputs)
        Coefficients.
    scratch : (4, outputs)
        Is overwritten.
    edges : (inputs, outputs)
        Gets the variances (divisor n), at least 0.
    """
    inputs, groups, rows = mean.shape
    middle, part, total = scratch[0], scratch[1], scratch[2]
    for i in range(inputs):
        samples = _find_middle(has_base, weight[i], count[i], mean[i], middle)
        for j in range(total.size):
            total[j] = 0
        for group in range(groups):
            n = count[i, group]
            for r in range(rows if n > 0 else 0):
                _write_weighted_sum(group, has_base, weight[i], square[i, group, r], part)
                row = weight[i, _feature(group, r, rows, weight.shape[1], has_base)]
                for j in range(total.size):
                    total[j] += row[j] * part[j]
            if groups > 1 and n > 0:
                _write_weighted_sum(group, has_base, weight[i], mean[i, group], part)
                for j in range(total.size):
                    total[j] += n * (part[j] - middle[j]) ** 2
        for j in range(total.size):
            edges[i, j] = total[j] / samples if not total[j] < 0 else 0.0  # a NaN stays


@kernel
def add_moments_gradient(
    has_base: int,
    weight: Array,
    count: Array,
    mean: Array,
    square: Array,
    factor: Array,
    scratch: Array,
    h: Array,
    within: Array,
    between: Array,
) -> None:
    """Add the gradient of the variances in the weight, write that in the features.

    Parameters
    ----------
    has_base, weight, count, mean, square, scratch
        See ``edge_variances``.
    factor : (inputs, outputs)
        Gradients in the variances.
    h : (inputs, width, outputs)
        Of the type of the weight: the gradient in the weight is added.
    within, between : (inputs, groups, rows, rows), (inputs, groups, rows)
        Get what ``add_active_grad_input`` takes; without elements if that is not wanted. For one
        group the second would be 0 and is left as it is.
    """
    inputs, groups, rows = mean.shape
    middle, apart, gain, part = scratch[0], scratch[1], scratch[2], scratch[3]
    for i in range(inputs):
        samples = _find_middle(has_base, weight[i], count[i], mean[i], middle)
        for j in range(gain.size):
            gain[j] = 2 * factor[i, j] / samples
            apart[j] = 0
        for group in range(groups):
            n = count[i, group]
            if groups > 1 and n > 0:
                _write_weighted_sum(group, has_base, weight[i], mean[i, group], apart)
                for j in range(gain.size):
                    apart[j] -= middle[j]
            for r in range(rows if n > 0 else 0):
                own = _feature(group, r, rows, weight.shape[1], has_base)
                row, out, c = weight[i, own], h[i, own], n * mean[i, group, r]
                _write_weighted_sum(group, has_base, weight[i], square[i, group, r], part)
                for j in range(gain.size):
                    out[j] += gain[j] * (part[j] + c * apart[j])
                if within.size > 0:
                    _write_products_of_weights(
                        r, group, has_base, weight[i], gain, within[i, group]
                    )
                    if groups > 1:
                        between[i, group, r] = _dot(gain, row, apart)


@kernel
def node_moments(y: Array, nodes: Array) -> None:
    """Write means and standard deviations (2, outputs) of the values y (outputs, samples)."""
    outputs, samples = y.shape
    for j in range(outputs):
        row, total, square = y[j], 0.0, 0.0
        for e in range(samples):
            total += row[e]
        mean = total / samples
        for e in range(samples):
            square += (row[e] - mean) ** 2
        nodes[0, j] = mean
        nodes[1, j] = (square / samples) ** 0.5


@kernel
def add_node_gradient(y: Array, nodes: Array, factor: Array, g: Array) -> None:
    """Add to g (outputs, samples) ``factor`` times the gradient of the standard deviations."""
    outputs, samples = y.shape
    for j in range(outputs):
        centre, deviation, row, out = nodes[0, j], nodes[1, j], y[j], g[j]
        gain = factor[j] / (deviation * samples) if deviation > 0 else 0.0
        for e in range(samples):
            out[e] += gain * (row[e] - centre)


@kernel
def _feature(group: int, r: int, rows: int, width: int, has_base: int) -> int:
    return width - 1 if has_base == 1 and r == rows - 1 else group + r


@kernel
def _write_weighted_sum(
    group: int, has_base: int, weight: Array, factor: Array, out: Array
) -> None:
    """Write the sum over active features of factor times weight, for every output."""
    for r in range(factor.size):
        row, c = weight[_feature(group, r, factor.size, weight.shape[0], has_base)], factor[r]
        if r == 0:
            for j in range(out.size):
                out[j] = c * row[j]
        else:
            for j in range(out.size):
                out[j] += c * row[j]


@kernel
def _find_middle(has_base: int, weight: Array, count: Array, mean: Array, middle: Array) -> float:
    """Return the number of samples; write the mean of every edge if there are many groups."""
    samples, rows = 0.0, mean.shape[1]
    for group in range(count.size):
        samples += count[group]
    for j in range(middle.size):
        middle[j] = 0
    for group in range(count.size if count.size > 1 else 0):
        for r in range(rows if count[group] > 0 else 0):
            row = weight[_feature(group, r, rows, weight.shape[0], has_base)]
            c = mean[group, r] * count[group] / samples
            for j in range(middle.size):
                middle[j] += c * row[j]
    return samples


@kernel
def _write_products_of_weights(
    r: int, group: int, has_base: int, weight: Array, gain: Array, out: Array
) -> None:
    """Write row r of the sum over outputs of gain times weight times weight, symmetric."""
    rows, width = out.shape[0], weight.shape[0]
    row = weight[_feature(group, r, rows, width, has_base)]
    for q in range(r + 1):
        product = _dot(gain, row, weight[_feature(group, q, rows, width, has_base)])
        out[r, q] = product
        out[q, r] = product


@kernel
def _dot(gain: Array, a: Array, b: Array) -> float:
    total = 0.0
    for j in range(gain.size):
        total += gain[j] * a[j] * b[j]
    return total
