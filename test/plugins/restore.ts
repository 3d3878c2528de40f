import type {
  Checkpoint,
  HostTensor,
  Plugin,
  PluginContext,
  Raster8,
  ResolvedRequest,
  RestoreState,
  Size,
  Warning,
} from '@vibe-edit/core/runtime';
import { hostTensor } from '@vibe-edit/core/runtime';
import { workingTensor } from './pictures.js';

export interface RestoreOptions {
  readonly plugin: Plugin;
  readonly source: Raster8 | undefined;
  /** The source through the autoencoder, at working size. */
  readonly before: HostTensor<'float32'>;
  /** The decoded edits, one a picture. */
  readonly after: readonly HostTensor<'float32'>[];
  readonly request?: Partial<ResolvedRequest>;
  readonly signal?: AbortSignal;
  /** Default: what the request asks for, else the source's size. */
  readonly outputSize?: Size;
  /** The source at working size, where it is at hand. */
  readonly working?: HostTensor<'float32'>;
}

export interface Restored {
  readonly pictures: readonly (Raster8 | undefined)[];
  readonly warnings: readonly Warning[];
  /** How often the plugin called the decoder. */
  readonly decodings: number;
}

export const REQUEST: ResolvedRequest = {
  task: 'edit',
  instructions: ['make it warmer'],
  seed: 42,
  numInferenceSteps: 4,
  guidanceScale: 1,
  imageGuidanceScale: 0,
  numImages: 1,
  size: undefined,
  geometry: 'exact',
  preserve: 'tone',
  previews: false,
};

/** Calls the plugin's hooks as the pipeline does, for every picture of an edit. */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { plugin, source, before, after, request, signal } = options;
  const warnings: Warning[] = [];
  let decodings = 0;
  const latents = hostTensor('float32', [1, 1, 1, 1], new Float32Array(1));
  const unused = (): never => {
    throw new Error('the plugin has no business with this stage');
  };
  const context: PluginContext = {
    request: { ...REQUEST, ...request },
    checkpoint: {} as Checkpoint,
    source,
    sourceLatents: source && latents,
    signal,
    store: new Map(),
    warn: (warning) => warnings.push(warning),
    stages: {
      encode: unused,
      condition: unused,
      decode: async () => {
        decodings += 1;
        return before;
      },
      toTensor: async (raster, size) => options.working ?? workingTensor(raster, size),
    },
  };
  const outputSize = options.outputSize ?? request?.size ?? source ?? { width: 1, height: 1 };
  const prepared = {
    image: source,
    instructions: REQUEST.instructions,
    bin: outputSize,
    outputSize,
    workingImage: undefined,
  };
  await plugin.hooks.beforeCondition?.(prepared, context);
  const pictures: (Raster8 | undefined)[] = [];
  for (const [index, decoded] of after.entries()) {
    const state: RestoreState = { index, decoded, latents, picture: undefined };
    const returned = await plugin.hooks.beforeRestore?.(state, context);
    pictures.push((returned ?? state).picture);
  }
  return { pictures, warnings, decodings };
}
