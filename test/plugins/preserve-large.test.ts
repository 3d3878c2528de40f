import type { Raster8 } from '@vibe-edit/core/runtime';
import { preserve } from '@vibe-edit/plugins/preserve';
import { describe, expect, it } from 'vitest';
import { longestTurn } from '../longest-turn.js';
import { type FloatPicture, operate } from './exact-operations.js';
import { fromTensor, photo, throughAutoencoder, toTensor, workingTensor } from './pictures.js';
import { restore } from './restore.js';

/** 24 megapixels, and the working size of a checkpoint of 1024 pixels. */
const SIZE = { width: 6000, height: 4000 };
const WORKING = { width: 1248, height: 832 };
/** A new object: columns and rows of the working picture. */
const OBJECT = { left: 500, right: 700, top: 300, bottom: 460 };

/** Peak of the memory that the process holds, above where it began, in bytes. */
async function peakMemory<Value>(work: () => Promise<Value>): Promise<{ value: Value; bytes: number }> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  try {
    return { value: await work(), bytes: peak - before };
  } finally {
    clearInterval(watch);
  }
}

/** Largest difference between the picture and the exact edit, in levels, over a sample of the pixels for which `where` holds. */
function furthest(
  result: Raster8,
  source: Raster8,
  exact: (source: FloatPicture) => FloatPicture,
  where: (x: number, y: number) => boolean,
): number {
  let most = 0;
  for (let pixel = 0; pixel < result.width * result.height; pixel += 1009) {
    if (!where((pixel % result.width) / result.width, Math.floor(pixel / result.width) / result.height)) continue;
    const values = Float64Array.from(source.data.subarray(pixel * 3, pixel * 3 + 3), (value) => value / 255);
    const expected = exact({ width: 1, height: 1, values }).values;
    for (let channel = 0; channel < 3; channel++) {
      most = Math.max(most, Math.abs(expected[channel]! * 255 - result.data[pixel * 3 + channel]!));
    }
  }
  return most;
}

describe('preserve on a photo of 24 megapixels', () => {
  it('brings tone and new content to full size, with the event loop and the memory free', async () => {
    const source = await photo('chelsea', SIZE);
    const before = throughAutoencoder(fromTensor(await workingTensor(source, WORKING)));
    const after = operate(before, 'warm');
    for (let y = OBJECT.top; y < OBJECT.bottom; y++) {
      // Broad stripes, black and white.
      for (let x = OBJECT.left; x < OBJECT.right; x++)
        after.values.fill(Math.floor(x / 20) % 2, (y * WORKING.width + x) * 3, (y * WORKING.width + x + 1) * 3);
    }
    const plugin = preserve();
    const tensors = { before: toTensor(before), after: [toTensor(after)] };
    // The hook is measured, not the resizing of the source, which is the pipeline's.
    const small = await workingTensor(source, WORKING);
    const started = performance.now();
    const measured = await peakMemory(() =>
      longestTurn(() => restore({ plugin, source, ...tensors, request: { preserve: 'auto' }, working: small })),
    );
    console.info(
      `24 megapixels: ${((performance.now() - started) / 1000).toFixed(1)} s, ` +
        `longest turn of the event loop ${measured.value.milliseconds.toFixed(1)} ms, ` +
        `memory ${(measured.bytes / 2 ** 20).toFixed(0)} MiB`,
    );
    const result = measured.value.value.pictures[0]!;
    expect(measured.value.milliseconds).toBeLessThan(50);
    expect(measured.bytes).toBeLessThan(400 * 2 ** 20);
    const outside = (x: number, y: number): boolean =>
      x * WORKING.width < OBJECT.left - 60 ||
      x * WORKING.width > OBJECT.right + 60 ||
      y * WORKING.height < OBJECT.top - 60 ||
      y * WORKING.height > OBJECT.bottom + 60;
    expect(furthest(result, source, (pixel) => operate(pixel, 'warm'), outside)).toBeLessThan(6);
    // In the middle of a white stripe of the object.
    const white =
      (Math.floor((380 / WORKING.height) * SIZE.height) * SIZE.width +
        Math.floor((590.5 / WORKING.width) * SIZE.width)) *
      3;
    expect([...result.data.subarray(white, white + 3)].every((value) => value > 250)).toBe(true);
    await plugin.close?.();
  }, 120_000);
});
