import type { EditSettings } from './edit-settings.js';
import type { JobView, Progress } from './job-view.js';

/** A picture that the page holds. */
export interface HeldPicture {
  readonly file: Blob;
  readonly name: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Address of the bytes within the page. */
  readonly url: string;
}

/** A picture of the tree: one that was opened, or the result of an edit of its parent. */
export interface EditNode {
  readonly id: number;
  readonly parent: EditNode | undefined;
  readonly children: readonly EditNode[];
  /** The instruction; of an opened picture its name. */
  readonly title: string;
  readonly settings: EditSettings | undefined;
  readonly state: 'source' | 'sending' | 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly picture: HeldPicture | undefined;
  readonly jobId: string | undefined;
  readonly result: JobView['result'];
  readonly position: number | undefined;
  readonly waitSeconds: number | undefined;
  readonly progress: Progress | undefined;
  /** Addresses of the previews so far. */
  readonly previews: readonly string[];
  /** Why it came to nothing. */
  readonly failure: string | undefined;
}

type Changes = Partial<Omit<EditNode, 'id' | 'parent' | 'children'>>;
type MutableNode = { -readonly [Key in keyof EditNode]: EditNode[Key] } & { children: MutableNode[] };

/** Opened pictures and everything that was made of them. One is selected: the next edit goes on from it. */
export class EditTree {
  readonly #roots: MutableNode[] = [];
  readonly #onChange: () => void;
  #selected: EditNode | undefined;
  #count = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get roots(): readonly EditNode[] {
    return this.#roots;
  }

  get selected(): EditNode | undefined {
    return this.#selected;
  }

  select(node: EditNode): void {
    this.#selected = node;
    this.#onChange();
  }

  /** Adds an opened picture and selects it. */
  open(picture: HeldPicture): EditNode {
    const node = this.#add(undefined, { title: picture.name, state: 'source', picture });
    this.select(node);
    return node;
  }

  /** Adds an edit of a node and selects it. */
  edit(parent: EditNode, instruction: string, settings: EditSettings): EditNode {
    const node = this.#add(parent as MutableNode, { title: instruction, state: 'sending', settings });
    this.select(node);
    return node;
  }

  update(node: EditNode, changes: Changes): void {
    Object.assign(node, changes);
    this.#onChange();
  }

  /** Takes a node and all below it out, and gives them. What was selected moves to its parent, or to another picture. */
  remove(node: EditNode): readonly EditNode[] {
    const siblings = (node.parent as MutableNode | undefined)?.children ?? this.#roots;
    siblings.splice(siblings.indexOf(node as MutableNode), 1);
    const gone = withDescendants(node);
    if (this.#selected !== undefined && gone.includes(this.#selected)) {
      this.#selected = node.parent ?? this.#roots.at(-1);
    }
    this.#onChange();
    return gone;
  }

  #add(parent: MutableNode | undefined, own: Changes & Pick<EditNode, 'title' | 'state'>): EditNode {
    this.#count += 1;
    const node: MutableNode = {
      settings: undefined,
      picture: undefined,
      jobId: undefined,
      result: null,
      position: undefined,
      waitSeconds: undefined,
      progress: undefined,
      previews: [],
      failure: undefined,
      ...own,
      id: this.#count,
      parent,
      children: [],
    };
    (parent?.children ?? this.#roots).push(node);
    return node;
  }
}

function withDescendants(node: EditNode): EditNode[] {
  return [node, ...node.children.flatMap(withDescendants)];
}

/** Whether the next edit can start from it. */
export function canGoOnFrom(node: EditNode): boolean {
  return node.picture !== undefined;
}

/** Whether something still happens to it. */
export function isUnderWay({ state }: EditNode): boolean {
  return state === 'sending' || state === 'queued' || state === 'running';
}

/** From the opened picture to a node. */
export function pathTo(node: EditNode): EditNode[] {
  return node.parent === undefined ? [node] : [...pathTo(node.parent), node];
}
