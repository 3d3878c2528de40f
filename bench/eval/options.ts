import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wrong } from './checked-json.ts';
import type { EvaluationOptions } from './evaluate.ts';

export const EXAMPLES = fileURLToPath(new URL('../../examples/photos', import.meta.url));

export const USAGE = `pnpm eval [options]

  --checkpoint FOLDER   what is measured (the embedded checkpoint)
  --photos FOLDER       photos to try it on beside those of examples/photos; as often as wanted
  --phrases FILE        instructions and descriptions (bench/eval/phrases.json)
  --families A,B        only these families or kinds: together, recolor, unknown, detail, described, no-scene
  --pictures-each N     pictures that each instruction is tried on (1)
  --limit N             at most so many edits and pictures from text, evenly over all
  --max-side PIXELS     larger photos are reduced to it first (1024)
  --seeds A,B           that some of the edits are repeated with (7,1234)
  --steps A,B           the same (1,2,4,8)
  --guidance A,B        the same (2,4.5)
  --no-oracle           does not measure what the autoencoder and the preservation step allow
  --out FOLDER          where the report goes (reports/eval)`;

/**
 * What the command line asks for; undefined: help.
 * @throws {InvalidArgumentError} naming the option that is not known or not as it should be.
 */
export function readOptions(args: readonly string[]): Omit<EvaluationOptions, 'onProgress'> | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  return {
    checkpoint: values.checkpoint,
    photos: [EXAMPLES, ...values.photos],
    phrases: values.phrases,
    families: values.families.split(',').filter((name) => name !== ''),
    picturesEach: wholeNumber('--pictures-each', values['pictures-each']),
    limit: values.limit === undefined ? undefined : wholeNumber('--limit', values.limit),
    maxSide: wholeNumber('--max-side', values['max-side']),
    seeds: numbers('--seeds', values.seeds),
    steps: numbers('--steps', values.steps),
    guidance: numbers('--guidance', values.guidance),
    oracle: !values['no-oracle'],
    out: values.out,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        checkpoint: { type: 'string' },
        photos: { type: 'string', multiple: true, default: [] },
        phrases: { type: 'string', default: fileURLToPath(new URL('phrases.json', import.meta.url)) },
        families: { type: 'string', default: '' },
        'pictures-each': { type: 'string', default: '1' },
        limit: { type: 'string' },
        'max-side': { type: 'string', default: '1024' },
        seeds: { type: 'string', default: '7,1234' },
        steps: { type: 'string', default: '1,2,4,8' },
        guidance: { type: 'string', default: '2,4.5' },
        'no-oracle': { type: 'boolean', default: false },
        out: { type: 'string', default: 'reports/eval' },
      },
    }).values;
  } catch (error) {
    throw wrong('the command line', 'the options that --help lists', (error as Error).message);
  }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw wrong(option, 'a whole number from 1 up', text);
}

function numbers(option: string, text: string): number[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const value = Number(part);
      if (Number.isFinite(value) && value >= 0) return value;
      throw wrong(option, 'numbers with commas between them', text);
    });
}
