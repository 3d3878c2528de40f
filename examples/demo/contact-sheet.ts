import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import opentype, { type Font, type PathCommand } from 'opentype.js';
import sharp from 'sharp';

/** A picture of the sheet and what is written under it. */
export interface SheetEntry {
  /** A picture file's bytes. */
  readonly picture: Uint8Array;
  readonly label: string;
}

export interface ContactSheetOptions {
  /** Pictures of one shape. */
  readonly entries: readonly SheetEntry[];
  readonly columns: number;
  /** Width of every picture on the sheet, in pixels. */
  readonly width: number;
}

const GAP = 14;
const LABEL_HEIGHT = 34;
const FONT_SIZE = 18;

/** Pictures in rows, each with its label, as PNG. */
export async function contactSheet({ entries, columns, width }: ContactSheetOptions): Promise<Buffer> {
  const font = await loadFont();
  const cells = await Promise.all(
    entries.map(async ({ picture, label }) => {
      const resized = await sharp(picture).resize({ width }).png().toBuffer({ resolveWithObject: true });
      return { data: resized.data, height: resized.info.height, label: labelPicture(font, label, width) };
    }),
  );
  const height = Math.max(...cells.map((cell) => cell.height));
  const rows = Math.ceil(cells.length / columns);
  const layers = cells.flatMap(({ data, label }, index) => {
    const left = GAP + (index % columns) * (width + GAP);
    const top = GAP + Math.floor(index / columns) * (height + LABEL_HEIGHT + GAP);
    return [
      { input: data, left, top },
      { input: label, left, top: top + height },
    ];
  });
  const canvas = {
    width: GAP + columns * (width + GAP),
    height: GAP + rows * (height + LABEL_HEIGHT + GAP),
    channels: 3 as const,
    background: '#ffffff',
  };
  return sharp({ create: canvas }).composite(layers).png().toBuffer();
}

/** A font of our own, as a machine without a desktop often has none. */
async function loadFont(): Promise<Font> {
  const file = import.meta.resolve('@fontsource/lato/files/lato-latin-400-normal.woff');
  return opentype.parse(Uint8Array.from(await readFile(fileURLToPath(file))).buffer);
}

/** The label as outlines, which need no font to draw. */
function labelPicture(font: Font, label: string, width: number): Buffer {
  const { commands } = font.getPath(label, 0, FONT_SIZE * 1.2, FONT_SIZE);
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${LABEL_HEIGHT}">` +
      `<path d="${commands.map(pathCommand).join('')}" fill="#222222"/></svg>`,
  );
}

/** A command of an outline as SVG writes it; the library's own writer turns numbers next to zero into NaN. */
function pathCommand(command: PathCommand): string {
  const numbers =
    command.type === 'Z'
      ? []
      : command.type === 'C'
        ? [command.x1, command.y1, command.x2, command.y2, command.x, command.y]
        : command.type === 'Q'
          ? [command.x1, command.y1, command.x, command.y]
          : [command.x, command.y];
  return `${command.type}${numbers.map((number) => number.toFixed(2)).join(' ')}`;
}
