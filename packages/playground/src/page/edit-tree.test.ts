import { expect, test } from 'vitest';
import { describeNode, describeQueue, describeSeconds, progressOf } from './describe.js';
import { canGoOnFrom, EditTree, type HeldPicture, pathTo } from './edit-tree.js';

const SETTINGS = {
  seed: 1,
  steps: undefined,
  guidanceScale: undefined,
  imageGuidanceScale: undefined,
  preserve: undefined,
};

function picture(name: string): HeldPicture {
  return { file: new Blob(['x']), name, width: 4, height: 3, url: `blob:${name}` };
}

test('edits go on from the selected picture, and branch', () => {
  let changes = 0;
  const tree = new EditTree(() => {
    changes += 1;
  });
  const root = tree.open(picture('photo.jpg'));
  const gray = tree.edit(root, 'gray', SETTINGS);
  expect(tree.selected).toBe(gray);
  expect(canGoOnFrom(gray)).toBe(false);
  tree.update(gray, { state: 'done', picture: picture('gray.png') });
  const warm = tree.edit(gray, 'warm', SETTINGS);
  tree.select(root);
  const dark = tree.edit(root, 'dark', SETTINGS);
  expect(root.children).toEqual([gray, dark]);
  expect(pathTo(warm).map(({ title }) => title)).toEqual(['photo.jpg', 'gray', 'warm']);
  expect(changes).toBe(6);
});

test('what is removed takes what was made of it along', () => {
  const tree = new EditTree(() => undefined);
  const root = tree.open(picture('a.jpg'));
  const other = tree.open(picture('b.jpg'));
  const child = tree.edit(root, 'x', SETTINGS);
  const grandchild = tree.edit(child, 'y', SETTINGS);
  expect(tree.remove(child)).toEqual([child, grandchild]);
  expect(tree.selected).toBe(root);
  tree.remove(root);
  expect(tree.selected).toBe(other);
  tree.remove(other);
  expect(tree.selected).toBeUndefined();
  expect(tree.roots).toEqual([]);
});

test('how it stands, in words', () => {
  const tree = new EditTree(() => undefined);
  const node = tree.edit(tree.open(picture('a.jpg')), 'x', SETTINGS);
  expect(describeNode(node)).toBe('Sending the picture');
  tree.update(node, { state: 'queued', position: 2, waitSeconds: 12.4 });
  expect(describeNode(node)).toBe('2 edits before this one, starts in about 12 s');
  tree.update(node, { position: 0, waitSeconds: undefined });
  expect(describeNode(node)).toBe('Next in the queue');
  tree.update(node, { state: 'running', progress: { stage: 'denoise', step: 3, steps: 4 } });
  expect(describeNode(node)).toBe('Editing: step 3 of 4');
  expect(progressOf(node)).toBeGreaterThan(0.6);
  const between = (['restore', 'encode', 'denoise'] as const).map((stage) => {
    tree.update(node, { state: 'running', progress: { stage, step: 1, steps: 2 } });
    return progressOf(node);
  });
  expect(between).toEqual([0.5, 0.5, 0.5]);
  tree.update(node, { state: 'failed', failure: 'The picture is too large' });
  expect(describeNode(node)).toBe('The picture is too large');
  expect(progressOf(node)).toBeUndefined();
  expect([0.44, 12.3, 200].map(describeSeconds)).toEqual(['0.4 s', '12 s', '3 min']);
  expect(describeQueue({ queued: 3, running: 1, workers: 1 })).toBe('Queue: 3 waiting, 1 running');
  expect(describeQueue({ queued: 3, running: 0, workers: 0 })).toBe('No worker is there: edits wait');
});
