import {
  AbortedError,
  type HostTensor,
  hostTensor,
  InvalidArgumentError,
  type Raster8,
  type ResolvedRequest,
} from '@vibe-edit/core/runtime';
import { preserve } from '@vibe-edit/plugins/preserve';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenTensors } from '../golden-vectors.js';
import { type FloatPicture, OPERATIONS, type OperationName, operate } from './exact-operations.js';
import {
  floats,
  fromTensor,
  PHOTOS,
  type PhotoName,
  photo,
  psnr,
  throughAutoencoder,
  toTensor,
  workingTensor,
} from './pictures.js';
import { type Restored, restore } from './restore.js';

/** A photo and what an editor knows of it. */
interface Subject {
  readonly source: Raster8;
  /** The source through the stand-in for the autoencoder, at working size. */
  readonly before: FloatPicture;
}

const plugin = preserve();
const subjects = new Map<PhotoName, Subject>();

beforeAll(async () => {
  for (const name of Object.keys(PHOTOS) as PhotoName[]) {
    const source = await photo(name);
    subjects.set(name, { source, before: throughAutoencoder(fromTensor(await workingTensor(source, PHOTOS[name]))) });
  }
});

afterAll(() => plugin.close?.());

async function preserved(
  subject: Subject,
  after: FloatPicture,
  request: Partial<ResolvedRequest> = {},
): Promise<Raster8> {
  const { source, before } = subject;
  const { pictures } = await restore({ plugin, source, before: toTensor(before), after: [toTensor(after)], request });
  return pictures[0]!;
}

/** Index of the first byte that differs, -1 where none does. (Comparing megabytes as values takes the test runner seconds.) */
function firstDifference(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) return Math.min(one.length, other.length);
  return one.findIndex((value, i) => value !== other[i]);
}

/** A square of another picture laid over this one: `[left, top, right, bottom]` in 0..1. */
function paste(
  picture: FloatPicture,
  pasted: FloatPicture,
  box: readonly [number, number, number, number],
): FloatPicture {
  const { width, height } = picture;
  const [left, top, right, bottom] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
  const values = picture.values.map((value, i) => {
    const x = (Math.floor(i / 3) % width) + 0.5;
    const y = Math.floor(i / 3 / width) + 0.5;
    return x >= left && x < right && y >= top && y < bottom ? pasted.values[i]! : value;
  });
  return { width, height, values };
}

describe('the transfer', () => {
  const tensors = goldenTensors('../preserve/transfer.safetensors');
  const values = (name: string): FloatPicture => {
    const tensor = tensors.get(name)!;
    const scale = tensor.dtype === 'U8' ? 255 : 1;
    return {
      width: tensor.shape[1]!,
      height: tensor.shape[0]!,
      values: Float64Array.from(tensor.values, (value) => value / scale),
    };
  };

  it.each(['wide', 'tall'])('gives what the formulas give: %s', async (name) => {
    const { width, height } = values(`${name}.source`);
    const data = new Uint8Array(tensors.get(`${name}.source`)!.values);
    const source: Raster8 = { width, height, channels: 3, data };
    const result = await preserved({ source, before: values(`${name}.before`) }, values(`${name}.after`));
    const expected = values(`${name}.expected`);
    const furthest = expected.values.reduce(
      (most, value, i) => Math.max(most, Math.abs(value * 255 - result.data[i]!)),
      0,
    );
    // Half a level is what rounding takes.
    expect(furthest).toBeLessThan(0.502);
  });

  /** dB, a little under what was measured. */
  const LEAST: Record<OperationName, number> = {
    brighten: 43,
    darken: 46.5,
    'contrast up': 40.5,
    saturate: 41,
    warm: 52,
    cool: 53,
    grayscale: 40.5,
    sepia: 41,
    invert: 34,
    swap: 36.5,
    solarise: 29,
    'tint teal': 47.5,
    night: 43,
    vignette: 30.5,
    'darken the top': 33,
  };

  it.each(Object.keys(OPERATIONS) as OperationName[])('brings "%s" to full resolution', async (name) => {
    const subject = subjects.get('chelsea')!;
    const after = operate(subject.before, name);
    const exact = operate(floats(subject.source), name);
    expect(psnr(floats(await preserved(subject, after)), exact)).toBeGreaterThan(LEAST[name]);
  });

  it('leaves no colour at all where the edit leaves next to none', async () => {
    const { source, before } = subjects.get('coffee')!;
    const exact = operate(before, 'grayscale');
    // A thirtieth of the colours, and a cast of an 80th.
    const nearly = exact.values.map(
      (value, i) => value + 0.033 * (before.values[i]! - value) + (i % 3 === 0 ? 0.0125 : 0),
    );
    const { data } = await preserved({ source, before }, { ...exact, values: nearly });
    expect(data.findIndex((value, i) => value !== data[i - (i % 3)])).toBe(-1);

    const muted = exact.values.map((value, i) => value + 0.12 * (before.values[i]! - value));
    const colored = (await preserved({ source, before }, { ...exact, values: muted })).data;
    expect(colored.findIndex((value, i) => value !== colored[i - (i % 3)])).not.toBe(-1);
  });

  it('brings a tone to other photos', async () => {
    for (const name of ['coffee', 'astronaut'] as const) {
      const subject = subjects.get(name)!;
      const exact = operate(floats(subject.source), 'warm');
      expect(psnr(floats(await preserved(subject, operate(subject.before, 'warm'))), exact)).toBeGreaterThan(46);
    }
  });

  it('leaves what lies out of reach of the edit bit by bit as it was', async () => {
    const { source, before } = subjects.get('chelsea')!;
    // Only the upper 30 % change; the window of the fit is cut at 2.5 / 12 of the width.
    const after = paste(before, operate(before, 'darken'), [0, 0, 1, 0.3]);
    const result = await preserved({ source, before }, after);
    const reach = 0.3 + ((2.5 / 12) * PHOTOS.chelsea.width + 10) / PHOTOS.chelsea.height;
    const start = Math.ceil(reach * source.height) * source.width * 3;
    expect(firstDifference(result.data.subarray(start), source.data.subarray(start))).toBe(-1);
    expect(firstDifference(result.data.subarray(0, 1000), source.data.subarray(0, 1000))).not.toBe(-1);
  });

  it('lets a half of the picture alone when the other is edited', async () => {
    const { source, before } = subjects.get('chelsea')!;
    const result = floats(await preserved({ source, before }, operate(before, 'darken the top')));
    const exact = floats(source);
    // The operation ends at 65 % of the height; the fit bleeds a little over its edge.
    const below = (share: number) => (pixel: number) => pixel / source.width >= share * source.height;
    expect(psnr(result, exact, below(0.65))).toBeGreaterThan(36);
    expect(psnr(result, exact, below(0.85))).toBeGreaterThan(48);
  });
});

describe('an edit that does nothing', () => {
  it('gives the source back bit by bit', async () => {
    const subject = subjects.get('coffee')!;
    const result = await preserved(subject, subject.before);
    expect(firstDifference(result.data, subject.source.data)).toBe(-1);
    expect(result.data.buffer).not.toBe(subject.source.data.buffer);
  });

  it('gives the source back when it only trembles', async () => {
    const subject = subjects.get('coffee')!;
    const values = subject.before.values.map((value, i) => value + 0.008 * Math.sin(i));
    expect(firstDifference((await preserved(subject, { ...subject.before, values })).data, subject.source.data)).toBe(
      -1,
    );
  });

  it('needs no threshold for that when nothing changed at all', async () => {
    const { source, before } = subjects.get('coffee')!;
    const exacting = preserve({ changeThreshold: 0 });
    const picture = toTensor(before);
    const { pictures } = await restore({ plugin: exacting, source, before: picture, after: [picture] });
    expect(firstDifference(pictures[0]!.data, source.data)).toBe(-1);
    await exacting.close?.();
  });

  it('counts where it can be seen, if only in a few pixels that the autoencoder gets wrong', async () => {
    const [width, height] = [256, 192];
    const data = new Uint8Array(width * height * 3);
    for (let star = 0; star < 400; star++) {
      const pixel = ((star * 7919) % height) * width + ((star * 104_729) % width);
      data.set([230 - 90 * (star % 2), 140, 70 + 150 * (star % 2)], pixel * 3);
    }
    const source: Raster8 = { width, height, channels: 3, data };
    const before = throughAutoencoder(floats(source));
    const exact = operate(floats(source), 'grayscale');
    const result = floats(await preserved({ source, before }, operate(before, 'grayscale')));
    expect(psnr(result, exact)).toBeGreaterThan(psnr(floats(source), exact) + 3);

    const trembling = before.values.map((value, i) => value + 0.01 * Math.sin(i) * (value > 0.1 ? 1 : 0));
    const left = await preserved({ source, before }, { ...before, values: trembling });
    expect(firstDifference(left.data, data)).toBe(-1);
  });

  it('applies what trembles when there is no threshold', async () => {
    const { source, before } = subjects.get('coffee')!;
    const exacting = preserve({ changeThreshold: 0 });
    const values = before.values.map((value) => value + 0.008);
    const after = [toTensor({ ...before, values })];
    const { pictures } = await restore({ plugin: exacting, source, before: toTensor(before), after });
    expect(firstDifference(pictures[0]!.data, source.data)).not.toBe(-1);
    await exacting.close?.();
  });
});

describe('preserve: auto', () => {
  it.each(['warm', 'contrast up', 'invert', 'vignette'] as const)('takes no decoded pixel for "%s"', async (name) => {
    const subject = subjects.get('chelsea')!;
    const after = operate(subject.before, name);
    const auto = await preserved(subject, after, { preserve: 'auto' });
    expect(firstDifference(auto.data, (await preserved(subject, after)).data)).toBe(-1);
  });

  const BOX = [0.55, 0.3, 0.8, 0.65] as const;

  async function pasted(
    operation?: OperationName,
  ): Promise<{ subject: Subject; exact: FloatPicture; after: FloatPicture }> {
    const subject = subjects.get('chelsea')!;
    const { width, height } = subject.source;
    const object = floats(await photo('coffee', { width, height }));
    const toned = operation === undefined ? floats(subject.source) : operate(floats(subject.source), operation);
    const exact = paste(toned, object, BOX);
    const bytes: Raster8 = {
      width,
      height,
      channels: 3,
      data: Uint8Array.from(exact.values, (value) => Math.round(value * 255)),
    };
    return { subject, exact, after: throughAutoencoder(fromTensor(await workingTensor(bytes, PHOTOS.chelsea))) };
  }

  /** Pixels of the photo further than a share of its width from the object. */
  const away = ({ source: { width, height } }: Subject, share: number) => {
    const margin = share * width;
    return (pixel: number): boolean => {
      const x = pixel % width;
      const y = Math.floor(pixel / width);
      const outsideX = x < BOX[0] * width - margin || x > BOX[2] * width + margin;
      return outsideX || y < BOX[1] * height - margin || y > BOX[3] * height + margin;
    };
  };

  it('takes the decoded pixels of a new object and keeps the source round it', async () => {
    const { subject, exact, after } = await pasted();
    const tone = floats(await preserved(subject, after));
    const auto = floats(await preserved(subject, after, { preserve: 'auto' }));
    expect(psnr(auto, exact)).toBeGreaterThan(psnr(tone, exact) + 4);
    // Round the object the tone bleeds; with the object left out of the fit, the source stays.
    expect(psnr(auto, exact, away(subject, 0.05))).toBeGreaterThan(55);
    expect(psnr(tone, exact, away(subject, 0.05))).toBeLessThan(45);
    // Inside it is as sharp as the decoded picture, and no sharper.
    const inside = (pixel: number): boolean => !away(subject, -0.03)(pixel);
    expect(psnr(auto, exact, inside)).toBeGreaterThan(psnr(tone, exact, inside) + 4);
  });

  it('tells a new object from a new tone in one edit', async () => {
    const { subject, exact, after } = await pasted('warm');
    const auto = floats(await preserved(subject, after, { preserve: 'auto' }));
    expect(psnr(auto, exact, away(subject, 0.05))).toBeGreaterThan(42);
    expect(psnr(auto, exact)).toBeGreaterThan(psnr(floats(await preserved(subject, after)), exact) + 4);
  });

  it('takes decoded pixels from the threshold on', async () => {
    const { subject, exact, after } = await pasted();
    const blind = preserve({ contentThreshold: 1000 });
    const request = { preserve: 'auto' } as const;
    const before = toTensor(subject.before);
    const { pictures } = await restore({
      plugin: blind,
      source: subject.source,
      before,
      after: [toTensor(after)],
      request,
    });
    expect(firstDifference(pictures[0]!.data, (await preserved(subject, after)).data)).toBe(-1);
    const auto = floats(await preserved(subject, after, request));
    expect(psnr(auto, exact)).toBeGreaterThan(psnr(floats(pictures[0]!), exact));
    await blind.close?.();
  });
});

describe('pictures', () => {
  it('keep their alpha', async () => {
    const { source, before } = subjects.get('chelsea')!;
    const data = new Uint8Array(source.width * source.height * 4);
    for (let pixel = 0; pixel < source.width * source.height; pixel++) {
      data.set(source.data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
      data[pixel * 4 + 3] = pixel % 256;
    }
    const after = operate(before, 'sepia');
    const opaque = await preserved({ source, before }, after);
    const result = await preserved({ source: { ...source, channels: 4, data }, before }, after);
    expect(result.channels).toBe(4);
    const odd = result.data.findIndex((value, i) =>
      i % 4 === 3 ? value !== data[i] : value !== opaque.data[Math.floor(i / 4) * 3 + (i % 4)],
    );
    expect(odd).toBe(-1);
  });

  it('come out at the size asked for', async () => {
    const { source, before } = subjects.get('chelsea')!;
    const size = { width: 320, height: 211 };
    const result = await preserved({ source, before }, operate(before, 'cool'), { size });
    expect(result).toMatchObject({ ...size, channels: 3 });
    const small = floats(await photo('chelsea', size));
    expect(psnr(floats(result), operate(small, 'cool'))).toBeGreaterThan(35);
  });

  it('take the size that another plugin gave them', async () => {
    const { source, before } = subjects.get('chelsea')!;
    const enlarging = preserve();
    const picture = toTensor(before);
    const outputSize = { width: 500, height: 333 };
    const { pictures } = await restore({ plugin: enlarging, source, before: picture, after: [picture], outputSize });
    expect(pictures[0]).toMatchObject(outputSize);
    await enlarging.close?.();
  });

  it('of one edit share what is known of the source', async () => {
    const { source, before } = subjects.get('chelsea')!;
    const after = (['warm', 'cool'] as const).map((name) => toTensor(operate(before, name)));
    const { pictures, decodings } = await restore({ plugin, source, before: toTensor(before), after });
    expect(decodings).toBe(1);
    expect(firstDifference(pictures[0]!.data, pictures[1]!.data)).not.toBe(-1);
  });

  it('are the same in small strips', async () => {
    const { source, before } = subjects.get('chelsea')!;
    const after = operate(before, 'vignette');
    const small = preserve({ stripPixels: 1 });
    const { pictures } = await restore({ plugin: small, source, before: toTensor(before), after: [toTensor(after)] });
    expect(firstDifference(pictures[0]!.data, (await preserved({ source, before }, after)).data)).toBe(-1);
    await small.close?.();
  });
});

describe('the plugin', () => {
  const picture = (): HostTensor<'float32'> => toTensor(subjects.get('chelsea')!.before);
  const untouched = async (request: Partial<ResolvedRequest>): Promise<Restored> =>
    restore({ plugin, source: subjects.get('chelsea')!.source, before: picture(), after: [picture()], request });

  it('does nothing when it is off', async () => {
    expect((await untouched({ preserve: 'off' })).pictures).toEqual([undefined]);
  });

  it('does nothing to a picture made from nothing', async () => {
    const generated = restore({
      plugin,
      source: undefined,
      before: picture(),
      after: [picture()],
      request: { task: 'generate' },
    });
    expect(await generated).toMatchObject({ pictures: [undefined], warnings: [], decodings: 0 });
  });

  it.each(['reference', 'pipeline'] as const)('says so when geometry %s moves the picture', async (geometry) => {
    const { pictures, warnings } = await untouched({ geometry });
    expect(pictures).toEqual([undefined]);
    expect(warnings).toMatchObject([{ code: 'preserve-skipped' }]);
  });

  it('stops when the edit is cancelled, and works again', async () => {
    const { source, before } = subjects.get('chelsea')!;
    const after = operate(before, 'warm');
    const controller = new AbortController();
    const running = restore({
      plugin,
      source,
      before: toTensor(before),
      after: [toTensor(after)],
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error('enough')), 5);
    await expect(running).rejects.toBeInstanceOf(AbortedError);
    expect(firstDifference((await preserved({ source, before }, after)).data, source.data)).not.toBe(-1);
  });

  it('works again after it was closed', async () => {
    const subject = subjects.get('chelsea')!;
    await plugin.close?.();
    await plugin.close?.();
    expect(
      firstDifference((await preserved(subject, operate(subject.before, 'warm'))).data, subject.source.data),
    ).not.toBe(-1);
  });

  it.each([{ changeThreshold: -1 }, { contentThreshold: Number.NaN }, { stripPixels: 0 }])('refuses %o', (options) => {
    expect(() => preserve(options)).toThrow(InvalidArgumentError);
  });

  it('refuses latents of another size', async () => {
    const { source } = subjects.get('chelsea')!;
    const wrong = hostTensor('float32', [1, 3, 2, 4], new Float32Array(24));
    await expect(restore({ plugin, source, before: wrong, after: [picture()] })).rejects.toThrow(
      "Expected the decoded picture's size, 304 x 208 for sourceLatents but received 4 x 2",
    );
  });

  it('refuses what is no picture', async () => {
    const { source } = subjects.get('chelsea')!;
    const wrong = hostTensor('float32', [1, 1, 2, 2], new Float32Array(4));
    await expect(restore({ plugin, source, before: picture(), after: [wrong] })).rejects.toThrow(
      'Expected a picture tensor [1, 3, height, width] for decoded but received [1, 1, 2, 2]',
    );
  });
});
