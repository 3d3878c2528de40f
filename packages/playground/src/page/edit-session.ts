import { type Api, ApiFailure } from './api.js';
import { type EditSettings, editForm } from './edit-settings.js';
import { type EditNode, type EditTree, isUnderWay } from './edit-tree.js';
import type { JobEvent, JobView } from './job-view.js';

/** Carries out edits of a tree over the API. */
export interface EditSession {
  /** Starts an edit of a node. The tree tells how it goes. */
  start(parent: EditNode, instruction: string, settings: EditSettings): void;
  cancel(node: EditNode): void;
  /** Forgets a node and what was made of it. */
  remove(node: EditNode): void;
}

export function createEditSession(options: {
  api: Api;
  tree: EditTree;
  /** The server wants a key, or another one. Resolves once there is one; rejects when the person gives none. */
  askForKey(): Promise<void>;
}): EditSession {
  const { api, tree, askForKey } = options;
  const running = new Map<EditNode, AbortController>();

  async function submit(node: EditNode): Promise<JobView> {
    const parent = node.parent as EditNode;
    const { picture, jobId } = parent;
    const instruction = node.title;
    const settings = node.settings as EditSettings;
    if (jobId !== undefined) {
      try {
        return await withKey(() => api.submit(editForm({ instruction, settings, source: { job: jobId } })));
      } catch (error) {
        // Servers forget jobs after a while; the page still has the picture.
        if (!(error instanceof ApiFailure) || error.status !== 404 || picture === undefined) throw error;
      }
    }
    if (picture === undefined) throw new Error('There is no picture to go on from');
    return await withKey(() => api.submit(editForm({ instruction, settings, source: picture })));
  }

  async function withKey<Value>(call: () => Promise<Value>): Promise<Value> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof ApiFailure) || error.status !== 401) throw error;
        await askForKey();
      }
    }
  }

  async function carryOut(node: EditNode, controller: AbortController): Promise<void> {
    const { signal } = controller;
    const job = await submit(node);
    if (signal.aborted) {
      await api.cancel(job.id);
      return;
    }
    tree.update(node, { jobId: job.id, ...waiting(job) });
    for await (const event of api.events(job.id, signal)) {
      if (event.type === 'finished') await finish(node, event.job, signal);
      else tree.update(node, changesOf(node, event));
    }
  }

  async function finish(node: EditNode, job: JobView, signal: AbortSignal): Promise<void> {
    if (job.state === 'succeeded') {
      const file = await api.result(job.id, signal);
      const { width = 1, height = 1 } = job.result?.images[0] ?? {};
      const picture = { file, name: resultName(node, file), width, height, url: URL.createObjectURL(file) };
      tree.update(node, { state: 'done', picture, result: job.result });
    } else if (job.state === 'cancelled') {
      tree.update(node, { state: 'cancelled' });
    } else {
      tree.update(node, { state: 'failed', failure: job.error?.message ?? 'The edit failed' });
    }
  }

  return {
    start(parent, instruction, settings) {
      const node = tree.edit(parent, instruction, settings);
      const controller = new AbortController();
      running.set(node, controller);
      carryOut(node, controller)
        .catch((error: unknown) => {
          if (controller.signal.aborted) return;
          tree.update(node, { state: 'failed', failure: error instanceof Error ? error.message : String(error) });
        })
        .finally(() => running.delete(node));
    },
    cancel(node) {
      if (!isUnderWay(node)) return;
      running.get(node)?.abort(new Error('Cancelled'));
      tree.update(node, { state: 'cancelled' });
      // The stream that would tell is closed already.
      if (node.jobId !== undefined) api.cancel(node.jobId).catch(() => undefined);
    },
    remove(node) {
      for (const gone of tree.remove(node)) {
        running.get(gone)?.abort(new Error('Removed'));
        if (isUnderWay(gone) && gone.jobId !== undefined) api.cancel(gone.jobId).catch(() => undefined);
        for (const url of [gone.picture?.url, ...gone.previews]) if (url !== undefined) URL.revokeObjectURL(url);
      }
    },
  };
}

function waiting({ position, estimated_wait_seconds }: JobView): Partial<EditNode> {
  return { state: 'queued', position: position ?? undefined, waitSeconds: estimated_wait_seconds ?? undefined };
}

function changesOf(node: EditNode, event: Exclude<JobEvent, { type: 'finished' }>): Partial<EditNode> {
  switch (event.type) {
    case 'queued':
      return { state: 'queued', progress: undefined };
    case 'position':
      return {
        state: 'queued',
        position: event.position,
        waitSeconds: event.estimated_wait_seconds ?? undefined,
      };
    case 'running':
      return { state: 'running', progress: undefined };
    case 'progress':
      return { state: 'running', progress: { stage: event.stage, step: event.step, steps: event.steps } };
    case 'preview':
      return {
        state: 'running',
        progress: { stage: event.stage, step: event.step, steps: event.steps },
        previews: [...node.previews, previewUrl(event.preview)],
      };
  }
}

function previewUrl({ media_type, b64_json }: { media_type: string; b64_json: string }): string {
  const bytes = Uint8Array.from(atob(b64_json), (character) => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: media_type }));
}

/** The opened file's name, what was asked for, and the result's own ending. */
function resultName(node: EditNode, file: Blob): string {
  let root = node;
  while (root.parent !== undefined) root = root.parent;
  const stem = root.title.replace(/\.[^.]{1,5}$/, '');
  const words = node.title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${stem}-${words || 'edited'}.${file.type.replace('image/', '').replace('jpeg', 'jpg') || 'png'}`;
}
