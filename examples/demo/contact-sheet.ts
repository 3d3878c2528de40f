import sharp from 'sharp';

/** A picture of the sheet and what is written under it. */
export interface SheetEntry {
  /** A picture file's bytes. */
  readonly picture: Uint8Array;
  readonly label: string;
}

export interface ContactSheetOptions {
  readonly entries: readonly SheetEntry[];
  readonly columns: number;
  /** Width of every picture on the sheet, in pixels. */
  readonly width: number;
}

const GAP = 12;
const LABEL_HEIGHT = 36;
const BACKGROUND = '#ffffff';

/** Pictures of one shape in rows, each with its label, as PNG. */
export async function contactSheet({ entries, columns, width }: ContactSheetOptions): Promise<Buffer> {
  const pictures = await Promise.all(entries.map(({ picture }) => sharp(picture).resize({ width }).png().toBuffer()));
  const { height = 0 } = await sharp(pictures[0]).metadata();
  const rows = Math.ceil(entries.length / columns);
  const cells = entries.flatMap(({ label }, index) => {
    const left = GAP + (index % columns) * (width + GAP);
    const top = GAP + Math.floor(index / columns) * (height + LABEL_HEIGHT + GAP);
    return [
      { input: pictures[index] as Buffer, left, top },
      { input: labelPicture(label, width), left, top: top + height },
    ];
  });
  const canvas = {
    width: GAP + columns * (width + GAP),
    height: GAP + rows * (height + LABEL_HEIGHT + GAP),
    channels: 3 as const,
    background: BACKGROUND,
  };
  return sharp({ create: canvas }).composite(cells).png().toBuffer();
}

function labelPicture(label: string, width: number): Buffer {
  const escaped = label.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${LABEL_HEIGHT}">` +
      `<text x="0" y="23" font-family="sans-serif" font-size="17" fill="#222222">${escaped}</text></svg>`,
  );
}
