/** The page's element with an id, which index.html has. */
export function byId<Element extends HTMLElement>(id: string, type: new () => Element): Element {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`Expected a ${type.name} with the id ${id}`);
}

/** Makes an element with properties and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** Sets a picture's address only where it changed: setting it again loads it again. */
export function showPicture(image: HTMLImageElement, url: string, alt: string): void {
  if (image.src !== url) image.src = url;
  image.alt = alt;
}
