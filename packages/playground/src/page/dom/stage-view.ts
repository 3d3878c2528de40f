import { describeNode, progressOf } from '../describe.js';
import { type EditNode, isUnderWay, pathTo } from '../edit-tree.js';
import { byId, make, showPicture } from './elements.js';

export interface StageView {
  show(node: EditNode | undefined): void;
  /** Scrolls to the picture where most of it is out of sight, as on a phone. */
  reveal(): void;
}

/** Shows the selected picture: alone, while it is made, or before and after. */
export function createStageView(actions: { onCancel(node: EditNode): void; onRetry(node: EditNode): void }): StageView {
  const stage = byId('stage', HTMLElement);
  const empty = byId('empty', HTMLElement);
  const compare = byId('compare', HTMLElement);
  const after = byId('after', HTMLImageElement);
  const before = byId('before', HTMLImageElement);
  const slider = byId('slider', HTMLInputElement);
  const work = byId('work', HTMLElement);
  const status = byId('work-status', HTMLElement);
  const bar = byId('work-bar', HTMLProgressElement);
  const previews = byId('previews', HTMLOListElement);
  const cancel = byId('cancel', HTMLButtonElement);
  const retry = byId('retry', HTMLButtonElement);
  const original = byId('from-original', HTMLInputElement);
  const warnings = byId('warnings', HTMLUListElement);
  const download = byId('download', HTMLAnchorElement);
  const caption = byId('caption', HTMLElement);
  let shown: EditNode | undefined;

  const moveDivider = (): void => compare.style.setProperty('--at', `${slider.value}%`);
  slider.addEventListener('input', moveDivider);
  original.addEventListener('change', () => show(shown));
  cancel.addEventListener('click', () => shown && actions.onCancel(shown));
  retry.addEventListener('click', () => shown && actions.onRetry(shown));
  const controls = [cancel, retry, download, byId('choose-another', HTMLButtonElement)];

  function show(node: EditNode | undefined): void {
    const another = node !== shown;
    const focused = controls.find((control) => control === document.activeElement);
    shown = node;
    empty.hidden = node !== undefined;
    stage.hidden = node === undefined;
    if (node === undefined) return;
    const { parent, picture, state } = node;
    const source = original.checked ? pathTo(node)[0] : parent;
    const latest = node.previews.at(-1);
    const current = picture?.url ?? latest ?? parent?.picture?.url;
    if (current !== undefined) showPicture(after, current, picture ? node.title : `${node.title}, not finished yet`);
    const comparable = picture !== undefined && source?.picture !== undefined;
    compare.classList.toggle('comparing', comparable);
    // Previews are small: the source's shape holds the place.
    const frame = picture ?? parent?.picture;
    if (frame !== undefined) compare.style.setProperty('--ratio', String(frame.width / frame.height));
    before.hidden = !comparable;
    if (comparable) showPicture(before, source.picture.url, 'The picture before');
    slider.hidden = !comparable;
    if (another) slider.value = '50';
    moveDivider();
    byId('compare-choice', HTMLElement).hidden = !comparable || pathTo(node).length < 3;

    caption.textContent = state === 'source' ? node.title : `“${node.title}”`;
    status.textContent = state === 'source' ? 'Say what should change' : describeNode(node);
    work.dataset.state = state;
    const share = progressOf(node);
    bar.hidden = !isUnderWay(node);
    if (share === undefined) bar.removeAttribute('value');
    else bar.value = share;
    cancel.hidden = !isUnderWay(node);
    retry.hidden = state !== 'failed' && state !== 'cancelled';
    showPreviews(node);
    warnings.replaceChildren(
      ...(node.result?.warnings ?? []).map(({ message }) => make('li', { textContent: message })),
    );
    download.hidden = picture === undefined || state === 'source';
    if (picture !== undefined) {
      download.href = picture.url;
      download.download = picture.name;
    }
    // A control that goes hands the focus on.
    if (focused?.hidden) controls.find(({ hidden }) => !hidden)?.focus();
  }

  /** Adds what is new: the ones that are there stay, and are not loaded again. */
  function showPreviews(node: EditNode): void {
    if (previews.dataset.node !== String(node.id)) previews.replaceChildren();
    previews.dataset.node = String(node.id);
    node.previews.slice(previews.childElementCount).forEach((url) => {
      const number = previews.childElementCount + 1;
      const image = make('img', { src: url, alt: `Step ${number}` });
      // It has no width before.
      image.addEventListener('load', () => {
        previews.scrollLeft = previews.scrollWidth;
      });
      previews.append(make('li', {}, [image]));
    });
    previews.hidden = node.previews.length === 0;
  }

  return {
    show,
    reveal() {
      const { top, bottom, height } = compare.getBoundingClientRect();
      const visible = Math.min(bottom, innerHeight) - Math.max(top, 0);
      if (visible > height / 2) return;
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
      stage.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
    },
  };
}
