import { cliSample, curlSample, type SampleOptions, sdkSample } from '../code-samples.js';
import type { EditSettings } from '../edit-settings.js';
import { type EditNode, pathTo } from '../edit-tree.js';
import type { ServerInfo } from '../job-view.js';
import { byId } from './elements.js';

const SAMPLES: Readonly<Record<string, (options: SampleOptions) => string>> = {
  sdk: sdkSample,
  curl: curlSample,
  cli: cliSample,
};

/** The edits that led to the selected picture, as code to copy. */
export function createCodeView(options: {
  base: string;
  announce(text: string): void;
}): (node: EditNode | undefined, info: ServerInfo | undefined) => void {
  const { base, announce } = options;
  const section = byId('code', HTMLDetailsElement);
  const sample = byId('sample', HTMLTextAreaElement);
  const choices = [...section.querySelectorAll<HTMLInputElement>('input[name="sample"]')];
  let current: SampleOptions | undefined;

  const write = (): void => {
    const choice = choices.find(({ checked }) => checked)?.value ?? 'sdk';
    sample.value = current === undefined ? '' : (SAMPLES[choice]?.(current) ?? '');
  };
  for (const choice of choices) choice.addEventListener('change', write);
  byId('copy', HTMLButtonElement).addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(sample.value);
      announce('Copied');
    } catch {
      // Without permission, or over plain HTTP: at least it is marked, for the keyboard.
      sample.select();
      announce('Press Ctrl or Command and C to copy');
    }
  });

  return (node, info) => {
    const path = node === undefined ? [] : pathTo(node);
    const [root, ...edits] = path;
    section.hidden = edits.length === 0;
    if (root === undefined || edits.length === 0) return;
    const id = info?.model.id;
    current = {
      steps: edits.map(({ title, settings, result }) => ({
        instruction: title,
        // The seed that it really had, so that the code gives the same picture.
        settings: { ...(settings as EditSettings), seed: settings?.seed ?? result?.seed },
      })),
      file: root.title,
      base,
      withKey: info?.authentication !== 'local',
      checkpoint: id?.includes('/') ? id : undefined,
    };
    write();
  };
}
