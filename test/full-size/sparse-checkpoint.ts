import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** Shape and dtype of every tensor of a checkpoint, by component folder and key. */
export type Manifest = Readonly<Record<WeightFolder, Readonly<Record<string, ManifestTensor>>>>;

export interface ManifestTensor {
  readonly shape: readonly number[];
  readonly dtype: 'BF16' | 'F16' | 'F32';
}

type WeightFolder = 'text_encoder' | 'transformer' | 'vae';

const WEIGHT_FILES: Readonly<Record<WeightFolder, string>> = {
  text_encoder: 'model.safetensors',
  transformer: 'diffusion_pytorch_model.safetensors',
  vae: 'diffusion_pytorch_model.safetensors',
};
const CONFIG_FILES = [
  'text_encoder/config.json',
  'transformer/config.json',
  'vae/config.json',
  'scheduler/scheduler_config.json',
];
const ITEM_SIZE = { BF16: 2, F16: 2, F32: 4 } as const;

/** Reads `manifest.json.gz`, which also holds a note and totals. */
export async function readManifest(file: string): Promise<Manifest> {
  const text = (await promisify(gunzip)(await readFile(file))).toString('utf8');
  const { text_encoder, transformer, vae } = JSON.parse(text) as Manifest;
  return { text_encoder, transformer, vae };
}

/**
 * Writes a checkpoint of real names and shapes whose weights are all zero and take no room on disk: a safetensors header, then a hole
 * as long as the weights.
 *
 * @param options.configs Folder with the configs of the components.
 * @param options.folder Where to write; made where it does not exist.
 */
export async function writeSparseCheckpoint(options: {
  manifest: Manifest;
  configs: string;
  folder: string;
}): Promise<void> {
  const { manifest, configs, folder } = options;
  for (const name of CONFIG_FILES) {
    await mkdir(join(folder, dirname(name)), { recursive: true });
    await copyFile(join(configs, name), join(folder, name));
  }
  const scheduler = await readFile(join(configs, 'scheduler/scheduler_config.json'), 'utf8');
  const textEncoder = JSON.parse(await readFile(join(configs, 'text_encoder/config.json'), 'utf8')) as {
    vision_config: { patch_size: number; spatial_merge_size: number; temporal_patch_size: number };
  };
  // Not `JSON.parse`: a scheduler's config may hold a bare -Infinity.
  const schedulerClass = /"_class_name":\s*"(\w+)"/.exec(scheduler)?.[1];
  await writeJson(join(folder, 'model_index.json'), {
    _class_name: 'VIBESanaEditingPipeline',
    scheduler: ['diffusers', schedulerClass],
    text_encoder: ['transformers', 'Qwen3VLForConditionalGeneration'],
    tokenizer: ['transformers', 'Qwen3VLProcessor'],
    transformer: ['vibe.transformer.vibe_sana_editing', 'VIBESanaEditingModel'],
    vae: ['diffusers', 'AutoencoderDC'],
  });
  await mkdir(join(folder, 'tokenizer'), { recursive: true });
  await writeJson(join(folder, 'tokenizer/tokenizer.json'), { model: { type: 'BPE', vocab: {}, merges: [] } });
  await writeJson(join(folder, 'tokenizer/tokenizer_config.json'), { chat_template: '{{ messages }}' });
  const { patch_size, spatial_merge_size: merge_size, temporal_patch_size } = textEncoder.vision_config;
  await writeJson(join(folder, 'tokenizer/preprocessor_config.json'), { patch_size, merge_size, temporal_patch_size });
  for (const component of Object.keys(WEIGHT_FILES) as WeightFolder[]) {
    await writeSparseSafetensors(join(folder, component, WEIGHT_FILES[component]), manifest[component]);
  }
}

/** Writes a safetensors file whose tensors are a hole: all zero, and only the header on disk. */
async function writeSparseSafetensors(file: string, tensors: Readonly<Record<string, ManifestTensor>>): Promise<void> {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, { shape, dtype }]) => {
    const start = offset;
    offset += shape.reduce((count, size) => count * size, ITEM_SIZE[dtype]);
    return [name, { dtype, shape, data_offsets: [start, offset] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  // The format aligns the weights to 8 bytes by spaces behind the header.
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const handle = await open(file, 'w');
  try {
    await handle.writev([length, header]);
    await handle.truncate(length.length + header.length + offset);
  } finally {
    await handle.close();
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, JSON.stringify(value));
}
