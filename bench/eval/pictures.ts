import { mkdir, readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import sharp from 'sharp';
import { wrong } from './checked-json.ts';
import { clamp, fromPixels, luma, type Picture, quantised, toPixels } from './picture.ts';
import { hsvToRgb, rgbToHsv } from './recolor.ts';

/** A picture that instructions are tried on. */
export interface Source {
  readonly name: string;
  /** PNG, as the editor gets it. */
  readonly file: string;
  readonly picture: Picture;
  /** Made for recolouring alone: a photo whose colours were turned. */
  readonly forRecolor: boolean;
}

const EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.avif'];

/**
 * The photos of the folders, and pictures made out of those of the first folder, each written as a PNG into `folder`.
 * @param options.folders Folders of photos
 * @param options.maxSide Larger photos are reduced to it first, in pixels
 * @throws {InvalidArgumentError} naming the folder or the photo that cannot be read.
 */
export async function loadSources(options: {
  folders: readonly string[];
  folder: string;
  maxSide: number;
}): Promise<Source[]> {
  await mkdir(options.folder, { recursive: true });
  const photos: { name: string; picture: Picture }[] = [];
  const first: Picture[] = [];
  for (const [index, folder] of options.folders.entries()) {
    const names = (await namesIn(folder)).filter((name) => EXTENSIONS.includes(extname(name).toLowerCase())).sort();
    for (const name of names) {
      const picture = await readPicture(join(folder, name), options.maxSide);
      photos.push({ name: basename(name, extname(name)), picture });
      if (index === 0) first.push(picture);
    }
  }
  const all = [...photos.map((photo) => ({ ...photo, forRecolor: false })), ...derivedPictures(first)];
  return await Promise.all(
    all.map(async ({ name, picture, forRecolor }, index) => {
      const file = join(options.folder, `${index}-${name.replaceAll(/[^\w-]/g, '_')}.png`);
      await writePicture(file, picture);
      return { name, file, picture: quantised(picture), forRecolor };
    }),
  );
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw wrong('photos', 'a folder of photos', (error as Error).message);
  }
}

async function readPicture(file: string, maxSide: number): Promise<Picture> {
  const reading = sharp(file)
    .rotate()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
    .raw();
  const { data, info } = await reading.toBuffer({ resolveWithObject: true }).catch((error: Error) => {
    throw wrong(file, 'a picture', error.message);
  });
  const { width, height, channels } = info;
  if (channels >= 3) return fromPixels({ width, height, channels, data });
  const gray = Uint8Array.from(
    { length: 3 * width * height },
    (_, index) => data[Math.floor(index / 3) * channels] as number,
  );
  return fromPixels({ width, height, channels: 3, data: gray });
}

/** Writes the picture as PNG. */
export async function writePicture(file: string, picture: Picture): Promise<void> {
  const { width, height, data } = toPixels(picture);
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);
}

/** Cases that photos seldom bring: each a function of the photos' pixels alone, so that they are the same everywhere. */
export function derivedPictures(photos: readonly Picture[]): Omit<Source, 'file'>[] {
  const [one] = photos;
  if (one === undefined) return [];
  const pick = (index: number): Picture => photos[index % photos.length] as Picture;
  const plain = (name: string, picture: Picture): Omit<Source, 'file'> => ({ name, picture, forRecolor: false });
  const turned = (name: string, picture: Picture, degrees: number): Omit<Source, 'file'> => ({
    name,
    picture: turnHue(picture, degrees),
    forRecolor: true,
  });
  return [
    plain(
      'very-dark',
      changed(pick(2), (value) => 0.45 * value ** 2),
    ),
    plain(
      'very-bright',
      changed(pick(1), (value) => 1 - 0.5 * (1 - value) ** 1.5),
    ),
    plain('gray', grayOf(pick(0))),
    plain('microscopy', microscopy(pick(2))),
    turned('blue-turned', pick(1), 195),
    turned('green-turned', pick(2), 100),
    turned('purple-turned', pick(0), 262),
    turned('yellow-turned', pick(1), 30),
  ];
}

function changed(picture: Picture, change: (value: number) => number): Picture {
  return { ...picture, values: picture.values.map(change) };
}

function fromLuma(picture: Picture, color: (light: number) => readonly [number, number, number]): Picture {
  const light = luma(picture);
  const values = new Float32Array(picture.values.length);
  light.forEach((value, pixel) => {
    color(value).forEach((channel, index) => {
      values[index * light.length + pixel] = clamp(channel);
    });
  });
  return { ...picture, values };
}

const grayOf = (picture: Picture): Picture => fromLuma(picture, (light) => [light, light, light]);

/** Two stains on black, as a fluorescence microscope shows them. */
const microscopy = (picture: Picture): Picture =>
  fromLuma(picture, (light) => {
    const first = (1 - light) ** 2.5;
    const second = Math.max(0, light - 0.35) ** 1.5 * 1.6;
    return [0.05 * first + 0.85 * second, first, 0.15 * first + 0.7 * second];
  });

function turnHue(picture: Picture, degrees: number): Picture {
  const count = picture.width * picture.height;
  const values = new Float32Array(picture.values.length);
  for (let pixel = 0; pixel < count; pixel++) {
    const at = (channel: number): number => picture.values[channel * count + pixel] as number;
    const [hue, saturation, value] = rgbToHsv(at(0), at(1), at(2));
    hsvToRgb((hue + degrees) % 360, Math.min(1, 1.3 * saturation), value).forEach((channel, index) => {
      values[index * count + pixel] = channel;
    });
  }
  return { ...picture, values };
}
