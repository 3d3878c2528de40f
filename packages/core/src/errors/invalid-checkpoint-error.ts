import { VibeError } from './vibe-error.js';

/** A file of a checkpoint is missing, damaged, or describes something this version cannot run. */
export class InvalidCheckpointError extends VibeError {
  /** Path of the file at fault. */
  readonly file: string;
  /** Key of the tensor at fault, where it is one tensor. */
  readonly tensor: string | undefined;
  /** Path of the config field at fault, e.g. `text_config.num_hidden_layers`, where it is one field. */
  readonly field: string | undefined;
  readonly expected: string;
  readonly received: string;

  constructor(details: {
    file: string;
    tensor?: string;
    field?: string;
    expected: string;
    received: string;
    cause?: unknown;
  }) {
    let where = details.file;
    if (details.tensor !== undefined) where = `tensor ${details.tensor} of ${details.file}`;
    else if (details.field !== undefined) where = `field ${details.field} of ${details.file}`;
    super('VIBE_INVALID_CHECKPOINT', `Expected ${details.expected} in ${where} but received ${details.received}`, {
      cause: details.cause,
    });
    this.file = details.file;
    this.tensor = details.tensor;
    this.field = details.field;
    this.expected = details.expected;
    this.received = details.received;
  }
}
