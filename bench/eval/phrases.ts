import { list, oneOf, readJson, record, sentence, wrong } from './checked-json.ts';
import {
  DETAIL_FAMILIES,
  type Family,
  MAIN_FAMILIES,
  type Operation,
  STRENGTH_NAMES,
  type Strength,
  WITHOUT_STRENGTH,
} from './operations.ts';
import { COLOR_NAMES, type Color } from './recolor.ts';

/** What kind of answer an instruction asks for. */
export type Kind = 'family' | 'detail' | 'together' | 'recolor' | 'unknown';

/** An instruction, and what exactly it means. */
export interface Phrase {
  readonly text: string;
  readonly kind: Kind;
  /** What the report counts it under: a family, or the kind. */
  readonly group: string;
  /** How it is worded: direct, short, typo and so on. */
  readonly style: string;
  /** Two letters. */
  readonly language: string;
  /** One after the other; none: the picture should stay as it is. */
  readonly operations: readonly Operation[];
  /** Of its one operation, where that has strengths. */
  readonly strength: Strength | undefined;
  /** Phrases of one family that differ in strength alone carry the same number. */
  readonly ladder: number | undefined;
}

const LANGUAGES = ['de', 'fr', 'es', 'ru'];
const FAMILIES: readonly string[] = [...MAIN_FAMILIES, ...DETAIL_FAMILIES];
/** The plain wordings that stand between the weak and the strong ones of the same number. */
const LADDER_STYLES = ['direct', 'short'];

/**
 * Reads the instructions of a JSON file; `phrases.json` shows the form.
 * @throws {InvalidArgumentError} naming what is not as it should be.
 */
export async function readPhrases(file: string): Promise<Phrase[]> {
  return parsePhrases(await readJson(file), file);
}

/** The instructions of a parsed file. */
export function parsePhrases(value: unknown, file: string): Phrase[] {
  const { families = {}, more = [], together = [], recolor = [], unknown = [] } = record(value, file);
  return [
    ...Object.entries(record(families, `${file}: families`)).flatMap(([family, words]) =>
      familyPhrases(oneOf(family, FAMILIES, `${file}: families`), record(words, `${file}: ${family}`), file),
    ),
    ...list(more, `${file}: more`).map((entry) => stepsPhrase(entry, 'family', file)),
    ...list(together, `${file}: together`).map((entry) => stepsPhrase(entry, 'together', file)),
    ...list(recolor, `${file}: recolor`).map((entry): Phrase => {
      const { from, to } = entry;
      const operation: Operation = {
        family: 'recolor',
        from: oneOf(from, COLOR_NAMES, `${file}: recolor`) as Color,
        to: oneOf(to, COLOR_NAMES, `${file}: recolor`) as Color,
      };
      return { ...common(entry, file), kind: 'recolor', group: 'recolor', operations: [operation] };
    }),
    ...list(unknown, `${file}: unknown`).map(
      (entry): Phrase => ({ ...common(entry, file), kind: 'unknown', group: 'unknown', operations: [] }),
    ),
  ];
}

function familyPhrases(family: string, words: Record<string, unknown>, file: string): Phrase[] {
  return Object.entries(words).flatMap(([key, value]) => {
    const strength = STRENGTH_NAMES.find((name) => name === key) ?? 'plain';
    const language = LANGUAGES.includes(key) ? key : 'en';
    const texts = Array.isArray(value) ? value : [value];
    return texts.map((text, index) => ({
      ...familyPhrase({ family: family as Family, strength }),
      text: sentence(text, `${file}: ${family}.${key}`),
      style: language === 'en' ? key : 'translated',
      language,
      ladder: ladderNumber(key, index, strength),
    }));
  });
}

function ladderNumber(key: string, index: number, strength: Strength): number | undefined {
  if (strength !== 'plain') return index;
  const found = LADDER_STYLES.indexOf(key);
  return found === -1 ? undefined : found;
}

function familyPhrase(
  operation: Extract<Operation, { strength: Strength }>,
): Omit<Phrase, 'text' | 'style' | 'language'> {
  const { family, strength } = operation;
  return {
    kind: (DETAIL_FAMILIES as readonly string[]).includes(family) ? 'detail' : 'family',
    group: family,
    operations: [operation],
    strength: WITHOUT_STRENGTH.includes(family) ? undefined : strength,
    ladder: undefined,
  };
}

function stepsPhrase(entry: Record<string, unknown>, kind: 'family' | 'together', file: string): Phrase {
  const steps = list<readonly unknown[]>(entry.steps, `${file}: steps`, Array.isArray).map(([family, strength]) => ({
    family: oneOf(family, FAMILIES, `${file}: steps`) as Family,
    strength: oneOf(strength, STRENGTH_NAMES, `${file}: steps`) as Strength,
  }));
  const [first] = steps;
  if (first === undefined) throw wrong(`${file}: steps`, 'at least one operation', 'none');
  if (kind === 'family') return { ...familyPhrase(first), ...words(entry, file) };
  return { ...common(entry, file), kind, group: 'together', operations: steps };
}

function common(entry: Record<string, unknown>, file: string): Omit<Phrase, 'kind' | 'group' | 'operations'> {
  return { ...words(entry, file), strength: undefined, ladder: undefined };
}

function words(entry: Record<string, unknown>, file: string): Pick<Phrase, 'text' | 'style' | 'language'> {
  const { text, language = 'en' } = entry;
  return {
    text: sentence(text, `${file}: text`),
    style: entry.style === undefined ? (language === 'en' ? 'direct' : 'translated') : sentence(entry.style, file),
    language: oneOf(language, ['en', ...LANGUAGES], `${file}: language`),
  };
}
