import { describe, expect, test } from 'vitest';
import * as errors from '../errors/index.js';
import { encodeError, reviveError } from './error-codec.js';

const { AbortedError, BackendError, HostCrashedError, InvalidCheckpointError, VibeError } = errors;

describe('errors on their way between processes', () => {
  test('keep class, fields, message, stack and causes', () => {
    const root = new RangeError('the root');
    const middle = new HostCrashedError({ exitCode: null, signal: 'SIGKILL', cause: root });
    const error = new BackendError({ backend: 'cpu', component: 'transformer', message: 'it failed', cause: middle });
    const revived = reviveError(structuredClone(encodeError(error)));
    expect(revived).toBeInstanceOf(BackendError);
    expect(revived).toBeInstanceOf(VibeError);
    expect(revived).toMatchObject({
      name: 'BackendError',
      backend: 'cpu',
      component: 'transformer',
      message: error.message,
    });
    expect(revived.stack).toBe(error.stack);
    expect(revived.cause).toBeInstanceOf(HostCrashedError);
    expect(revived.cause).toMatchObject({
      signal: 'SIGKILL',
      exitCode: null,
      cause: { name: 'RangeError', message: 'the root' },
    });
  });

  test('every class of the project comes back as itself', () => {
    const classes = Object.entries(errors).filter(([, value]) => value.prototype instanceof VibeError);
    expect(classes.length).toBeGreaterThan(10);
    for (const [name, errorClass] of classes) {
      const revived = reviveError({
        name,
        message: 'text',
        stack: undefined,
        fields: { code: 'VIBE_X', extra: 1 },
        cause: undefined,
      });
      expect(revived).toBeInstanceOf(errorClass);
      expect(revived).toMatchObject({ name, message: 'text', code: 'VIBE_X', extra: 1 });
    }
  });

  test('others come back as Error with their name', () => {
    class DriverError extends Error {
      override name = 'DriverError';
      readonly device = 3;
      readonly handle = () => {};
    }
    const revived = reviveError(structuredClone(encodeError(new DriverError('broken'))));
    expect(revived.constructor).toBe(Error);
    expect(revived).toMatchObject({ name: 'DriverError', message: 'broken', device: 3 });
    expect('handle' in revived).toBe(false);
  });

  test('what is no error at all, and causes in a circle', () => {
    expect(reviveError(encodeError('just text')).message).toBe('just text');
    const circle = new Error('round');
    circle.cause = circle;
    expect(reviveError(encodeError(circle)).message).toBe('round');
    expect(reviveError(encodeError(new AbortedError('reason')))).toMatchObject({ cause: { message: 'reason' } });
  });

  test('a damaged checkpoint still names its file', () => {
    const error = new InvalidCheckpointError({
      file: '/x/model.safetensors',
      tensor: 'w',
      expected: 'a',
      received: 'b',
    });
    expect(reviveError(encodeError(error))).toMatchObject({
      file: '/x/model.safetensors',
      tensor: 'w',
      expected: 'a',
      received: 'b',
    });
  });
});
