import sharp from 'sharp';

/** A mask of 64 x 64 whose left half is transparent, where a picture may change, and whose right half is opaque. */
export async function halfMask(): Promise<Buffer> {
  const rgba = Uint8Array.from({ length: 64 * 64 * 4 }, (_, at) => (at % 4 === 3 && (at >> 2) % 64 >= 32 ? 255 : 0));
  return await sharp(rgba, { raw: { width: 64, height: 64, channels: 4 } })
    .png()
    .toBuffer();
}

/** The pixels of a half of a picture of 64 x 64. */
export async function halfOf(file: Uint8Array, left: 0 | 32): Promise<Buffer> {
  return await sharp(file).removeAlpha().extract({ left, top: 0, width: 32, height: 64 }).raw().toBuffer();
}
