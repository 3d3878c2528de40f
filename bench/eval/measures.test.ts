import { expect, test } from 'vitest';
import { kept, labDistance, psnr, ssim, structure, toLab } from './measures.ts';
import { apply, type Strength } from './operations.ts';
import { type Picture, quantised } from './picture.ts';

/** Waves of two lengths. */
function waves(shift = 0): Picture {
  const side = 32;
  const values = Float32Array.from({ length: 3 * side * side }, (_, index) => {
    const x = (index % side) + shift;
    const y = Math.floor(index / side) % side;
    return 0.5 + 0.2 * Math.sin(x / 2) + 0.2 * Math.cos(y / 3 + x / 5);
  });
  return { width: side, height: side, values };
}

test('Lab of colours with known values', () => {
  const lab = (r: number, g: number, b: number): number[] => [...toLab({ values: Float32Array.of(r, g, b) })];
  const near = (values: number[], expected: number[]): void =>
    values.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index] as number, 1);
    });
  near(lab(1, 1, 1), [100, 0, 0]);
  near(lab(0, 0, 0), [0, 0, 0]);
  near(lab(1, 0, 0), [53.24, 80.09, 67.2]);
  near(lab(0, 0, 1), [32.3, 79.19, -107.86]);
  near(lab(0.5, 0.5, 0.5), [53.39, 0, 0]);
});

test('the distance is the mean over pixels', () => {
  // Two pixels, planes one after the other: (0, 0, 0) and (0, 0, 0) against (3, 0, 4) and (0, 1, 0).
  expect(labDistance(new Float32Array(6), Float32Array.of(3, 0, 0, 1, 4, 0))).toBe(3);
});

test('PSNR', () => {
  const a = waves();
  expect(psnr(a, { ...a, values: a.values.map((value) => value + 0.1) })).toBeCloseTo(20, 3);
  expect(psnr(a, a)).toBe(99);
});

test('SSIM is 1 for the same picture, falls with blur and is negative for the negative', () => {
  const a = waves();
  const blurred = (strength: Strength): Picture => apply({ family: 'blur', strength }, a);
  expect(ssim(a, a)).toBeCloseTo(1, 6);
  expect(ssim(a, blurred('weak'))).toBeLessThan(ssim(a, a));
  expect(ssim(a, blurred('strong'))).toBeLessThan(ssim(a, blurred('weak')));
  expect(ssim(a, apply({ family: 'invert', strength: 'plain' }, a))).toBeLessThan(0);
});

test('SSIM of constant pictures follows from the means alone', () => {
  const flat = (value: number): Picture => ({ width: 16, height: 16, values: new Float32Array(768).fill(value) });
  // (2 * 0.4 * 0.5 + 0.0001) / (0.16 + 0.25 + 0.0001)
  expect(ssim(flat(0.4), flat(0.5))).toBeCloseTo(0.97561, 4);
});

test('what should stay is what the exact edit leaves', () => {
  const source = quantised(waves());
  const target = apply({ family: 'darken_left', strength: 'strong' }, source);
  const same = kept(source, target, target);
  expect(same.share).toBeGreaterThan(0.3);
  expect(same.share).toBeLessThan(0.5);
  expect(same.levels).toBeLessThan(0.2);
  const off = kept(source, target, { ...source, values: source.values.map((value) => value + 2 / 255) });
  expect(off.levels).toBeCloseTo(2, 2);
});

test('a shift and a blur are seen', () => {
  const target = waves();
  expect(structure(target, target)).toEqual({ shift: 0, sharpness: 1 });
  expect(structure(target, waves(0.25)).shift).toBeCloseTo(0.25, 1);
  expect(structure(target, apply({ family: 'blur', strength: 'strong' }, target)).sharpness).toBeLessThan(0.99);
});
