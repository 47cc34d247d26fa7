/** Least squares with a little weight on small changes: the normal equations, by Cholesky. */

/** Solves (A^T A + ridge) c = A^T b for c, with A given by its rows. */
export function ridge(
  rows: ArrayLike<number>[],
  b: ArrayLike<number>,
  weight: number,
): Float64Array {
  const n = rows[0].length;
  const normal = Array.from({ length: n }, () => new Float64Array(n));
  const right = new Float64Array(n);
  rows.forEach((row, at) => {
    for (let i = 0; i < n; i++) {
      if (row[i] === 0) continue;
      right[i] += row[i] * b[at];
      for (let j = 0; j <= i; j++) normal[i][j] += row[i] * row[j];
    }
  });
  for (let i = 0; i < n; i++) normal[i][i] += weight;
  return solve(normal, right);
}

/** Solves with the lower half of a positive definite matrix, which becomes its Cholesky factor. */
function solve(lower: Float64Array[], x: Float64Array): Float64Array {
  factor(lower, Number.MIN_VALUE);
  return substitute(lower, x);
}

/**
 * Turns the lower half of a positive definite matrix into its Cholesky factor, row by row.
 *
 * @param least What a pivot is at least; without it a matrix that is not positive definite is left
 *   half done, and the answer is false.
 */
export function factor(lower: Float64Array[], least = 0): boolean {
  for (let i = 0; i < lower.length; i++) {
    const row = lower[i];
    for (let j = 0; j <= i; j++) {
      const other = lower[j];
      let sum = row[j];
      for (let k = 0; k < j; k++) sum -= row[k] * other[k];
      if (j < i) row[j] = sum / other[j];
      else if (sum > least) row[i] = Math.sqrt(sum);
      else if (least > 0) row[i] = Math.sqrt(least);
      else return false;
    }
  }
  return true;
}

/** Solves with a Cholesky factor, in place. */
export function substitute(lower: Float64Array[], x: Float64Array): Float64Array {
  const n = x.length;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= lower[i][k] * x[k];
    x[i] /= lower[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= lower[k][i] * x[k];
    x[i] /= lower[i][i];
  }
  return x;
}
