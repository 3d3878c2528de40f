import type { HeldPicture } from '../edit-tree.js';
import type { ServerInfo } from '../job-view.js';

/** What the server reads; a browser may know more (HEIC on Apple's systems). */
const READABLE = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff', 'image/avif'];

/**
 * Makes a chosen file ready to be sent: pictures in formats that the server does not read, and those that are too large for it, are
 * written anew by the browser.
 * @throws {Error} when the browser cannot read it as a picture either.
 */
export async function prepareFile(
  file: Blob,
  name: string,
  limits: ServerInfo['limits'] | undefined,
): Promise<HeldPicture> {
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (bitmap === undefined) throw new Error(`“${name}” is not a picture that can be read here`);
  const { width, height } = bitmap;
  const pixels = width * height;
  const maxPixels = limits?.max_pixels ?? Number.POSITIVE_INFINITY;
  const fits = pixels <= maxPixels && file.size <= (limits?.max_image_bytes ?? Number.POSITIVE_INFINITY);
  if (fits && READABLE.includes(file.type)) {
    bitmap.close();
    return { file, name, width, height, url: URL.createObjectURL(file) };
  }
  const scale = Math.min(1, Math.sqrt(maxPixels / pixels));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.floor(width * scale));
  canvas.height = Math.max(1, Math.floor(height * scale));
  const context = canvas.getContext('2d');
  if (context !== null) {
    // JPEG has no transparency: white lies behind, as the model sees it.
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  }
  bitmap.close();
  const written = await toBlob(canvas, 'image/jpeg', 0.95);
  return {
    file: written,
    name: `${name.replace(/\.[^.]{1,5}$/, '')}.jpg`,
    width: canvas.width,
    height: canvas.height,
    url: URL.createObjectURL(written),
  };
}

/** The canvas as a file. */
export async function toBlob(canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob> {
  return await new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large'))), type, quality);
  });
}
