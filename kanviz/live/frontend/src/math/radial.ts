/** Radial basis functions K(r), each with its slope; see kanviz/nn/rbf.py. */

type Radial = (r: number) => [value: number, slope: number];

const RADIAL: Record<string, Radial> = {
  gaussian: (r) => {
    const value = Math.exp(-r * r);
    return [value, -2 * r * value];
  },
  matern32: (r) => {
    const s = Math.sqrt(3) * Math.abs(r);
    const decay = Math.exp(-s);
    return [(1 + s) * decay, -3 * r * decay];
  },
  matern52: (r) => {
    const s = Math.sqrt(5) * Math.abs(r);
    const decay = Math.exp(-s);
    return [(1 + s + (s * s) / 3) * decay, (-5 / 3) * r * (1 + s) * decay];
  },
  multiquadric: (r) => {
    const value = Math.sqrt(1 + r * r);
    return [value, r / value];
  },
  inverse_multiquadric: (r) => {
    const value = 1 / Math.sqrt(1 + r * r);
    return [value, -r * value ** 3];
  },
  inverse_quadratic: (r) => {
    const value = 1 / (1 + r * r);
    return [value, -2 * r * value * value];
  },
};

/** Returns the radial function called `name`. */
export function radialFunction(name: string): Radial {
  const found = RADIAL[name];
  if (!found) throw new Error(`basis must be known to this page; got "${name}".`);
  return found;
}
