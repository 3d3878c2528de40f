import { MAIN_FAMILIES } from './operations.ts';
import type { SceneRow } from './run-descriptions.ts';
import type { Row } from './run-trials.ts';
import { type SceneTotals, sceneTotals } from './scene-totals.ts';
import { mean, median, share } from './statistics.ts';

/** What many results come to. Shares in 0..1. */
export interface Totals {
  readonly name: string;
  readonly edits: number;
  /** Share whose nearest exact result is the one asked for. */
  readonly nearest: number;
  readonly psnr: number;
  readonly ssim: number;
  readonly deltaE: number;
  /** Mean difference, in levels, of the pixels that should stay; undefined where there are none. */
  readonly keptLevels: number | undefined;
  /** Greatest shift between result and exact result, in pixels, among the results that are right. */
  readonly shift: number;
  /** Fine contrast over that of the exact results, mean. */
  readonly sharpness: number;
  /** Share given back untouched. */
  readonly untouched: number;
  /** Share that came with a warning. */
  readonly warned: number;
  /** Share untouched and with a warning: how an instruction that means nothing should end. */
  readonly leftAlone: number;
  readonly oracle: { readonly nearest: number; readonly psnr: number; readonly ssim: number } | undefined;
  /** Median seconds in the pipeline's stages. */
  readonly seconds: number;
}

/** Whether "a bit" changed less than nothing said, and that less than "strongly". */
export interface Ladder {
  readonly family: string;
  readonly picture: string;
  /** Mean colour differences from the source: a bit, plain, strongly. */
  readonly changes: readonly number[];
  readonly ordered: boolean;
}

export interface Summary {
  readonly overall: Totals;
  /** The same without the wordings that somebody also wrote for training, word for word. */
  readonly untaught: Totals;
  readonly goals: readonly {
    readonly name: string;
    readonly value: number;
    readonly goal: number;
    readonly met: boolean;
  }[];
  readonly kinds: readonly Totals[];
  readonly families: readonly Totals[];
  readonly strengths: readonly Totals[];
  readonly styles: readonly Totals[];
  readonly languages: readonly Totals[];
  readonly pictures: readonly Totals[];
  readonly ladders: readonly Ladder[];
  /** Pictures from text: scenes and what is none, then the scenes by their wording. */
  readonly scenes: readonly SceneTotals[];
  readonly sceneStyles: readonly SceneTotals[];
}

export function summarise(rows: readonly Row[], sceneRows: readonly SceneRow[] = []): Summary {
  const known = rows.filter(({ kind }) => kind === 'family');
  const english = known.filter(({ language }) => language === 'en');
  const families = MAIN_FAMILIES.map((name) =>
    totals(
      name,
      english.filter(({ group }) => group === name),
    ),
  ).filter(({ edits }) => edits > 0);
  const others = rows.filter(({ kind, language }) => kind !== 'family' || language !== 'en');
  const kinds = grouped(others, totals, ({ kind, language }) =>
    language === 'en' ? kind : `${kind}, other languages`,
  );
  const languages = grouped(
    known.filter(({ style }) => style === 'translated' || style === 'direct'),
    totals,
    ({ language }) => language,
  );
  const ladders = findLadders(english);
  const overall = totals('all families, English', english);
  const untaught = totals(
    'wordings not written for training',
    english.filter(({ taught }) => !taught),
  );
  const scenes = grouped(sceneRows, sceneTotals, ({ kind }) => kind);
  return {
    overall,
    untaught,
    goals: goals({ overall, untaught, families, kinds, languages, ladders, scenes }),
    kinds,
    families,
    strengths: grouped(english, totals, ({ strength }) => strength ?? 'no strengths'),
    styles: grouped(english, totals, ({ style }) => style),
    languages,
    pictures: grouped(english, totals, ({ picture }) => picture),
    ladders,
    scenes,
    sceneStyles: grouped(
      sceneRows.filter(({ kind }) => kind === 'described'),
      sceneTotals,
      ({ style }) => style,
    ),
  };
}

/** What the rows of each key come to, in the order in which the keys come. */
function grouped<Item, Result>(
  rows: readonly Item[],
  sum: (name: string, rows: readonly Item[]) => Result,
  keyOf: (row: Item) => string,
): Result[] {
  const names = [...new Set(rows.map(keyOf))];
  return names.map((name) =>
    sum(
      name,
      rows.filter((row) => keyOf(row) === name),
    ),
  );
}

/** What a number of results come to. */
export function totals(name: string, rows: readonly Row[]): Totals {
  const kept = rows.flatMap(({ keptLevels }) => keptLevels ?? []);
  const oracles = rows.flatMap(({ oracle }) => oracle ?? []);
  return {
    name,
    edits: rows.length,
    nearest: share(rows, ({ right }) => right),
    psnr: mean(rows.map((row) => row.psnr)),
    ssim: mean(rows.map((row) => row.ssim)),
    deltaE: mean(rows.map((row) => row.deltaE)),
    keptLevels: kept.length === 0 ? undefined : mean(kept),
    shift: Math.max(0, ...rows.filter(({ right }) => right).map((row) => row.shift)),
    sharpness: mean(rows.map((row) => row.sharpness)),
    untouched: share(rows, ({ untouched }) => untouched),
    warned: share(rows, ({ warnings }) => warnings.length > 0),
    leftAlone: share(rows, ({ untouched, warnings }) => untouched && warnings.length > 0),
    oracle:
      oracles.length === 0
        ? undefined
        : {
            nearest: share(oracles, ({ right }) => right),
            psnr: mean(oracles.map((oracle) => oracle.psnr)),
            ssim: mean(oracles.map((oracle) => oracle.ssim)),
          },
    seconds: median(rows.map((row) => row.seconds)),
  };
}

function findLadders(rows: readonly Row[]): Ladder[] {
  const names = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.ladder === undefined || row.strength === undefined) continue;
    const key = `${row.group} ${row.ladder} ${row.picture}`;
    names.set(key, [...(names.get(key) ?? []), row]);
  }
  return [...names.values()].flatMap((steps) => {
    const changes = ['weak', 'plain', 'strong'].flatMap(
      (name) => steps.find((row) => row.strength === name)?.change ?? [],
    );
    if (changes.length < 3) return [];
    const [weak, plain, strong] = changes as [number, number, number];
    const { group, picture } = steps[0] as Row;
    return [{ family: group, picture, changes, ordered: weak < plain && plain < strong }];
  });
}

function goals({
  overall,
  untaught,
  families,
  kinds,
  languages,
  ladders,
  scenes,
}: Omit<Summary, 'goals' | 'strengths' | 'styles' | 'pictures' | 'sceneStyles'>): Summary['goals'] {
  const ofSome = <Value>({ edits }: Totals, value: Value): Value | undefined => (edits === 0 ? undefined : value);
  const scene = (name: string): SceneTotals | undefined => scenes.find((one) => one.name === name);
  const kind = (name: string): Totals | undefined => kinds.find((one) => one.name === name);
  const wellShaped = share(families, ({ ssim }) => ssim >= 0.95);
  const english = languages.find(({ name }) => name === 'en')?.nearest;
  const entries: (readonly [name: string, value: number | undefined, goal: number])[] = [
    ['nearest target, all families', ofSome(overall, overall.nearest), 0.98],
    ['nearest target, wordings not written for training', ofSome(untaught, untaught.nearest), 0.98],
    ['mean PSNR, dB', ofSome(overall, overall.psnr), 34],
    ['PSNR of the lowest family, dB', Math.min(...families.map(({ psnr }) => psnr)), 25],
    ['families with SSIM of 0.95', ofSome(overall, wellShaped), 33 / 35],
    ['unknown instructions left alone and reported', kind('unknown')?.leftAlone, 0.95],
    ['recolouring', kind('recolor')?.nearest, 0.9],
    ['two at once', kind('together')?.nearest, 0.9],
    ['detail effects', kind('detail')?.nearest, 0.9],
    ['scenes from text', scene('described')?.right, 0.9],
    ['descriptions of no scene reported', scene('no-scene')?.right, 0.95],
    ['strengths in order', ladders.length === 0 ? undefined : share(ladders, ({ ordered }) => ordered), 0.95],
    ...languages
      .filter(({ name }) => name !== 'en')
      .map(({ name, nearest }) => [`${name} against English`, english ? nearest / english : undefined, 0.95] as const),
  ];
  return entries.flatMap(([name, value, goal]) =>
    value === undefined || !Number.isFinite(value) ? [] : [{ name, value, goal, met: value >= goal }],
  );
}
