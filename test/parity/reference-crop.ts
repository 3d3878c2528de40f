import { coverAndCrop, type HostTensor, type Raster8, resizeBilinear, tensorToRaster } from '@vibe-edit/core';

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * A decoded picture as the reference crops it where it goes wrong, which is not copied: its enlarged picture may come out a pixel short of
 * the target, the crop then begins at -1, and that means the last row or column. What is left is one pixel high or wide.
 *
 * @returns undefined where the reference crops as it should
 */
export async function croppedAsReference(options: {
  image: HostTensor<'float32'>;
  target: Size;
}): Promise<Raster8 | undefined> {
  const { image, target } = options;
  const [, , height = 0, width = 0] = image.shape;
  const { resized, left, top } = coverAndCrop({ source: { width, height }, target });
  if (left >= 0 && top >= 0) return undefined;
  const enlarged = await tensorToRaster({ image: await resizeBilinear({ image, ...resized }) });
  const across = sliced(left, target.width, resized.width);
  const down = sliced(top, target.height, resized.height);
  const rows = Array.from({ length: down.count }, (_, row) => {
    const first = ((down.start + row) * resized.width + across.start) * 3;
    return Array.from(enlarged.data.subarray(first, first + across.count * 3));
  });
  return { width: across.count, height: down.count, channels: 3, data: Uint8Array.from(rows.flat()) };
}

/** `values[start : start + length]` of Python. */
function sliced(start: number, length: number, size: number): { start: number; count: number } {
  const from = start < 0 ? size + start : start;
  return { start: from, count: Math.max(0, Math.min(start + length, size) - from) };
}
