import { basename, dirname, join } from 'node:path';
import { openCheckpoint } from '@vibe-edit/core';
import { GoldenFolder } from './golden-folder.js';
import type { Report } from './report.js';

interface Definition {
  readonly name: string;
  readonly text_encoder: { readonly text_config: object; readonly vision_config: object };
  readonly transformer: object;
  readonly vae: object;
  readonly scheduler: object;
}

/** Compares definitions of cases with what was read from the checkpoints that were made from them. */
export async function compareDefinitions(path: string, report: Report): Promise<void> {
  const folder = await GoldenFolder.open(path);
  report.heading(basename(path));
  for (const name of folder.list('')) {
    try {
      await compareDefinition(await folder.json<Definition>(name), { path, name, report });
    } catch (error) {
      report.failed(name, error);
    }
  }
  folder.reportLeft(report);
}

async function compareDefinition(
  definition: Definition,
  { path, name, report }: { path: string; name: string; report: Report },
): Promise<void> {
  const checkpoint = await openCheckpoint(join(dirname(path), definition.name, 'checkpoint'));
  const { textEncoder, transformer, vae, scheduler } = checkpoint;
  const pairs: readonly [string, object, object][] = [
    ['text_config', definition.text_encoder.text_config, textEncoder.config.text_config],
    ['vision_config', definition.text_encoder.vision_config, textEncoder.config.vision_config],
    ['transformer', definition.transformer, transformer.config],
    ['vae', definition.vae, vae.config],
    ['scheduler', definition.scheduler, scheduler],
  ];
  for (const [part, defined, read] of pairs) {
    const shared = Object.keys(defined).filter((field) => field in read);
    const of = (source: object): object =>
      Object.fromEntries(shared.map((field) => [field, Reflect.get(source, field)]));
    report.same(`${name} ${part}`, of(read), asRead(of(defined), read));
  }
}

/** A value for all stages is read as a list of one a stage, and an activation by the one of its two names. */
function asRead(defined: object, read: object): object {
  const named = (value: unknown): unknown => (value === 'swish' ? 'silu' : value);
  return Object.fromEntries(
    Object.entries(defined).map(([field, value]) => {
      const other: unknown = Reflect.get(read, field);
      if (!Array.isArray(other)) return [field, value];
      return [field, Array.isArray(value) ? value.map(named) : other.map(() => named(value))];
    }),
  );
}
