import { describeNode } from '../describe.js';
import { type EditNode, type EditTree, isUnderWay } from '../edit-tree.js';
import { byId, make } from './elements.js';

/** Shows all pictures as trees of buttons; the elements of a picture stay the same while it is there, so that focus stays. */
export function createTreeView(actions: {
  onSelect(node: EditNode): void;
  onRemove(node: EditNode): void;
}): (tree: EditTree) => void {
  const section = byId('history', HTMLElement);
  const roots = byId('tree', HTMLUListElement);
  const views = new Map<EditNode, NodeView>();
  let shown: EditNode | undefined;

  return (tree) => {
    const all = new Set<EditNode>();
    const place = (list: HTMLUListElement, nodes: readonly EditNode[]): void => {
      const items = nodes.map((node) => {
        all.add(node);
        const view = views.get(node) ?? createNodeView(node, actions);
        views.set(node, view);
        view.update(node, node === tree.selected);
        place(view.children, node.children);
        return view.item;
      });
      if (items.some((item, index) => list.children[index] !== item) || list.childElementCount !== items.length) {
        list.replaceChildren(...items);
      }
      list.hidden = items.length === 0;
    };
    place(roots, tree.roots);
    for (const node of views.keys()) if (!all.has(node)) views.delete(node);
    section.hidden = tree.roots.length === 0;
    if (tree.selected === shown) return;
    shown = tree.selected;
    const item = shown && views.get(shown)?.item.firstElementChild;
    if (item) bringIntoView(roots, item);
  };
}

/** Scrolls sideways within the list only: the page stays where it is. */
function bringIntoView(list: HTMLElement, item: Element): void {
  const [outer, inner] = [list.getBoundingClientRect(), item.getBoundingClientRect()];
  list.scrollLeft += Math.max(0, inner.right - outer.right + 8) - Math.max(0, outer.left - inner.left + 8);
}

interface NodeView {
  readonly item: HTMLLIElement;
  readonly children: HTMLUListElement;
  update(node: EditNode, selected: boolean): void;
}

function createNodeView(
  node: EditNode,
  actions: { onSelect(node: EditNode): void; onRemove(node: EditNode): void },
): NodeView {
  const image = make('img', { alt: '', draggable: false });
  const title = make('span', { className: 'node-title', textContent: node.title });
  const state = make('span', { className: 'node-state' });
  const select = make('button', { type: 'button', className: 'node' }, [
    make('span', { className: 'thumb' }, [image]),
    title,
    state,
  ]);
  select.title = node.title;
  select.addEventListener('click', () => actions.onSelect(node));
  const remove = make('button', { type: 'button', className: 'remove', textContent: '×' });
  remove.setAttribute('aria-label', `Remove “${node.title}” and what was made of it`);
  remove.addEventListener('click', () => {
    const { activeElement } = document;
    actions.onRemove(node);
    // Whoever works by keyboard goes on from the picture that is shown now.
    if (activeElement === remove) document.querySelector<HTMLElement>('#tree [aria-current]')?.focus();
  });
  const children = make('ul');
  const item = make('li', {}, [make('div', { className: 'node-box' }, [select, remove]), children]);
  return {
    item,
    children,
    update(current, selected) {
      const url = current.picture?.url ?? current.previews.at(-1) ?? current.parent?.picture?.url;
      if (url !== undefined && image.src !== url) image.src = url;
      select.dataset.state = current.state;
      state.textContent = current.state === 'source' || current.state === 'done' ? '' : describeNode(current);
      select.classList.toggle('busy', isUnderWay(current));
      if (selected) select.setAttribute('aria-current', 'true');
      else select.removeAttribute('aria-current');
    },
  };
}
