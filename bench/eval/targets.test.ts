import { expect, test } from 'vitest';
import { apply, applyAll, DETAIL_FAMILIES, MAIN_FAMILIES, type Operation, STRENGTH_NAMES } from './operations.ts';
import { type Picture, quantised } from './picture.ts';
import { Targets } from './targets.ts';

/** Shaded colours of all hues. */
function colorful(): Picture {
  const side = 48;
  const values = Float32Array.from({ length: 3 * side * side }, (_, index) => {
    const channel = Math.floor(index / (side * side));
    const x = (index % side) / side;
    const y = (Math.floor(index / side) % side) / side;
    return 0.45 + 0.35 * Math.sin(7 * x + 2.1 * channel + 3 * y) + 0.1 * Math.sin(31 * x * y + channel);
  });
  return quantised({ width: side, height: side, values });
}

test('an exact result is nearest to itself, at every strength', () => {
  const picture = colorful();
  const targets = new Targets(picture);
  for (const family of [...MAIN_FAMILIES, ...DETAIL_FAMILIES]) {
    for (const strength of STRENGTH_NAMES) {
      const operations: Operation[] = [{ family, strength }];
      expect(targets.nearest(apply(operations[0]!, picture), operations).right, `${family} ${strength}`).toBe(true);
    }
  }
});

test('a result of another family is told apart, and so is none', () => {
  const picture = colorful();
  const targets = new Targets(picture);
  const sepia = apply({ family: 'sepia', strength: 'plain' }, picture);
  const wanted: Operation[] = [{ family: 'warm', strength: 'plain' }];
  expect(targets.nearest(sepia, wanted)).toEqual({ name: 'sepia', right: false });
  expect(targets.nearest(picture, wanted)).toEqual({ name: 'source', right: false });
  expect(targets.nearest(picture, [])).toEqual({ name: 'source', right: true });
  expect(targets.nearest(sepia, [])).toEqual({ name: 'sepia', right: false });
});

test('of two operations, either order is right and one alone is not', () => {
  const picture = colorful();
  const targets = new Targets(picture);
  const warm: Operation = { family: 'warm', strength: 'plain' };
  const darker: Operation = { family: 'darken', strength: 'weak' };
  expect(targets.nearest(applyAll([warm, darker], picture), [warm, darker]).right).toBe(true);
  expect(targets.nearest(applyAll([darker, warm], picture), [warm, darker]).right).toBe(true);
  expect(targets.nearest(apply(warm, picture), [warm, darker])).toEqual({ name: 'warm', right: false });
});

test('a recolouring competes where the colour is there', () => {
  const picture = colorful();
  const targets = new Targets(picture);
  expect(targets.colorShare('blue')).toBeGreaterThan(0.05);
  const wanted: Operation = { family: 'recolor', from: 'blue', to: 'red' };
  expect(targets.nearest(apply(wanted, picture), [wanted]).right).toBe(true);
  expect(targets.nearest(apply(wanted, picture), [])).toEqual({ name: 'blue to red', right: false });
});

test('what means nothing on a picture has no effect', () => {
  const gray = apply({ family: 'grayscale', strength: 'plain' }, colorful());
  const targets = new Targets(quantised(gray));
  expect(targets.effect([{ family: 'desaturate', strength: 'plain' }])).toBeLessThan(0.01);
  expect(targets.effect([{ family: 'invert', strength: 'plain' }])).toBeGreaterThan(5);
  expect(targets.colorShare('red')).toBe(0);
});
