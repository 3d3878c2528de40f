import {
  type Conditioning,
  type HostTensor,
  InvalidArgumentError,
  nextTurn,
  type Plugin,
  type PluginContext,
  type Raster8,
  type ResolvedRequest,
  type RestoreState,
  resample,
  type Size,
  throwIfAborted,
} from '@vibe-edit/core/runtime';
import { notUnderstood } from '../not-understood.js';
import { type Planes, toPlanes } from './planes.js';
import type { Analysis } from './preserve-work.js';
import type { Runner } from './runner.js';
import { cutTone } from './tone.js';

export interface PreserveOptions {
  /**
   * How far a picture must move for the edit to count as one, in units of what the autoencoder gets wrong by itself (plus 0.03 of the
   * range, about 8 levels), measured where it moved most. Under it the source is given back, bit by bit, unless the change of colours
   * can be seen: a pixel in 1000 moves by 16 levels or more. 0: always apply the change. Default 0.38.
   */
  changeThreshold?: number;
  /**
   * For `preserve: 'auto'`: how badly a colour change must explain the edit for its content to count as new, in the same units.
   * Lower finds fainter changes and takes more decoded pixels. Default 4.
   */
  contentThreshold?: number;
  /** Pixels of the result worked on at a time, each about 20 bytes of memory. Default 1,000,000. */
  stripPixels?: number;
}

const DEFAULTS = { changeThreshold: 0.38, contentThreshold: 4, stripPixels: 1_000_000 } as const;
/** Strips under way at once: one in the thread, one that is being cut or put back. */
const STRIPS_AT_ONCE = 2;
/** What is said of an instruction that a checkpoint does not understand. */
const STRANGE: Readonly<Record<ResolvedRequest['task'], string>> = {
  edit: 'is none of the edits that this small checkpoint learned',
  generate: 'describes no picture that this small checkpoint learned to make, and what comes out means nothing',
};

/** What an edit's pictures share. */
interface SourcePictures {
  /** The source at working size, and the same through the autoencoder. */
  readonly source: Planes;
  readonly before: Planes;
  /** Pixels at working size along a side of what one latent stands for. */
  readonly patch: number;
  /** The source at output size. */
  readonly base: Raster8;
}

/** The plugin over a place to work. */
export function createPreserve(createRunner: () => Runner, options: PreserveOptions = {}): Plugin {
  const settings = { ...DEFAULTS, ...options };
  checkNumber('changeThreshold', settings.changeThreshold, 0);
  checkNumber('contentThreshold', settings.contentThreshold, 0);
  checkNumber('stripPixels', settings.stripPixels, 1);
  const runner = createRunner();
  const outputSizes = new WeakMap<PluginContext, Size>();
  // Of the turn that an edit is in.
  const sources = new WeakMap<PluginContext, { source: Raster8; pictures: Promise<SourcePictures> }>();
  const strange = new WeakMap<PluginContext, ReadonlySet<number>>();

  async function listen(conditioning: Conditioning, context: PluginContext): Promise<void> {
    const { task, instructions } = context.request;
    const places = await notUnderstood(conditioning, context);
    strange.set(context, new Set(places));
    for (const place of places) {
      context.warn({
        code: 'not-understood',
        message: `"${instructions[place]}" ${STRANGE[task]}; a full VIBE checkpoint understands far more: pull one (vibe-edit pull) and pass it as \`checkpoint\``,
      });
    }
  }

  async function restore(state: RestoreState, context: PluginContext): Promise<void> {
    const { request, source, sourceLatents, signal } = context;
    if (request.task !== 'edit' || request.preserve === 'off' || state.picture !== undefined) return;
    if (source === undefined || sourceLatents === undefined) return;
    if (request.geometry !== 'exact') {
      context.warn({
        code: 'preserve-skipped',
        message: `The source was not preserved: geometry "${request.geometry}" moves the picture; use "exact"`,
      });
      return;
    }
    const outputSize = outputSizes.get(context) ?? request.size ?? source;
    if (strange.get(context)?.has(Math.floor(state.index / request.numImages))) {
      state.picture = copied(await resized(source, outputSize, signal));
      return;
    }
    const working = toPlanes('decoded', state.decoded);
    let known = sources.get(context);
    if (known?.source !== source) {
      known = { source, pictures: sourcePictures(runner, context, { source, sourceLatents, working, outputSize }) };
      sources.set(context, known);
    }
    const { base, ...before } = await known.pictures;
    const after = { ...working, values: await runner.share(working.values, signal) };
    const { changeThreshold, contentThreshold } = settings;
    const input = { ...before, after, mode: request.preserve, changeThreshold, contentThreshold };
    const analysis = await runner.analyse(input, signal);
    state.picture = await render({ runner, base, after, analysis, stripPixels: settings.stripPixels, signal });
  }

  return {
    name: 'preserve',
    hooks: {
      // Other plugins have had their say on the size by then.
      beforeCondition: (prepared, context) => void outputSizes.set(context, prepared.outputSize),
      afterCondition: listen,
      beforeRestore: restore,
    },
    close: () => runner.close(),
  };
}

function checkNumber(argument: string, value: number, least: number): void {
  if (value >= least) return;
  throw new InvalidArgumentError({ argument, expected: `a number from ${least} up`, received: String(value) });
}

async function sourcePictures(
  runner: Runner,
  { stages, signal }: PluginContext,
  edit: { source: Raster8; sourceLatents: HostTensor<'float32'>; working: Planes; outputSize: Size },
): Promise<SourcePictures> {
  const { source, sourceLatents, working, outputSize } = edit;
  const shared = async (argument: string, tensor: HostTensor<'float32'>): Promise<Planes> => {
    const planes = toPlanes(argument, tensor);
    if (planes.width !== working.width || planes.height !== working.height) {
      const expected = `the decoded picture's size, ${working.width} x ${working.height}`;
      throw new InvalidArgumentError({ argument, expected, received: `${planes.width} x ${planes.height}` });
    }
    return { ...planes, values: await runner.share(planes.values, signal) };
  };
  return {
    before: await shared('sourceLatents', await stages.decode(sourceLatents)),
    patch: working.width / sourceLatents.shape.at(-1)!,
    source: await shared('source', await stages.toTensor(source, { width: working.width, height: working.height })),
    base: await resized(source, outputSize, signal),
  };
}

/** Plugins further on may write into the result, not into the source. */
function copied(picture: Raster8): Raster8 {
  return { ...picture, data: new Uint8Array(picture.data) };
}

async function resized(source: Raster8, { width, height }: Size, signal: AbortSignal | undefined): Promise<Raster8> {
  if (source.width === width && source.height === height) return source;
  return resample({ image: source, width, height, method: 'pillow-lanczos', signal });
}

interface RenderOptions {
  readonly runner: Runner;
  readonly base: Raster8;
  readonly after: Planes;
  readonly analysis: Analysis;
  readonly stripPixels: number;
  readonly signal: AbortSignal | undefined;
}

/** The source at output size with the edit applied, strip by strip; a copy of it when the edit did nothing. */
async function render({ runner, base, after, analysis, stripPixels, signal }: RenderOptions): Promise<Raster8> {
  const { width, height, channels } = base;
  const data = new Uint8Array(base.data.length);
  const mask = analysis?.mask;
  const content = mask && { decoded: after, mask: { ...mask, values: await runner.share(mask.values, signal) } };
  const rowsAtOnce = Math.max(1, Math.floor(stripPixels / width));
  let nextTop = 0;
  const renderStrips = async (): Promise<void> => {
    while (nextTop < height) {
      const top = nextTop;
      const rows = Math.min(rowsAtOnce, height - top);
      nextTop += rows;
      const start = top * width * channels;
      // A copy in a buffer of its own (a Buffer's `slice` would be none): it is moved to the thread.
      const pixels = new Uint8Array(base.data.subarray(start, start + rows * width * channels));
      await nextTurn();
      throwIfAborted(signal);
      if (analysis === undefined) data.set(pixels, start);
      else {
        const tone = cutTone(analysis.tone, top, top + rows, height);
        const strip = { width, height, top, rows, channels, pixels, tone, isGray: analysis.isGray, content };
        data.set(await runner.render(strip, signal), start);
      }
    }
  };
  const strips = Array.from({ length: STRIPS_AT_ONCE }, () =>
    renderStrips().catch((error: unknown) => {
      // The others need not go on.
      nextTop = height;
      throw error;
    }),
  );
  await Promise.all(strips);
  return { width, height, channels, data };
}
