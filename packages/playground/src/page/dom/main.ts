import { ApiFailure, createApi } from '../api.js';
import { describeNode, describeQueue } from '../describe.js';
import { createEditSession } from '../edit-session.js';
import { type EditNode, EditTree } from '../edit-tree.js';
import type { ServerInfo } from '../job-view.js';
import { createCodeView } from './code-view.js';
import { byId } from './elements.js';
import { createFormView } from './form-view.js';
import { createKeyDialog } from './key-dialog.js';
import { connectPictureSources } from './picture-sources.js';
import { prepareFile } from './prepare-file.js';
import { createStageView } from './stage-view.js';
import { connectTheme } from './theme.js';
import { createTreeView } from './tree-view.js';

const QUEUE_SECONDS = 5;
const NO_KEY = 'This server wants an API key.';
const UNKNOWN_KEY = 'The server does not know this key. Try another one.';

const base = new URL('./', location.href).href.replace(/[?#].*$/, '');
const announcer = byId('announcer', HTMLElement);
const problem = byId('problem', HTMLElement);
const queueStatus = byId('queue', HTMLElement);
const keyButton = byId('change-key', HTMLButtonElement);

let info: ServerInfo | undefined;
let announced = '';

const keyDialog = createKeyDialog();
const api = createApi({ base, key: () => keyDialog.key });
const tree = new EditTree(render);
const askForKey = (): Promise<void> => keyDialog.ask(keyDialog.key === undefined ? NO_KEY : UNKNOWN_KEY);
const session = createEditSession({ api, tree, askForKey });
const showForm = createFormView((instruction, settings) => {
  const { selected } = tree;
  if (selected === undefined) return;
  session.start(selected, instruction, settings);
  showStage.reveal();
});
const showStage = createStageView({
  onCancel: (node) => session.cancel(node),
  onRetry(node) {
    const { parent, title, settings } = node;
    if (parent === undefined || settings === undefined) return;
    session.remove(node);
    session.start(parent, title, settings);
  },
});
const showTree = createTreeView({
  onSelect(node) {
    tree.select(node);
    showStage.reveal();
  },
  onRemove: (node) => session.remove(node),
});
const showCode = createCodeView({ base, announce });

connectTheme();
connectPictureSources(openPicture);
keyButton.addEventListener('click', () => {
  keyDialog.ask('The key that the server knows you by.').then(signIn, () => undefined);
});
document.addEventListener('visibilitychange', () => void readQueue());
setInterval(() => void readQueue(), QUEUE_SECONDS * 1000);
render();
void start();

async function start(): Promise<void> {
  try {
    info = await api.info();
  } catch (error) {
    showProblem(error);
    return;
  }
  byId('model', HTMLElement).textContent = info.model.id;
  showForm.setInfo(info);
  keyButton.hidden = info.authentication !== 'api_key';
  await signIn();
}

/** Asks for a key until the server knows it, or the person has none. */
async function signIn(): Promise<void> {
  while ((await readQueue()) === 'refused') {
    try {
      await askForKey();
    } catch {
      return;
    }
  }
}

async function openPicture(file: Blob, name: string): Promise<void> {
  try {
    tree.open(await prepareFile(file, name, info?.limits));
    problem.hidden = true;
    byId('instruction', HTMLTextAreaElement).focus();
  } catch (error) {
    showProblem(error);
  }
}

/** Shows how the queue stands. @returns `refused` where the server wants a key, or another one. */
async function readQueue(): Promise<'refused' | undefined> {
  if (document.hidden) return undefined;
  try {
    queueStatus.textContent = describeQueue(await api.queue());
    queueStatus.dataset.state = 'known';
    return undefined;
  } catch (error) {
    const needsKey = error instanceof ApiFailure && error.status === 401;
    queueStatus.textContent = needsKey ? 'Needs an API key' : 'Server not reached';
    queueStatus.dataset.state = 'unknown';
    return needsKey ? 'refused' : undefined;
  }
}

function render(): void {
  const node = tree.selected;
  showStage.show(node);
  showForm.show(node);
  showTree(tree);
  showCode(node, info);
  if (node !== undefined) announceState(node);
}

/** Says what matters, not every step. */
function announceState(node: EditNode): void {
  if (node.state === 'source' || node.state === 'sending') return;
  const text = `${node.title}: ${node.state === 'running' ? 'running' : describeNode(node)}`;
  if (text === announced) return;
  announced = text;
  announce(text);
  void readQueue();
}

function announce(text: string): void {
  announcer.textContent = text;
}

function showProblem(error: unknown): void {
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
}
