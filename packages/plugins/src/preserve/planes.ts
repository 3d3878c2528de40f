import type { HostTensor } from '@vibe-edit/core/runtime';
import { InvalidArgumentError } from '@vibe-edit/core/runtime';

/** A picture at working size: red plane, green plane, blue plane, nominally -1..1 and not clamped, as the autoencoder gives it. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  /** `3 * width * height` values. */
  readonly values: Float32Array;
}

/**
 * The picture that a tensor [1, 3, height, width] holds; no copy.
 * @throws {InvalidArgumentError} the tensor has another shape
 */
export function toPlanes(argument: string, tensor: HostTensor<'float32'>): Planes {
  const [batch, channels, height, width] = tensor.shape;
  if (tensor.shape.length !== 4 || batch !== 1 || channels !== 3 || !height || !width) {
    const received = `[${tensor.shape.join(', ')}]`;
    throw new InvalidArgumentError({ argument, expected: 'a picture tensor [1, 3, height, width]', received });
  }
  return { width, height, values: tensor.values };
}

/**
 * Every n-th pixel of every n-th row, so that the picture has at most about `pixels` pixels. Pixels are left out, not averaged: what is
 * measured on single pixels stays what it was.
 */
export function thinOut(picture: Planes, pixels: number): Planes {
  const { width, height, values } = picture;
  const step = Math.ceil(Math.sqrt((width * height) / pixels));
  if (step <= 1) return picture;
  const thin = { width: Math.ceil(width / step), height: Math.ceil(height / step) };
  const kept = new Float32Array(3 * thin.width * thin.height);
  let index = 0;
  for (let row = 0; row < 3 * height; row++) {
    if ((row % height) % step !== 0) continue;
    for (let x = 0; x < width; x += step) kept[index++] = values[row * width + x]!;
  }
  return { ...thin, values: kept };
}
