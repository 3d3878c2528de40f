/** A waiting job as its user's line sees it. */
export interface Waiting {
  readonly id: string;
  readonly user: string;
  readonly priority: number;
  readonly sequence: number;
}

interface Line<Item> {
  ticket: number;
  /** In the order they will be taken. */
  readonly items: Item[];
}

/** Waiting jobs of many users, taken in turns. See `JobStore` for the rule. */
export class FairTurns<Item extends Waiting> {
  readonly #lines = new Map<string, Line<Item>>();
  #tickets = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: Item): void {
    let line = this.#lines.get(item.user);
    if (line === undefined) {
      line = { ticket: ++this.#tickets, items: [] };
      this.#lines.set(item.user, line);
    }
    let place = line.items.length;
    while (place > 0 && before(item, line.items[place - 1] as Item)) place -= 1;
    line.items.splice(place, 0, item);
    this.#size += 1;
  }

  take(): Item | undefined {
    let next: Line<Item> | undefined;
    for (const line of this.#lines.values()) if (next === undefined || line.ticket < next.ticket) next = line;
    const item = next?.items[0];
    if (next === undefined || item === undefined) return undefined;
    this.remove(item);
    next.ticket = ++this.#tickets;
    return item;
  }

  remove(item: Item): void {
    const line = this.#lines.get(item.user);
    const place = line?.items.indexOf(item) ?? -1;
    if (line === undefined || place < 0) return;
    line.items.splice(place, 1);
    this.#size -= 1;
    if (line.items.length === 0) this.#lines.delete(item.user);
  }

  /** How many are taken before it. */
  position(item: Item): number | undefined {
    const own = this.#lines.get(item.user);
    const ahead = own?.items.indexOf(item) ?? -1;
    if (own === undefined || ahead < 0) return undefined;
    let position = ahead;
    for (const line of this.#lines.values()) {
      if (line !== own) position += Math.min(line.items.length, line.ticket < own.ticket ? ahead + 1 : ahead);
    }
    return position;
  }

  /** Waiting jobs of a user. */
  countOf(user: string): number {
    return this.#lines.get(user)?.items.length ?? 0;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (const { items } of this.#lines.values()) yield* items;
  }
}

function before(a: Waiting, b: Waiting): boolean {
  return a.priority === b.priority ? a.sequence < b.sequence : a.priority > b.priority;
}
