import { describe, expect, test } from 'vitest';
import { type Picture, quantised } from './picture.ts';
import { paintScene, SCENES, type Scene, sceneName } from './scene.ts';
import { SceneTargets } from './scene-targets.ts';

function colorAt({ values }: Picture, pixel: number): number[] {
  const count = values.length / 3;
  return [0, 1, 2].map((channel) => Number((values[channel * count + pixel] as number).toFixed(4)));
}

// Worked out by hand from the formula.
describe('the exact picture', () => {
  test.each<[above: Scene['above'], below: Scene['below'], height: number, row: number, color: number[]]>([
    // Half way to the horizon: a tenth of what is lacking to white.
    ['red', 'blue', 2, 0, [0.865, 0.19, 0.19]],
    ['red', 'blue', 2, 1, [0.19, 0.28, 0.91]],
    // On it: half of each colour, and a fifth of what is lacking.
    ['black', 'white', 1, 0, [0.596, 0.596, 0.596]],
    // y = 0.1 and 0.3: 0.04 and 0.12 of it.
    ['teal', 'pink', 5, 0, [0.088, 0.664, 0.664]],
    ['teal', 'pink', 5, 1, [0.164, 0.692, 0.692]],
    ['teal', 'pink', 5, 4, [0.9808, 0.472, 0.712]],
    // y = 0.47: a quarter into the soft border, 0.15625 of the lower colour, 0.188 of what is lacking.
    ['green', 'brown', 50, 23, [0.3098, 0.7006, 0.3073]],
    // y = 0.43: above it.
    ['green', 'brown', 50, 21, [0.2548, 0.7516, 0.2962]],
  ])('%s over %s, %i rows, row %i', (above, below, height, row, color) => {
    const width = 3;
    const picture = paintScene({ above, below, width, height });
    expect(picture).toMatchObject({ width, height });
    for (const column of [0, 2]) expect(colorAt(picture, row * width + column)).toEqual(color);
  });

  test('the same colour twice is that colour all over', () => {
    const picture = paintScene({ above: 'orange', below: 'orange', width: 2, height: 5 });
    for (let pixel = 0; pixel < 10; pixel++) expect(colorAt(picture, pixel)).toEqual([0.95, 0.5, 0.05]);
  });
});

test('names tell all of them apart', () => {
  expect(SCENES).toHaveLength(144);
  expect(new Set(SCENES.map(sceneName)).size).toBe(144);
  expect(sceneName({ above: 'red', below: 'blue' })).toBe('red over blue');
  expect(sceneName({ above: 'red', below: 'red' })).toBe('red all over');
});

describe('the nearest scene', () => {
  test('of an exact picture is itself, as 8 bits too', () => {
    const targets = new SceneTargets();
    for (const scene of SCENES) {
      expect(targets.nearest(quantised(paintScene({ ...scene, width: 6, height: 10 }))), sceneName(scene)).toEqual(
        scene,
      );
    }
  });

  test('is found at any size, and in a picture that is off', () => {
    const targets = new SceneTargets();
    for (const [width, height] of [
      [30, 20],
      [7, 90],
      [160, 80],
    ] as const) {
      const exact = paintScene({ above: 'yellow', below: 'purple', width, height });
      const off = exact.values.map((value, index) => value * 0.85 + 0.05 * Math.sin(index));
      expect(targets.nearest({ width, height, values: off })).toEqual({ above: 'yellow', below: 'purple' });
    }
  });

  test('upside down is another one', () => {
    const { width, height, values } = paintScene({ above: 'blue', below: 'green', width: 4, height: 8 });
    const turned = values.map((_, index) => {
      const plane = width * height;
      const pixel = index % plane;
      return values[index - pixel + plane - 1 - pixel] as number;
    });
    expect(new SceneTargets().nearest({ width, height, values: turned })).toEqual({ above: 'green', below: 'blue' });
  });
});
