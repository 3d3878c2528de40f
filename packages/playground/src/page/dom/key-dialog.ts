import { byId } from './elements.js';

const STORED = 'vibe-edit-key';

/** Keeps the API key and asks for it. */
export interface KeyDialog {
  readonly key: string | undefined;
  /** Shows the dialog. @throws {Error} when it is closed without a key. */
  ask(reason: string): Promise<void>;
}

export function createKeyDialog(): KeyDialog {
  const dialog = byId('key-dialog', HTMLDialogElement);
  const form = byId('key-form', HTMLFormElement);
  const input = byId('key', HTMLInputElement);
  const remember = byId('remember', HTMLInputElement);
  const why = byId('key-reason', HTMLElement);
  let key = sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED) ?? undefined;
  let asking: Promise<void> | undefined;

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    key = input.value.trim() || undefined;
    sessionStorage.removeItem(STORED);
    localStorage.removeItem(STORED);
    if (key !== undefined) (remember.checked ? localStorage : sessionStorage).setItem(STORED, key);
    input.value = '';
    dialog.close('given');
  });
  byId('key-close', HTMLButtonElement).addEventListener('click', () => dialog.close(''));

  return {
    get key() {
      return key;
    },
    ask(reason) {
      // Several edits may find out at once that a key is needed.
      asking ??= new Promise<void>((resolve, reject) => {
        why.textContent = reason;
        dialog.returnValue = '';
        dialog.showModal();
        dialog.addEventListener(
          'close',
          () => {
            asking = undefined;
            if (dialog.returnValue === 'given') resolve();
            else reject(new Error('The server wants an API key'));
          },
          { once: true },
        );
      });
      return asking;
    },
  };
}
