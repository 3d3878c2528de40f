import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import sharp from 'sharp';
import { type Picture, toPixels } from './picture.ts';

/** Height of the pictures of a strip, in pixels. */
const HEIGHT = 150;
const GAP = 4;

/** Pictures side by side as one small JPEG. */
export async function writeStrip(file: string, pictures: readonly Picture[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const cells = await Promise.all(
    pictures.map(async (picture) => {
      const { width, height, data } = toPixels(picture);
      return await sharp(data, { raw: { width, height, channels: 3 } })
        .resize({ height: HEIGHT })
        .raw()
        .toBuffer({ resolveWithObject: true });
    }),
  );
  let left = -GAP;
  const layers = cells.map(({ data, info }) => {
    const { width, height, channels } = info;
    const layer = { input: data, raw: { width, height, channels }, left: left + GAP, top: 0 };
    left = layer.left + width;
    return layer;
  });
  await sharp({ create: { width: left, height: HEIGHT, channels: 3, background: '#808080' } })
    .composite(layers)
    .jpeg({ quality: 82 })
    .toFile(file);
}
