/** `count` evenly spaced doubles from `start` to `stop`, both included, rounded as NumPy's `linspace` rounds. */
export function linspace(start: number, stop: number, count: number): Float64Array {
  const values = new Float64Array(count);
  const step = (stop - start) / (count - 1);
  for (let i = 0; i < count; i++) values[i] = i * step + start;
  if (count > 1) values[count - 1] = stop;
  else if (count === 1) values[0] = start;
  return values;
}
