import type { Picture } from './picture.ts';
import { smooth } from './point-operations.ts';

/** The colours of scenes: red, green, blue in 0..1. */
export const SCENE_COLORS = {
  red: [0.85, 0.1, 0.1],
  green: [0.1, 0.7, 0.15],
  blue: [0.1, 0.2, 0.9],
  yellow: [0.95, 0.85, 0.1],
  purple: [0.55, 0.1, 0.75],
  teal: [0.05, 0.65, 0.65],
  orange: [0.95, 0.5, 0.05],
  pink: [0.98, 0.45, 0.7],
  white: [0.93, 0.93, 0.93],
  black: [0.06, 0.06, 0.06],
  gray: [0.5, 0.5, 0.5],
  brown: [0.42, 0.26, 0.13],
} as const satisfies Record<string, readonly [number, number, number]>;
export type SceneColor = keyof typeof SCENE_COLORS;
export const SCENE_COLOR_NAMES = Object.keys(SCENE_COLORS) as readonly SceneColor[];

/** A picture that a small model can make from text alone: one colour above a soft horizon, one below. */
export interface Scene {
  readonly above: SceneColor;
  readonly below: SceneColor;
}

export const SCENES: readonly Scene[] = SCENE_COLOR_NAMES.flatMap((above) =>
  SCENE_COLOR_NAMES.map((below) => ({ above, below })),
);

export function sceneName({ above, below }: Scene): string {
  return above === below ? `${above} all over` : `${above} over ${below}`;
}

/**
 * The exact picture of a scene. The two colours meet in the middle, over 12 % of the height, and both are lighter towards there: with y
 * in 0..1 at the middle of a row, by 0.2 (1 - |2y - 1|) of what they lack to white. The same colour twice is that colour all over.
 */
export function paintScene(options: Scene & { readonly width: number; readonly height: number }): Picture {
  const { above, below, width, height } = options;
  const count = width * height;
  const values = new Float32Array(3 * count);
  for (let row = 0; row < height; row++) {
    const y = (row + 0.5) / height;
    const ground = smooth((y - 0.44) / 0.12);
    const lighter = above === below ? 0 : 0.2 * (1 - Math.abs(2 * y - 1));
    for (let channel = 0; channel < 3; channel++) {
      const color =
        (SCENE_COLORS[above][channel] as number) * (1 - ground) + (SCENE_COLORS[below][channel] as number) * ground;
      const start = channel * count + row * width;
      values.fill(color + (1 - color) * lighter, start, start + width);
    }
  }
  return { width, height, values };
}
