import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goldenJson } from '../../../../test/golden-vectors.js';
import { InvalidImageError } from '../errors/index.js';
import { checkSideRatio, coverAndCrop, letterbox, roundHalfToEven, smartResize } from './geometry.js';
import { closestBin } from './resolution-bins.js';

type Pair = [number, number];

interface Row {
  height: number;
  width: number;
  smart_resize_32: Pair;
  smart_resize_28: Pair;
  bin: Pair;
  bin_of_bin: Pair;
  letterbox_resize: Pair;
  letterbox_crop_xyxy: [number, number, number, number];
  pipeline_resize: Pair;
  pipeline_crop_yx: Pair;
}

const rows = goldenJson<Row[]>('vectors/geometry.json');
const limits = { minPixels: 352 ** 2, maxPixels: 672 ** 2 };
const pair = ({ width, height }: { width: number; height: number }): Pair => [height, width];

test.each(rows)('$height x $width is placed as by the reference', (row) => {
  const source = { width: row.width, height: row.height };
  const bin = closestBin(source);
  const fitted = letterbox({ source, bin });
  const covering = coverAndCrop({ source: bin, target: source });
  const { left, top, right, bottom } = fitted.crop;
  expect({
    ...source,
    smart_resize_32: pair(smartResize({ ...source, factor: 32, ...limits })),
    smart_resize_28: pair(smartResize({ ...source, factor: 28, ...limits })),
    bin: pair(bin),
    bin_of_bin: pair(closestBin(bin)),
    letterbox_resize: pair(fitted.resized),
    letterbox_crop_xyxy: [left, top, right, bottom],
    pipeline_resize: pair(covering.resized),
    pipeline_crop_yx: [covering.top, covering.left],
  }).toEqual(row);
});

const tables = goldenJson<{ tables: Record<string, Record<string, Pair>> }>('vectors/bins.json').tables;

test.each(Object.entries(tables))('the %s table is the authors', (base, table) => {
  const area = Number(base) ** 2;
  // The golden file lists one ratio a line; a picture of exactly that ratio and area falls into its bin.
  for (const [ratio, size] of Object.entries(table)) {
    const width = Math.sqrt(area / Number(ratio));
    expect(pair(closestBin({ width, height: width * Number(ratio) }))).toEqual(size);
  }
});

test('of two equally near ratios the first is taken', () => {
  // 3:4 lies midway between 0.72 and 0.78, 5:4 midway between 1.21 and 1.29.
  expect(closestBin({ width: 640, height: 480 })).toEqual({ width: 576, height: 416 });
  expect(closestBin({ width: 400, height: 500 })).toEqual({ width: 448, height: 544 });
});

test('a small checkpoint has the 512 table halved, whatever the area', () => {
  for (const [ratio, [height, width]] of Object.entries(tables['512']!)) {
    const side = 1000;
    const halved = { height: height / 2, width: width / 2 };
    expect(closestBin({ width: side, height: side * Number(ratio), baseSize: 256 })).toEqual(halved);
  }
  expect(closestBin({ width: 6000, height: 6000, baseSize: 511 })).toEqual({ width: 256, height: 256 });
});

test('sides of over 1:200 are refused', () => {
  expect(() => smartResize({ width: 201, height: 1, factor: 32, ...limits })).toThrow(InvalidImageError);
  expect(() => checkSideRatio({ width: 1, height: 201 })).toThrow('at most 1:200 but received 1 x 201 pixels');
  expect(() => checkSideRatio({ width: 1, height: 200 })).not.toThrow();
  expect(smartResize({ width: 200, height: 1, factor: 32, ...limits })).toEqual({ width: 4992, height: 32 });
});

test('halves round to even', () => {
  expect([0.5, 1.5, 2.5, -1.5, 2.4, 2.6].map(roundHalfToEven)).toEqual([0, 2, 2, -2, 2, 3]);
});

const side = fc.integer({ min: 1, max: 12_000 });

test('any picture gets sizes that can be computed with', () => {
  fc.assert(
    fc.property(side, side, fc.constantFrom(16, 28, 32), (width, height, factor) => {
      fc.pre(Math.max(width, height) / Math.min(width, height) <= 200);
      const seen = smartResize({ width, height, factor, ...limits });
      expect([seen.width % factor, seen.height % factor]).toEqual([0, 0]);
      expect(Math.min(seen.width, seen.height)).toBeGreaterThan(0);
      const bin = closestBin({ width, height });
      expect([bin.width % 32, bin.height % 32]).toEqual([0, 0]);
      expect(closestBin(bin)).toEqual(bin);
      const { crop } = letterbox({ source: { width, height }, bin });
      expect(crop.left).toBeGreaterThanOrEqual(0);
      expect(crop.top).toBeGreaterThanOrEqual(0);
      expect(crop.right).toBeGreaterThan(crop.left);
      expect(crop.bottom).toBeGreaterThan(crop.top);
      expect(crop.right).toBeLessThanOrEqual(bin.width);
      expect(crop.bottom).toBeLessThanOrEqual(bin.height);
    }),
  );
});
