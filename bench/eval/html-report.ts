import type { SceneRow } from './run-descriptions.ts';
import type { Row } from './run-trials.ts';
import type { Summary, Totals } from './summary.ts';
import { type Columns, SCENE_COLUMNS, TOTALS_COLUMNS } from './text-table.ts';

export interface Report {
  /** What was tried and on what, a line each. */
  readonly about: readonly string[];
  readonly summary: Summary;
  /** Results at other settings. */
  readonly settings: readonly Totals[];
  readonly rows: readonly Row[];
  /** Pictures from text. */
  readonly scenes: readonly SceneRow[];
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --soft: #8881 }
body { font: 14px/1.45 system-ui, sans-serif; margin: 24px auto; max-width: 1400px; padding: 0 16px }
h2 { margin: 40px 0 8px; font-size: 18px } h3 { margin: 28px 0 6px; font-size: 15px }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } td, th { padding: 2px 10px; text-align: right; border-bottom: 1px solid var(--line) }
td:first-child, th:first-child { text-align: left } .low { color: var(--bad); font-weight: 600 } .met { color: var(--good) }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 10px }
figure { margin: 0; padding: 6px; border: 2px solid transparent; border-radius: 6px; background: var(--soft) } figure.wrong { border-color: var(--bad) }
figure img { width: 100%; height: auto; display: block; border-radius: 2px } figcaption { margin-top: 4px; font-size: 12px; overflow-wrap: anywhere }
figcaption b { font-weight: 600 } figcaption span { opacity: .75 } .scroll { overflow-x: auto }
nav { display: flex; flex-wrap: wrap; gap: 4px 12px; margin: 8px 0 } details summary { cursor: pointer; font-weight: 600; margin: 12px 0 }
`;

/** One page: what the goals came to, the tables, and every edit as a strip, the wrong ones first and framed. */
export function htmlReport({ about, summary, settings, rows, scenes }: Report): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evaluation</title>
<style>${STYLE}</style>
<h1>Evaluation</h1>
<p>${about.map(escapeHtml).join('<br>')}</p>
<table><tr><th>goal</th><th>reached</th><th>wanted</th></tr>${summary.goals
    .map(
      ({ name, value, goal, met }) =>
        `<tr><td>${escapeHtml(name)}</td><td class="${met ? 'met' : 'low'}">${value.toFixed(3)}</td><td>${goal.toFixed(3)}</td></tr>`,
    )
    .join('')}</table>
${atAGlance(rows)}
${rows.length > 0 ? '<h2>Tables</h2>' : ''}
${section(
  'Overall',
  [summary.overall, summary.untaught, ...summary.kinds].filter(({ edits }) => edits > 0),
)}
${section('Families, English', summary.families)}
${section('Strengths', summary.strengths)}
${section('Wordings', summary.styles)}
${section('Languages (direct wordings)', summary.languages)}
${section('Pictures', summary.pictures)}
${section('Steps, guidance, seeds', settings)}
${ladders(summary)}
${fromText(summary, scenes)}
${everyEdit(rows)}
</html>
`;
}

const groupsOf = (rows: readonly Row[]): string[] => [...new Set(rows.map(({ group }) => group))];

/** The first edit of each group. */
function atAGlance(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const first = groupsOf(rows).flatMap((group) => {
    const own = rows.filter((row) => row.group === group);
    return own.find(({ strength }) => strength === 'plain' || strength === undefined) ?? [];
  });
  return `<h2>At a glance</h2>
<p>From left to right: the source, the exact result, what came out, and the oracle (the exact result through the same autoencoder and preservation). A red frame: another result is nearer.</p>
${sheet(first.map(figure))}`;
}

function everyEdit(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const groups = groupsOf(rows);
  const sections = groups.map((group) =>
    groupSection(
      group,
      rows.filter((row) => row.group === group),
    ),
  );
  return `<h2>Every edit</h2>
<nav>${groups.map((group) => `<a href="#${escapeHtml(group)}">${escapeHtml(group)}</a>`).join('')}</nav>
${sections.join('\n')}`;
}

function section(title: string, lines: readonly Totals[]): string {
  return table(
    title,
    lines,
    TOTALS_COLUMNS,
    (column, { nearest, ssim }) => (column === 'nearest' && nearest < 0.95) || (column === 'SSIM' && ssim < 0.95),
  );
}

function table<Line>(
  title: string,
  lines: readonly Line[],
  columns: Columns<Line>,
  isLow: (column: string, line: Line) => boolean,
): string {
  if (lines.length === 0) return '';
  const head = columns.map(([name]) => `<th>${escapeHtml(name)}</th>`).join('');
  const body = lines.map((line) => {
    const cells = columns.map(
      ([name, value]) => `<td${isLow(name, line) ? ' class="low"' : ''}>${escapeHtml(value(line))}</td>`,
    );
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<h3>${escapeHtml(title)}</h3><div class="scroll"><table><tr>${head}</tr>${body.join('')}</table></div>`;
}

/** The pictures from text: their tables, and the strips, those that went wrong first. */
function fromText({ scenes, sceneStyles }: Summary, rows: readonly SceneRow[]): string {
  if (rows.length === 0) return '';
  const sorted = [...rows].sort(
    (a, b) => Number(a.right) - Number(b.right) || (a.fidelity?.psnr ?? 0) - (b.fidelity?.psnr ?? 0),
  );
  const lines = [...scenes, ...sceneStyles];
  return `<h2>Pictures from text</h2>
<p>The exact picture, if a scene is described, and what came out. A red frame: another scene is nearer, or what is no scene came without its warning.</p>
${table('What they come to', lines, SCENE_COLUMNS, (column, { right }) => column === 'right' && right < 0.95)}
${sheet(sorted.map(sceneFigure))}`;
}

function ladders({ ladders: all }: Summary): string {
  const wrong = all.filter(({ ordered }) => !ordered);
  if (wrong.length === 0) return '';
  const lines = wrong.map(
    ({ family, picture, changes }) =>
      `<tr><td>${escapeHtml(family)}, ${escapeHtml(picture)}</td>${changes.map((value) => `<td>${value.toFixed(1)}</td>`).join('')}</tr>`,
  );
  return `<h3>Strengths out of order (mean colour difference from the source)</h3>
<table><tr><th></th><th>a bit</th><th>plain</th><th>strongly</th></tr>${lines.join('')}</table>`;
}

function groupSection(group: string, rows: readonly Row[]): string {
  const wrong = rows.filter(({ right }) => !right).length;
  const sorted = [...rows].sort((a, b) => Number(a.right) - Number(b.right) || a.psnr - b.psnr);
  return `<details id="${escapeHtml(group)}"${wrong > 0 ? ' open' : ''}><summary>${escapeHtml(group)}: ${rows.length - wrong} of ${rows.length}</summary>${sheet(sorted.map(figure))}</details>`;
}

function sheet(figures: readonly string[]): string {
  return `<div class="sheet">${figures.join('')}</div>`;
}

function sceneFigure(row: SceneRow): string {
  const { description, right, nearest, wanted, fidelity, width, height, warnings, strip } = row;
  return framed({
    title: description,
    right,
    verdict: verdictOf(right || wanted === undefined, nearest, wanted ?? `no scene; nearest: ${nearest}`),
    notes: [
      `${width} x ${height}`,
      ...(fidelity ? [`${fidelity.psnr.toFixed(1)} dB`, fidelity.ssim.toFixed(3)] : []),
      ...warnings.map((code) => `warning: ${code}`),
    ],
    strip,
    shows: wanted === undefined ? 'result' : 'exact, result',
  });
}

function figure(row: Row): string {
  const { instruction, right, nearest, wanted, psnr, ssim, picture, warnings, strip, untouched } = row;
  const notes = [
    picture,
    `${psnr.toFixed(1)} dB`,
    ssim.toFixed(3),
    ...(untouched ? ['untouched'] : []),
    ...warnings.map((code) => `warning: ${code}`),
  ];
  return framed({
    title: instruction,
    right,
    verdict: verdictOf(right, nearest, wanted),
    notes,
    strip,
    shows: 'source, exact, result, oracle',
  });
}

function verdictOf(right: boolean, nearest: string, wanted: string): string {
  return right ? escapeHtml(wanted) : `<span class="low">${escapeHtml(nearest)}</span>, not ${escapeHtml(wanted)}`;
}

function framed(figure: {
  title: string;
  right: boolean;
  /** HTML. */
  verdict: string;
  notes: readonly string[];
  strip: string | undefined;
  /** What the strip shows. */
  shows: string;
}): string {
  const { title, right, verdict, notes, strip, shows } = figure;
  const image = strip ? `<img src="${strip}" alt="${shows}" loading="lazy">` : '';
  return `<figure${right ? '' : ' class="wrong"'}>${image}<figcaption><b>${escapeHtml(title)}</b><br>${verdict}<br><span>${escapeHtml(notes.join(' · '))}</span></figcaption></figure>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
