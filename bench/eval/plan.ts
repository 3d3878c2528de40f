import type { Operation } from './operations.ts';
import type { Phrase } from './phrases.ts';
import type { Source } from './pictures.ts';
import type { Targets } from './targets.ts';

/** One edit to try. */
export interface Trial {
  readonly phrase: Phrase;
  readonly source: Source;
}

/** Mean Lab distance from the source that a target must have before the instruction means anything for the picture. */
const EFFECT = 1.5;
/** Share of a picture that must have the colour to be recoloured. */
const COLOR_SHARE = 0.02;

/**
 * Which instruction is tried on which picture: each on `picturesEach`, going round so that families, wordings and pictures meet evenly.
 * The strengths of a family are tried on the same picture, and so are the translations of its direct wording. Instructions that mean
 * nothing on a picture (a colour that is not there, less colour in a gray picture) go to the next one that they mean something on.
 */
export function planTrials(options: {
  phrases: readonly Phrase[];
  sources: readonly Source[];
  targetsOf(source: Source): Targets;
  picturesEach: number;
}): Trial[] {
  const { phrases, sources, targetsOf, picturesEach } = options;
  const usual = sources.filter(({ forRecolor }) => !forRecolor);
  const turns = new Map<string, number>();
  const groups = [...new Set(phrases.map(({ group }) => group))];
  return phrases.flatMap((phrase) => {
    const number = phrase.ladder ?? (phrase.style === 'translated' ? 0 : next(turns, phrase.group));
    const start = groups.indexOf(phrase.group) + number;
    const order = phrase.kind === 'recolor' ? byColor(phrase.operations, sources, targetsOf) : rotated(usual, start);
    const fitting: Source[] = [];
    for (const source of order) {
      if (fitting.length === picturesEach) break;
      if (phrase.operations.length === 0 || targetsOf(source).effect(phrase.operations) >= EFFECT) fitting.push(source);
    }
    return fitting.map((source) => ({ phrase, source }));
  });
}

function next(turns: Map<string, number>, group: string): number {
  // The first numbers belong to the wordings that strengths are compared on.
  const turn = turns.get(group) ?? 2;
  turns.set(group, turn + 1);
  return turn;
}

function rotated<Item>(items: readonly Item[], start: number): Item[] {
  return items.map((_, index) => items[(start + index) % items.length] as Item);
}

/** Pictures that have the colour, those with most of it first. */
function byColor(
  [operation]: readonly Operation[],
  sources: readonly Source[],
  targetsOf: (source: Source) => Targets,
): Source[] {
  if (operation?.family !== 'recolor') return [];
  const { from } = operation;
  return sources
    .map((source) => ({ source, share: targetsOf(source).colorShare(from) }))
    .filter(({ share }) => share >= COLOR_SHARE)
    .sort((a, b) => b.share - a.share)
    .map(({ source }) => source);
}

/** At most so many of a list, evenly over it. */
export function spread<Item>(items: readonly Item[], limit: number): Item[] {
  if (items.length <= limit) return [...items];
  return Array.from({ length: limit }, (_, index) => items[Math.floor((index * items.length) / limit)] as Item);
}
