import { expect, test, vi } from 'vitest';
import { type Api, ApiFailure } from './api.js';
import { createEditSession, type EditSession } from './edit-session.js';
import { type EditNode, EditTree } from './edit-tree.js';
import type { JobEvent, JobView } from './job-view.js';

const SETTINGS = {
  seed: 3,
  steps: undefined,
  guidanceScale: undefined,
  imageGuidanceScale: undefined,
  preserve: undefined,
};
const JOB: JobView = {
  id: 'abc',
  state: 'queued',
  position: 1,
  estimated_wait_seconds: 2,
  estimated_run_seconds: null,
  result: null,
  error: null,
};
const DONE: JobView = {
  ...JOB,
  state: 'succeeded',
  result: { images: [{ width: 4, height: 3, media_type: 'image/png' }], seed: 3, warnings: [], seconds: {} },
};

interface Stage {
  readonly tree: EditTree;
  readonly session: EditSession;
  readonly root: EditNode;
  readonly forms: FormData[];
  readonly cancelled: string[];
}

/** A session over an API that gives these events for every job. */
function setUp(
  options: { submit?: (form: FormData, call: number) => Promise<JobView>; events?: readonly JobEvent[] } = {},
): Stage & {
  askForKey: () => Promise<void>;
} {
  const { submit = async () => JOB, events = [{ type: 'finished', job: DONE }] } = options;
  const forms: FormData[] = [];
  const cancelled: string[] = [];
  const api: Api = {
    info: () => Promise.reject(new Error('not asked')),
    queue: () => Promise.reject(new Error('not asked')),
    job: () => Promise.reject(new Error('not asked')),
    submit(form) {
      forms.push(form);
      return submit(form, forms.length);
    },
    async *events() {
      yield* events;
    },
    result: async () => new Blob(['png'], { type: 'image/png' }),
    cancel: async (id) => void cancelled.push(id),
  };
  const tree = new EditTree(() => undefined);
  const askForKey = vi.fn(async () => undefined);
  const session = createEditSession({ api, tree, askForKey });
  const root = tree.open({ file: new Blob(['x']), name: 'Cat.JPG', width: 4, height: 3, url: 'blob:x' });
  return { tree, session, root, forms, cancelled, askForKey };
}

const settled = (node: EditNode): Promise<void> =>
  vi.waitFor(() => {
    expect(['done', 'failed', 'cancelled']).toContain(node.state);
  });

test('an edit sends the picture, an edit of its result names the job', async () => {
  const { tree, session, root, forms } = setUp();
  session.start(root, 'Make it warmer!', SETTINGS);
  const first = tree.selected as EditNode;
  await settled(first);
  expect(first).toMatchObject({ state: 'done', jobId: 'abc', picture: { name: 'Cat-make-it-warmer.png', width: 4 } });
  expect(forms[0]?.get('image')).toBeInstanceOf(Blob);
  expect(Object.fromEntries([...(forms[0] as FormData)].filter(([name]) => name !== 'image'))).toEqual({
    instruction: 'Make it warmer!',
    previews: 'true',
    seed: '3',
  });
  session.start(first, 'darker', SETTINGS);
  await settled(tree.selected as EditNode);
  expect(forms[1]?.get('image_job')).toBe('abc');
  expect(forms[1]?.has('image')).toBe(false);
});

test('a job that the server forgot: the picture is sent again', async () => {
  const gone = new ApiFailure({ status: 404, code: 'unknown_job', message: 'No job has this id' });
  const { tree, session, root, forms } = setUp({
    submit: (_, call) => (call === 2 ? Promise.reject(gone) : Promise.resolve(JOB)),
  });
  session.start(root, 'a', SETTINGS);
  await settled(tree.selected as EditNode);
  session.start(tree.selected as EditNode, 'b', SETTINGS);
  await settled(tree.selected as EditNode);
  expect((tree.selected as EditNode).state).toBe('done');
  expect(forms[2]?.get('image')).toBeInstanceOf(Blob);
});

test('a key is asked for until one is taken', async () => {
  const refused = new ApiFailure({ status: 401, code: 'invalid_api_key', message: 'Expected a valid API key' });
  const { tree, session, root, askForKey } = setUp({
    submit: (_, call) => (call < 3 ? Promise.reject(refused) : Promise.resolve(JOB)),
  });
  session.start(root, 'a', SETTINGS);
  await settled(tree.selected as EditNode);
  expect(tree.selected?.state).toBe('done');
  expect(askForKey).toHaveBeenCalledTimes(2);
});

test('cancelled while the picture is on its way: the job is cancelled as soon as it has a number', async () => {
  let answer: (job: JobView) => void = () => undefined;
  const { tree, session, root, cancelled } = setUp({
    submit: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  session.start(root, 'a', SETTINGS);
  const node = tree.selected as EditNode;
  session.cancel(node);
  expect(node.state).toBe('cancelled');
  answer(JOB);
  await vi.waitFor(() => expect(cancelled).toEqual(['abc']));
  expect(node.state).toBe('cancelled');
});

test('what went wrong is said in the words of the server', async () => {
  const failed: JobView = { ...JOB, state: 'failed', error: { code: 'invalid_image', message: 'Expected a picture' } };
  const { tree, session, root } = setUp({ events: [{ type: 'finished', job: failed }] });
  session.start(root, 'a', SETTINGS);
  await settled(tree.selected as EditNode);
  expect(tree.selected).toMatchObject({ state: 'failed', failure: 'Expected a picture', picture: undefined });
});
