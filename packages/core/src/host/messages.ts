import type { Component } from '../backend/component.js';
import type { DType } from '../backend/tensor.js';
import type { EncodedError } from './error-codec.js';

/** A tensor as it crosses a process boundary: its bytes, or the number of one that the child keeps. */
export type WireTensor =
  | { readonly dtype: DType; readonly shape: readonly number[]; readonly bytes: Uint8Array }
  | { readonly dtype: DType; readonly shape: readonly number[]; readonly kept: number };

/** What the child is asked to do. One at a time. */
export type Request =
  | {
      readonly kind: 'open';
      readonly session: number;
      readonly component: Component;
      readonly checkpoint: { readonly path: string; readonly hash: string };
      readonly task: 'edit' | 'generate' | undefined;
      readonly taps: readonly string[] | undefined;
      readonly dimensions: Readonly<Record<string, number>> | undefined;
    }
  | {
      readonly kind: 'run';
      readonly session: number;
      readonly outputs: readonly string[] | undefined;
      readonly keep: readonly string[];
    }
  | { readonly kind: 'read'; readonly tensor: number }
  | { readonly kind: 'close-session'; readonly session: number }
  | { readonly kind: 'close-backend' };

/** From the editing process to the child. */
export type ToChild =
  | { readonly type: 'start'; readonly name: string; readonly module: string; readonly options: unknown }
  | { readonly type: 'call'; readonly call: number; readonly request: Request }
  /** Kept tensors nobody needs any more. */
  | { readonly type: 'dispose'; readonly kept: readonly number[] };

/** From the child to the editing process. */
export type ToParent =
  | {
      readonly type: 'done';
      readonly call: number;
      readonly inputs?: readonly string[];
      readonly outputs?: readonly string[];
      readonly memoryBytes?: number | undefined;
      readonly mapped?: boolean | undefined;
    }
  | { readonly type: 'failed'; readonly call: number; readonly error: EncodedError };

/** A message and the tensors that go with it, by name. */
export interface Envelope<Body> {
  readonly body: Body;
  readonly tensors: Readonly<Record<string, WireTensor>>;
}
