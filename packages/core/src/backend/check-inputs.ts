import { BackendError } from '../errors/backend-error.js';
import type { Component } from './component.js';
import type { DType, Tensor } from './tensor.js';

/** What a session expects of one input. A string is a symbolic dimension: any size, but the same wherever the name stands. */
export interface InputSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/**
 * Checks the tensors given to a session, for implementers of backends: a native runtime's own complaints are hard to read, and some
 * misbehave instead of complaining.
 * @throws {BackendError} naming the input, what was expected and what came.
 */
export function checkInputs(options: {
  backend: string;
  component: Component;
  expected: readonly InputSpec[];
  given: Readonly<Record<string, Tensor>>;
}): void {
  const { backend, component, expected, given } = options;
  const mismatch = (what: string, name: string, received: string): BackendError =>
    new BackendError({
      backend,
      component,
      message: `Expected ${what} for input ${name} but received ${received}`,
    });
  const sizes = new Map<string, number>();
  for (const { name, dtype, shape } of expected) {
    const tensor = given[name];
    const wanted = `${dtype} [${shape.join(', ')}]`;
    if (tensor === undefined) throw mismatch(wanted, name, 'nothing');
    const received = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    if (tensor.dtype !== dtype || tensor.shape.length !== shape.length) throw mismatch(wanted, name, received);
    for (const [axis, dim] of shape.entries()) {
      const size = tensor.shape[axis] as number;
      if (typeof dim === 'number') {
        if (size !== dim) throw mismatch(wanted, name, received);
        continue;
      }
      const known = sizes.get(dim) ?? size;
      if (size !== known)
        throw mismatch(`${wanted} with ${dim} = ${known}, as for the inputs before it,`, name, received);
      sizes.set(dim, known);
    }
  }
  const names = expected.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `Expected the inputs ${names.join(', ')} but received ${unknown} as well`;
    throw new BackendError({ backend, component, message });
  }
}
