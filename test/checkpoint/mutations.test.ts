import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '@vibe-edit/core';
import {
  checkpointDefaults,
  InvalidCheckpointError,
  type JsonValue,
  parseAutoencoderConfig,
  parseImageProcessorConfig,
  parseJson,
  parseModelIndex,
  parseSafetensorsHeader,
  parseSchedulerConfig,
  parseTextEncoderConfig,
  parseTransformerConfig,
} from '@vibe-edit/core/runtime';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TINY_A, TINY_B } from './pull-fixture.js';

/** Values that headers and configs are not made for. */
const HOSTILE = [
  '0',
  '-1',
  '1.5',
  '1e308',
  '1e999',
  '-0',
  '9007199254740991',
  '18446744073709551615',
  '4294967296',
  'NaN',
  '-Infinity',
  'null',
  'true',
  '""',
  '"__proto__"',
  '"F32"',
  '"../../../etc/passwd"',
  '[]',
  '[0]',
  '{}',
  '{"__proto__": {"polluted": true}}',
  '{"constructor": {"prototype": {"polluted": true}}}',
  '['.repeat(5000),
  `[${'0,'.repeat(5000)}0]`,
  `"${'a'.repeat(5000)}"`,
];

type Mutation =
  | { kind: 'byte'; at: number; value: number }
  | { kind: 'cut'; at: number; length: number }
  | { kind: 'double'; at: number; length: number }
  | { kind: 'truncate'; at: number }
  | { kind: 'value'; at: number; value: string };

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: place, value: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.nat(300) }),
  fc.record({ kind: fc.constant('double' as const), at: place, length: fc.nat(300) }),
  fc.record({ kind: fc.constant('truncate' as const), at: place }),
  // The most likely to come far: it leaves the JSON whole.
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('value' as const), at: place, value: fc.constantFrom(...HOSTILE) }),
  },
);
/** One change, which often leaves a document that is nearly right, or several. */
const mutations = fc.oneof(
  fc.tuple(mutation),
  fc.tuple(fc.record({ kind: fc.constant('value' as const), at: place, value: fc.nat(64).map(String) })),
  fc.array(mutation, { minLength: 2, maxLength: 4 }),
);

/** Every scalar of a JSON text: what a hostile value may take the place of. */
const SCALAR = /-?Infinity|-?\d+(?:\.\d+)?(?:e-?\d+)?|true|false|null|"(?:[^"\\]|\\.)*"/g;

function mutate(text: string, list: readonly Mutation[]): Uint8Array {
  let bytes: Buffer = Buffer.from(text);
  for (const change of list) {
    const at = Math.floor(change.at * bytes.length);
    if (change.kind === 'byte')
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(change.value), bytes.subarray(at + 1)]);
    if (change.kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + change.length)]);
    if (change.kind === 'double') bytes = Buffer.concat([bytes.subarray(0, at + change.length), bytes.subarray(at)]);
    if (change.kind === 'truncate') bytes = bytes.subarray(0, at);
    if (change.kind === 'value') {
      const current = bytes.toString();
      const scalars = [...current.matchAll(SCALAR)];
      const scalar = scalars[Math.floor(change.at * scalars.length)];
      if (scalar !== undefined) {
        const end = scalar.index + scalar[0].length;
        bytes = Buffer.from(`${current.slice(0, scalar.index)}${change.value}${current.slice(end)}`);
      }
    }
  }
  return new Uint8Array(bytes);
}

/** Counts how the cases of a property ended, and sees that none took long or much memory. */
function tally() {
  const before = process.memoryUsage().heapUsed;
  const counts = { valid: 0, refused: 0, slowest: 0 };
  return {
    counts,
    /** The result, or undefined when it was refused with a typed error. Anything else fails the property. */
    run<T>(work: () => T): T | undefined {
      const start = performance.now();
      try {
        const result = work();
        counts.valid++;
        return result;
      } catch (error) {
        if (!(error instanceof InvalidCheckpointError)) throw error;
        expect(error.message).toMatch(/^Expected .* in .* but received /s);
        expect(error.message.length).toBeLessThan(2000);
        counts.refused++;
        return undefined;
      } finally {
        counts.slowest = Math.max(counts.slowest, performance.now() - start);
      }
    },
    check(runs: number): void {
      expect(counts.valid + counts.refused).toBe(runs);
      expect(counts.refused).toBeGreaterThan(runs / 4);
      expect(counts.slowest).toBeLessThan(2000);
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(400 * 2 ** 20);
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    },
  };
}

test('1,000 mutated safetensors headers: a typed error each, or tensors that lie in the file', async () => {
  const sources = await Promise.all(
    [
      `${TINY_A}vae/diffusion_pytorch_model.safetensors`,
      `${TINY_B}transformer/diffusion_pytorch_model-00004-of-00004.safetensors`,
    ].map(async (file) => {
      const bytes = await readFile(file);
      const length = Number(bytes.readBigUInt64LE());
      return { header: bytes.subarray(8, 8 + length).toString(), dataSize: bytes.length - 8 - length };
    }),
  );
  const { run, check } = tally();
  const length = fc.option(fc.bigInt(0n, 2n ** 64n - 1n), { freq: 6 });
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      mutations,
      length,
      fc.integer({ min: -2, max: 2 }),
      (source, list, claimed, extra) => {
        const header = mutate(source.header, list);
        const bytes = new Uint8Array(8 + header.length);
        new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(header.length), true);
        bytes.set(header, 8);
        const fileSize = Math.max(0, bytes.length + source.dataSize + (Math.abs(extra) === 2 ? extra : 0));
        const parsed = run(() => parseSafetensorsHeader({ bytes, fileSize, file: 'a.safetensors' }));
        if (parsed === undefined) return;
        let end = parsed.dataOffset;
        for (const { offset, byteLength, shape } of parsed.tensors.values()) {
          expect(offset).toBe(end);
          expect(shape.every((size) => Number.isSafeInteger(size) && size >= 0)).toBe(true);
          end += byteLength;
        }
        expect(end).toBe(fileSize);
      },
    ),
    { numRuns: 1000 },
  );
  check(1000);
});

test('1,000 mutated configs: a typed error each, or a config', async () => {
  const transformer = parseTransformerConfig({ value: { _class_name: 'VIBESanaEditingModel' }, file: 'a.json' });
  const parsers: [string, (source: { value: JsonValue; file: string }) => unknown][] = [
    ['model_index.json', parseModelIndex],
    ['text_encoder/config.json', parseTextEncoderConfig],
    ['transformer/config.json', parseTransformerConfig],
    ['vae/config.json', parseAutoencoderConfig],
    ['scheduler/scheduler_config.json', parseSchedulerConfig],
    ['tokenizer/preprocessor_config.json', parseImageProcessorConfig],
  ];
  const sources = [
    {
      text: '{"num_inference_steps": 4, "guidance_scale": 1.0, "image_guidance_scale": 1.0, "preserve": "auto"}',
      parse: (source: { value: JsonValue; file: string }): unknown => checkpointDefaults({ ...source, transformer }),
    },
  ];
  for (const [name, parse] of parsers) {
    for (const folder of [TINY_A, TINY_B]) sources.push({ text: await readFile(join(folder, name), 'utf8'), parse });
  }
  const { run, counts, check } = tally();
  fc.assert(
    fc.property(fc.constantFrom(...sources), mutations, ({ text, parse }, list) => {
      const mutated = new TextDecoder().decode(mutate(text, list));
      const config = run(() => parse({ value: parseJson({ text: mutated, file: 'a.json' }), file: 'a.json' }));
      if (config !== undefined) expect(Object.getPrototypeOf(config)).toBe(Object.prototype);
    }),
    { numRuns: 1000 },
  );
  check(1000);
  // Fields that are not read may hold anything.
  expect(counts.valid).toBeGreaterThan(20);
});

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vibe-mutations-'));
  await cp(TINY_B, folder, { recursive: true });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('100 mutated files on disk: a typed error each, or a checkpoint', { timeout: 60_000 }, async () => {
  const names = [
    'model_index.json',
    'text_encoder/config.json',
    'text_encoder/model.safetensors.index.json',
    'tokenizer/tokenizer.json',
    'tokenizer/tokenizer_config.json',
    'tokenizer/chat_template.json',
    'transformer/diffusion_pytorch_model.safetensors.index.json',
    'vae/config.json',
  ];
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), mutations, async (name, list) => {
      const file = join(folder, name);
      const original = await readFile(file, 'utf8');
      await writeFile(file, mutate(original, list));
      try {
        await openCheckpoint(folder);
      } catch (error) {
        if (!(error instanceof InvalidCheckpointError)) throw error;
        refused++;
      } finally {
        await writeFile(file, original);
      }
    }),
    { numRuns: 100 },
  );
  expect(refused).toBeGreaterThan(30);
  expect((await openCheckpoint(folder)).hash).toBe((await openCheckpoint(TINY_B)).hash);
});
