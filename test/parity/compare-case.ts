import { resolve } from 'node:path';
import { compileComponent } from '@vibe-edit/compiler';
import { type Checkpoint, COMPONENTS, openCheckpoint, prepareVisionInput } from '@vibe-edit/core';
import { compareOneRun } from './compare-one-run.js';
import { compareSeqCat } from './compare-seq-cat.js';
import type { GoldenCase, NoiseFloor } from './golden-case.js';
import { GoldenFolder } from './golden-folder.js';
import type { Report } from './report.js';

/** Compares a case: a checkpoint and everything the reference computed from it. */
export async function compareCase(path: string, report: Report): Promise<void> {
  const folder = await GoldenFolder.open(path);
  const golden = await folder.json<GoldenCase>('runs.json');
  const noise = folder.has('noise-floor.json') ? await folder.json<NoiseFloor>('noise-floor.json') : undefined;
  const checkpoint = await openCheckpoint(resolve(path, golden.checkpoint ?? 'checkpoint'));
  folder.leaveOut(checkpoint.path);
  report.heading(`${golden.case}: ${checkpoint.path}`);
  for (const run of golden.runs) {
    report.heading(`${golden.case}, run ${run.name}`);
    try {
      await compareOneRun({ folder, path: `runs/${run.name}`, run, checkpoint, noise, report });
    } catch (error) {
      report.failed(`${golden.case}, run ${run.name}`, error);
    }
  }
  if (golden.image_processor !== undefined) {
    for (const [name, { grid }] of Object.entries(golden.image_processor.pictures)) {
      const patched = await prepareVisionInput({
        image: await folder.picture(`${name}.png`),
        config: checkpoint.imageProcessor,
      });
      report.integers(`runs.json image_processor.${name}.grid`, patched.grid, grid);
    }
  }
  if (golden.seq_cat !== undefined) await compareSeqCat({ folder, golden: golden.seq_cat, checkpoint, noise, report });
  if (folder.has('ablation.json')) await compareAblation(folder, checkpoint, report);
  folder.reportLeft(report);
}

/** The weights that `ablation.json` found an effect of must be weights that the graphs read. */
async function compareAblation(folder: GoldenFolder, checkpoint: Checkpoint, report: Report): Promise<void> {
  const ablation = await folder.json<Readonly<Record<string, Readonly<Record<string, unknown>>>>>('ablation.json');
  const read = new Set(COMPONENTS.flatMap((component) => compileComponent({ component, checkpoint }).weights));
  for (const group of ['tensors', 'weakest tensors']) {
    const unread = Object.keys(ablation[group] ?? {}).filter((name) => !read.has(name));
    report.same(`ablation.json ${group} that no graph reads`, unread, []);
  }
}
