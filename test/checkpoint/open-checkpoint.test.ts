import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint, readSafetensorsFile } from '@vibe-edit/core';
import {
  InvalidCheckpointError,
  parseAutoencoderConfig,
  parseJson,
  parseSchedulerConfig,
  parseTextEncoderConfig,
  parseTransformerConfig,
} from '@vibe-edit/core/runtime';
import { checkpointPath as NANO } from '@vibe-edit/model-nano';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TINY_A, TINY_B } from './pull-fixture.js';

const FULL = fileURLToPath(new URL('../fixtures/golden/full/', import.meta.url));
let scratch: string;
let count = 0;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'vibe-open-'));
});

afterAll(async () => {
  await rm(scratch, { recursive: true });
});

/** A copy of a checkpoint that a test may damage. */
async function copyOf(folder: string): Promise<string> {
  const copy = join(scratch, `copy-${count++}`);
  await cp(folder, copy, { recursive: true });
  return copy;
}

/** Changes a JSON file of a checkpoint. */
async function edit(path: string, change: (value: Record<string, unknown>) => void): Promise<void> {
  const value = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  change(value);
  await writeFile(path, JSON.stringify(value));
}

async function failure(path: string): Promise<InvalidCheckpointError> {
  const error: unknown = await openCheckpoint(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof InvalidCheckpointError))
    throw new Error(`Expected an InvalidCheckpointError, not ${String(error)}`);
  return error;
}

describe('published forms', () => {
  test.each([
    ['float32, single files', TINY_A, { tensors: [105, 120, 160], dtype: 'F32', defaults: [20, 4.5, 1.2, 'off'] }],
    [
      'bfloat16, shards, older tokenizer files',
      TINY_B,
      { tensors: [133, 117, 197], dtype: 'BF16', defaults: [20, 4.5, 1.2, 'off'] },
    ],
    [
      'float16, distilled guidance, defaults of its own',
      NANO,
      { tensors: [85, 235, 102], dtype: 'F16', defaults: [1, 1, 1, 'auto'] },
    ],
  ])('%s', async (_, path, { tensors, dtype, defaults }) => {
    const checkpoint = await openCheckpoint(path);
    const { textEncoder, transformer, vae } = checkpoint;
    expect([textEncoder, transformer, vae].map(({ stateDict }) => stateDict.size)).toEqual(tensors);
    expect(transformer.stateDict.get('meta_queries')).toMatchObject({
      dtype,
      shape: [transformer.config.num_meta_queries, transformer.config.meta_queries_dim],
    });
    const { numInferenceSteps, guidanceScale, imageGuidanceScale, preserve } = checkpoint.defaults;
    expect([numInferenceSteps, guidanceScale, imageGuidanceScale, preserve]).toEqual(defaults);
    expect(checkpoint.scheduler.lambda_min_clipped).toBe(Number.NEGATIVE_INFINITY);
    expect(checkpoint.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(`${checkpoint.weightsRoot}/`).toBe(join(path, '/'));
    expect(checkpoint.tokenizer.tokenizer).toHaveProperty('model.vocab');
    expect(checkpoint.tokenizer.chatTemplate).toContain('<|im_start|>');
  });

  test('the configs of the full-size model', async () => {
    const read = async (name: string) => {
      const file = join(FULL, name);
      return { value: parseJson({ text: await readFile(file, 'utf8'), file }), file };
    };
    expect(parseTextEncoderConfig(await read('text_encoder/config.json')).text_config.num_hidden_layers).toBe(28);
    expect(parseTransformerConfig(await read('transformer/config.json')).num_meta_queries).toBe(224);
    expect(parseAutoencoderConfig(await read('vae/config.json')).decoder_norm_types).toHaveLength(6);
    expect(parseSchedulerConfig(await read('scheduler/scheduler_config.json')).flow_shift).toBe(3);
  });

  test('weights are read where they lie', async () => {
    const { vae, readTensor } = await openCheckpoint(TINY_B);
    const info = vae.stateDict.get('encoder.conv_in.bias')!;
    const bytes = await readTensor(info);
    const whole = await readFile(info.file);
    expect([...bytes]).toEqual([...whole.subarray(info.offset, info.offset + info.byteLength)]);
    const loaded = (await readSafetensorsFile(info.file)).get('encoder.conv_in.bias')!;
    expect(loaded.values).toHaveLength(info.byteLength / 2);
    expect(loaded.values).toBeInstanceOf(Float32Array);
  });

  test('the chat template may stand in three places', async () => {
    const jinja = (await openCheckpoint(TINY_A)).tokenizer.chatTemplate;
    const copy = await copyOf(TINY_A);
    const folder = join(copy, 'tokenizer');
    await rm(join(folder, 'chat_template.jinja'));
    expect(await failure(copy)).toMatchObject({ file: folder, expected: expect.stringContaining('chat template') });
    await edit(join(folder, 'tokenizer_config.json'), (config) => {
      config.chat_template = [
        { name: 'tools', template: 'other' },
        { name: 'default', template: jinja },
      ];
    });
    expect((await openCheckpoint(copy)).tokenizer.chatTemplate).toBe(jinja);
    await edit(join(folder, 'tokenizer_config.json'), (config) => {
      config.chat_template = `${jinja} `;
    });
    expect((await openCheckpoint(copy)).tokenizer.chatTemplate).toBe(`${jinja} `);
    await writeFile(join(folder, 'chat_template.json'), JSON.stringify({ chat_template: jinja }));
    expect((await openCheckpoint(copy)).tokenizer.chatTemplate).toBe(jinja);
  });

  test('the image processor may stand in processor_config.json', async () => {
    const copy = await copyOf(TINY_A);
    const folder = join(copy, 'tokenizer');
    const image_processor = JSON.parse(await readFile(join(folder, 'preprocessor_config.json'), 'utf8')) as unknown;
    await rm(join(folder, 'preprocessor_config.json'));
    expect(await failure(copy)).toMatchObject({ file: join(folder, 'preprocessor_config.json') });
    await writeFile(join(folder, 'processor_config.json'), JSON.stringify({ image_processor }));
    expect((await openCheckpoint(copy)).imageProcessor).toEqual((await openCheckpoint(TINY_A)).imageProcessor);
  });

  test('weights of other names are taken when they are the only ones', async () => {
    const copy = await copyOf(TINY_A);
    const folder = join(copy, 'vae');
    await rename(join(folder, 'diffusion_pytorch_model.safetensors'), join(folder, 'weights.safetensors'));
    expect((await openCheckpoint(copy)).vae.stateDict.size).toBe(160);
    await cp(join(folder, 'weights.safetensors'), join(folder, 'more.safetensors'));
    expect(await failure(copy)).toMatchObject({ file: folder, received: expect.stringContaining('more.safetensors') });
  });

  test('symlinks are followed to a folder above all weights', async () => {
    const copy = await copyOf(TINY_A);
    const blobs = join(scratch, 'blobs');
    await mkdir(blobs);
    for (const name of ['text_encoder/model', 'transformer/diffusion_pytorch_model', 'vae/diffusion_pytorch_model']) {
      const blob = join(blobs, dirname(name));
      await rename(join(copy, `${name}.safetensors`), blob);
      await symlink(blob, join(copy, `${name}.safetensors`));
    }
    const { weightsRoot, vae } = await openCheckpoint(copy);
    expect(weightsRoot).toBe(blobs);
    expect(vae.stateDict.get('encoder.conv_in.bias')!.file).toBe(join(blobs, 'vae'));
  });

  test('the hash names the content, not the place', async () => {
    const { hash } = await openCheckpoint(TINY_A);
    const copy = await copyOf(TINY_A);
    expect((await openCheckpoint(copy)).hash).toBe(hash);
    await writeFile(join(copy, 'vibe_edit.json'), '{"preserve": "tone"}');
    const changed = await openCheckpoint(copy);
    expect(changed.hash).not.toBe(hash);
    expect(changed.defaults.preserve).toBe('tone');
  });
});

describe('prototypes', () => {
  test('are found where the checkpoint names its operations, and only there', async () => {
    expect((await openCheckpoint(TINY_A)).prototypes).toBeUndefined();
    const { prototypes, hash } = await openCheckpoint(NANO);
    const rows = prototypes!.operations.reduce((sum, { strengths }) => sum + strengths, 0);
    expect(prototypes!.operations[0]).toEqual({ name: 'brighten', strengths: 3 });
    for (const half of [prototypes!.first, prototypes!.second]) {
      expect(half.shape[0]).toBeGreaterThan(rows);
      expect(half.shape.slice(1)).toEqual([8, 192]);
    }
    const without = await copyOf(NANO);
    await edit(join(without, 'vibe_edit.json'), (hints) => void delete hints.operations);
    await rm(join(without, 'prototypes.safetensors'));
    const opened = await openCheckpoint(without);
    expect(opened.prototypes).toBeUndefined();
    expect(opened.hash).not.toBe(hash);
  });

  test.each<[string, unknown, object]>([
    ['no list', 'all', { field: 'operations', expected: expect.stringContaining('list') }],
    ['nothing in it', [], { field: 'operations', received: expect.any(String) }],
    ['an operation without a name', [{ strengths: 1 }], { field: 'operations.0.name', expected: 'a name' }],
    ['no strength', [{ name: 'warm', strengths: 0 }], { field: 'operations.0.strengths' }],
    [
      'more than there are rows',
      [
        { name: 'warm', strengths: 100 },
        { name: 'cool', strengths: 100 },
      ],
      { tensor: 'first' },
    ],
  ])('operations that are wrong: %s', async (_, operations, expected) => {
    const copy = await copyOf(NANO);
    await edit(join(copy, 'vibe_edit.json'), (hints) => void Object.assign(hints, { operations }));
    expect(await failure(copy)).toMatchObject(expected);
  });

  test('that are missing or of another model', async () => {
    const copy = await copyOf(NANO);
    const file = join(copy, 'prototypes.safetensors');
    await rm(file);
    expect(await failure(copy)).toMatchObject({ file });
    await cp(join(NANO, 'vae/diffusion_pytorch_model.safetensors'), file);
    expect(await failure(copy)).toMatchObject({ file, tensor: 'first', received: 'no such tensor' });
    await cp(join(NANO, 'prototypes.safetensors'), file);
    await edit(join(copy, 'transformer/config.json'), (config) => void Object.assign(config, { num_meta_queries: 32 }));
    expect(await failure(copy)).toMatchObject({ file, tensor: 'first', expected: expect.stringContaining('16, 192') });
  });
});

describe('a model of wordings', () => {
  const name = 'out_of_scope.safetensors';

  test('is found where it is', async () => {
    expect((await openCheckpoint(TINY_A)).outOfScope).toBeUndefined();
    const { outOfScope, hash } = await openCheckpoint(NANO);
    expect(outOfScope).toMatchObject({ weights: { dtype: 'F16', shape: [65_536] }, bias: { shape: [1] } });
    const without = await copyOf(NANO);
    await rm(join(without, name));
    const opened = await openCheckpoint(without);
    expect(opened.outOfScope).toBeUndefined();
    expect(opened.hash).not.toBe(hash);
  });

  test('that is of another kind or torn', async () => {
    const copy = await copyOf(NANO);
    const file = join(copy, name);
    await cp(join(NANO, 'prototypes.safetensors'), file);
    expect(await failure(copy)).toMatchObject({ file, tensor: 'weights', received: 'no such tensor' });
    const bytes = await readFile(join(NANO, name));
    const length = bytes.readUInt32LE();
    const header = bytes.toString('utf8', 8, 8 + length).replace('[65536]', '[64,1024]');
    const shaped = Buffer.concat([bytes.subarray(0, 8), Buffer.from(header), bytes.subarray(8 + length)]);
    shaped.writeUInt32LE(header.length);
    await writeFile(file, shaped);
    expect(await failure(copy)).toMatchObject({
      file,
      tensor: 'weights',
      expected: expect.stringContaining('power of two'),
      received: 'F16 [64, 1024]',
    });
    await writeFile(file, bytes.subarray(0, 1000));
    expect(await failure(copy)).toMatchObject({ file });
  });
});

describe('a checkpoint that is not there', () => {
  test.each(['/no/such/folder', 'owner/never-pulled', 'owner/never-pulled@v2', 'nonsense', ''])('%j', async (path) => {
    const cacheDir = join(scratch, 'empty-cache');
    await expect(openCheckpoint(path, { cacheDir })).rejects.toBeInstanceOf(InvalidCheckpointError);
  });

  test('an empty cache of a repository', async () => {
    const folder = join(scratch, 'models--owner--empty');
    await mkdir(join(folder, 'snapshots'), { recursive: true });
    expect(await failure(folder)).toMatchObject({ expected: expect.stringContaining('snapshot') });
    await mkdir(join(folder, 'refs'));
    await writeFile(join(folder, 'refs', 'main'), '../../../etc');
    expect(await failure(folder)).toMatchObject({ expected: expect.stringContaining('snapshot') });
  });
});

describe('a damaged checkpoint', () => {
  test.each([
    'model_index.json',
    'text_encoder/config.json',
    'transformer/config.json',
    'vae/config.json',
    'scheduler/scheduler_config.json',
    'tokenizer/tokenizer.json',
    'tokenizer/tokenizer_config.json',
  ])('%s missing, a folder, no JSON, no UTF-8, too long, a list', async (name) => {
    const copy = await copyOf(TINY_A);
    const file = join(copy, name);
    await rm(file);
    expect(await failure(copy)).toMatchObject({ file, expected: 'a readable file' });
    await mkdir(file);
    expect(await failure(copy)).toMatchObject({ file, expected: 'a file' });
    await rm(file, { recursive: true });
    for (const content of ['{"a": ', Buffer.from([0x22, 0xff, 0x22]), '[]', '']) {
      await writeFile(file, content);
      expect(await failure(copy)).toMatchObject({ file });
    }
    await truncate(file, 2 ** 30);
    expect(await failure(copy)).toMatchObject({ file, expected: expect.stringMatching(/^at most \d+ bytes$/) });
  });

  test('configs that do not fit together', async () => {
    const copy = await copyOf(TINY_A);
    await edit(join(copy, 'model_index.json'), (index) => {
      index.scheduler = ['diffusers', 'FlowMatchEulerDiscreteScheduler'];
    });
    expect(await failure(copy)).toMatchObject({
      file: join(copy, 'scheduler', 'scheduler_config.json'),
      field: '_class_name',
      received: 'DPMSolverMultistepScheduler',
    });
  });

  test('weights missing, cut off, or longer than the header says', async () => {
    const copy = await copyOf(TINY_A);
    const file = join(copy, 'transformer', 'diffusion_pytorch_model.safetensors');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 1));
    expect(await failure(copy)).toMatchObject({ file, tensor: expect.any(String) });
    await writeFile(file, Buffer.concat([bytes, Buffer.of(0)]));
    expect(await failure(copy)).toMatchObject({ file, expected: expect.stringContaining('bytes') });
    await writeFile(file, bytes.subarray(0, 5));
    expect(await failure(copy)).toMatchObject({ file, received: '5 bytes' });
    await writeFile(file, '');
    expect(await failure(copy)).toMatchObject({ file, received: '0 bytes' });
    await rm(file);
    expect(await failure(copy)).toMatchObject({ file: dirname(file), received: 'no weights' });
    await rm(dirname(file), { recursive: true });
    expect(await failure(copy)).toMatchObject({ file: join(copy, 'transformer', 'config.json') });
  });

  test('a file that shrinks after it was opened', async () => {
    const copy = await copyOf(TINY_A);
    const { vae, readTensor } = await openCheckpoint(copy);
    const info = vae.stateDict.get('decoder.conv_out.weight')!;
    await truncate(info.file, info.offset + 1);
    await expect(readTensor(info)).rejects.toMatchObject({ code: 'VIBE_INVALID_CHECKPOINT', file: info.file });
    await rm(info.file);
    await expect(readTensor(info)).rejects.toMatchObject({ code: 'VIBE_INVALID_CHECKPOINT', file: info.file });
  });
});

describe('shards', () => {
  type Index = { weight_map: Record<string, string> };
  const INDEX = 'transformer/diffusion_pytorch_model.safetensors.index.json';
  const KEY = 'proj_out.weight';

  async function changed(
    change: (index: Index, folder: string) => void | Promise<void>,
  ): Promise<[InvalidCheckpointError, string]> {
    const copy = await copyOf(TINY_B);
    const file = join(copy, INDEX);
    const index = JSON.parse(await readFile(file, 'utf8')) as Index;
    await change(index, dirname(file));
    await writeFile(file, JSON.stringify(index));
    return [await failure(copy), dirname(file)];
  }

  test('one is missing', async () => {
    const [error, folder] = await changed((_, folder) =>
      rm(join(folder, 'diffusion_pytorch_model-00002-of-00004.safetensors')),
    );
    expect(error.file).toBe(join(folder, 'diffusion_pytorch_model-00002-of-00004.safetensors'));
  });

  test('a key is in none', async () => {
    const [error] = await changed((index) => {
      index.weight_map['no.such.weight'] = index.weight_map[KEY]!;
    });
    expect(error).toMatchObject({ tensor: 'no.such.weight', received: 'no such tensor' });
  });

  test('a key is in another one than the index says', async () => {
    const [error] = await changed((index) => {
      const named = index.weight_map[KEY]!;
      index.weight_map[KEY] = Object.values(index.weight_map).find((name) => name !== named)!;
    });
    expect(error).toMatchObject({ tensor: KEY, expected: expect.stringContaining('where the index has it') });
  });

  test('a key is in one but not in the index', async () => {
    const [error] = await changed((index) => {
      delete index.weight_map[KEY];
    });
    expect(error).toMatchObject({ tensor: KEY, expected: 'only tensors that the index lists' });
  });

  test.each(['../vae/diffusion_pytorch_model.safetensors', '/etc/passwd', 'a\\b.safetensors', 'model.bin', 5])(
    'one is called %j',
    async (name) => {
      const [error] = await changed((index) => {
        (index.weight_map as Record<string, unknown>)[KEY] = name;
      });
      expect(error).toMatchObject({ field: `weight_map.${KEY}`, received: JSON.stringify(name) });
    },
  );

  test('there are none, or too many', async () => {
    const [none] = await changed((index) => {
      index.weight_map = {};
    });
    expect(none).toMatchObject({ field: 'weight_map', received: '0 keys in 0 shards' });
    const [many] = await changed((index) => {
      for (let shard = 0; shard < 2000; shard++) index.weight_map[`key.${shard}`] = `${shard}.safetensors`;
    });
    expect(many).toMatchObject({ field: 'weight_map', expected: expect.stringContaining('at most 1000 shards') });
  });

  test('the index is no map', async () => {
    const [error] = await changed((index) => {
      (index as { weight_map: unknown }).weight_map = [];
    });
    expect(error).toMatchObject({ field: 'weight_map' });
  });

  test('a single file is preferred to an index', async () => {
    const copy = await copyOf(TINY_A);
    await writeFile(join(copy, 'transformer', 'diffusion_pytorch_model.safetensors.index.json'), '{"weight_map": {}}');
    expect((await openCheckpoint(copy)).transformer.stateDict.size).toBe(120);
    expect(await readdir(join(copy, 'transformer'))).toHaveLength(3);
  });
});
