import type { Totals } from './summary.ts';

/** The columns that a line of totals is shown in, in the console and in the report. */
export const TOTALS_COLUMNS: readonly (readonly [title: string, value: (totals: Totals) => string])[] = [
  ['', ({ name }) => name],
  ['edits', ({ edits }) => String(edits)],
  ['nearest', ({ nearest }) => nearest.toFixed(3)],
  ['PSNR', ({ psnr }) => psnr.toFixed(1)],
  ['SSIM', ({ ssim }) => ssim.toFixed(3)],
  ['dE', ({ deltaE }) => deltaE.toFixed(1)],
  ['oracle', ({ oracle }) => oracle?.nearest.toFixed(3) ?? ''],
  ['its PSNR', ({ oracle }) => oracle?.psnr.toFixed(1) ?? ''],
  ['its SSIM', ({ oracle }) => oracle?.ssim.toFixed(3) ?? ''],
  ['kept +-', ({ keptLevels }) => keptLevels?.toFixed(2) ?? ''],
  ['shift', ({ shift }) => shift.toFixed(2)],
  ['fine', ({ sharpness }) => sharpness.toFixed(2)],
  ['left alone', ({ leftAlone }) => leftAlone.toFixed(3)],
  ['seconds', ({ seconds }) => seconds.toFixed(2)],
];

/** Lines of totals for a console. */
export function textTable(lines: readonly Totals[]): string {
  const cells = [
    TOTALS_COLUMNS.map(([title]) => title),
    ...lines.map((line) => TOTALS_COLUMNS.map(([, value]) => value(line))),
  ];
  const widths = TOTALS_COLUMNS.map((_, column) => Math.max(...cells.map((line) => (line[column] as string).length)));
  return cells
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join('  '),
    )
    .join('\n');
}
