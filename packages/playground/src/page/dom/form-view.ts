import type { EditSettings } from '../edit-settings.js';
import { canGoOnFrom, type EditNode } from '../edit-tree.js';
import type { ServerInfo } from '../job-view.js';
import { byId, make } from './elements.js';

/** What every checkpoint of this kind knows, to begin with. */
const SUGGESTIONS = [
  'make it warmer',
  'a bit brighter',
  'black and white',
  'strong vignette',
  'make it night',
  'tint it blue',
  'more contrast',
];

export interface FormView {
  show(node: EditNode | undefined): void;
  setInfo(info: ServerInfo): void;
  /** Puts an instruction into the form. */
  fill(instruction: string): void;
}

/** The instruction and its settings. */
export function createFormView(onSubmit: (instruction: string, settings: EditSettings) => void): FormView {
  const form = byId('form', HTMLFormElement);
  const instruction = byId('instruction', HTMLTextAreaElement);
  const submit = byId('submit', HTMLButtonElement);
  const hint = byId('form-hint', HTMLElement);
  const seed = byId('seed', HTMLInputElement);
  let ready = false;

  const refresh = (): void => {
    submit.disabled = !ready || instruction.value.trim() === '';
  };
  instruction.addEventListener('input', refresh);
  instruction.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!submit.disabled) form.requestSubmit();
  });
  byId('suggestions', HTMLElement).append(
    ...SUGGESTIONS.map((text) => {
      const button = make('button', { type: 'button', className: 'chip', textContent: text });
      button.addEventListener('click', () => fill(text));
      return button;
    }),
  );
  byId('random-seed', HTMLButtonElement).addEventListener('click', () => {
    seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (submit.disabled || !form.reportValidity()) return;
    onSubmit(instruction.value.trim(), readSettings());
    instruction.value = '';
    refresh();
    // The button is of no use now and would keep the keyboard's focus; on a phone focus would open the keyboard.
    const usesKeyboard = document.activeElement === submit && matchMedia('(hover: hover)').matches;
    if (usesKeyboard) instruction.focus({ preventScroll: true });
  });

  function fill(text: string): void {
    instruction.value = text;
    instruction.focus();
    refresh();
  }

  refresh();
  return {
    fill,
    show(node) {
      ready = node !== undefined && canGoOnFrom(node);
      hint.textContent =
        node === undefined
          ? 'Open a picture first.'
          : ready
            ? node.parent === undefined
              ? 'Goes on from the picture you opened.'
              : 'Goes on from this result.'
            : 'Select a finished picture to go on from it.';
      refresh();
    },
    setInfo({ model, limits }) {
      instruction.maxLength = limits.max_instruction_length;
      byId('steps', HTMLInputElement).max = String(limits.max_steps);
      const defaults: Readonly<Record<string, string>> = {
        steps: 'numInferenceSteps',
        'guidance-scale': 'guidanceScale',
        'image-guidance-scale': 'imageGuidanceScale',
      };
      for (const [id, name] of Object.entries(defaults)) {
        const value = model.defaults[name];
        if (value !== undefined) byId(id, HTMLInputElement).placeholder = `usual: ${value}`;
      }
    },
  };
}

function readSettings(): EditSettings {
  const number = (id: string): number | undefined => {
    const { value, valueAsNumber } = byId(id, HTMLInputElement);
    return value === '' ? undefined : valueAsNumber;
  };
  const preserve = byId('preserve', HTMLSelectElement).value;
  return {
    seed: number('seed'),
    steps: number('steps'),
    guidanceScale: number('guidance-scale'),
    imageGuidanceScale: number('image-guidance-scale'),
    preserve: preserve === '' ? undefined : (preserve as NonNullable<EditSettings['preserve']>),
  };
}
