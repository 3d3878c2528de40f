import { VibeError } from '@vibe-edit/core/runtime';

/** A model definition put together values that do not fit: a fault of the compiler or of a checkpoint's config. */
export class GraphError extends VibeError {
  readonly op: string;
  readonly expected: string;
  readonly received: string;

  constructor(details: { op: string; node: string; expected: string; received: string }) {
    super(
      'VIBE_INVALID_GRAPH',
      `Expected ${details.expected} for ${details.op} at ${details.node} but received ${details.received}`,
    );
    this.op = details.op;
    this.expected = details.expected;
    this.received = details.received;
  }
}
