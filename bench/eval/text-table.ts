import type { SceneTotals } from './scene-totals.ts';
import type { Totals } from './summary.ts';

/** The columns that a line of a table is shown in. */
export type Columns<Line> = readonly (readonly [title: string, value: (line: Line) => string])[];

/** Of totals, in the console and in the report. */
export const TOTALS_COLUMNS: Columns<Totals> = [
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

/** Of pictures from text. */
export const SCENE_COLUMNS: Columns<SceneTotals> = [
  ['from text', ({ name }) => name],
  ['pictures', ({ pictures }) => String(pictures)],
  ['right', ({ right }) => right.toFixed(3)],
  ['PSNR', ({ fidelity }) => fidelity?.psnr.toFixed(1) ?? ''],
  ['SSIM', ({ fidelity }) => fidelity?.ssim.toFixed(3) ?? ''],
  ['dE', ({ fidelity }) => fidelity?.deltaE.toFixed(1) ?? ''],
  ['not understood', ({ notUnderstood }) => notUnderstood.toFixed(3)],
  ['seconds', ({ seconds }) => seconds.toFixed(2)],
];

/** Lines of a table for a console. */
export function textTable<Line>(lines: readonly Line[], columns: Columns<Line>): string {
  const cells = [columns.map(([title]) => title), ...lines.map((line) => columns.map(([, value]) => value(line)))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => (line[column] as string).length)));
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
