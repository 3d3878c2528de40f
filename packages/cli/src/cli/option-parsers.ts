import { InvalidArgumentError } from 'commander';

/** Reads an option's value; what it throws becomes a message about the option. */
export type OptionParser<Value> = (text: string) => Value;

/** A whole number within limits. */
export function wholeNumber(minimum: number, maximum: number): OptionParser<number> {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${minimum} to ${maximum}.`);
  };
}

/** A decimal number within limits. */
export function decimalNumber(minimum: number, maximum: number): OptionParser<number> {
  return (text) => {
    const value = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`Expected a number from ${minimum} to ${maximum}.`);
  };
}

/** `WxH` in pixels, e.g. `1024x768`. */
export function imageSize(text: string): { width: number; height: number } {
  const match = /^(\d{1,5})[x×](\d{1,5})$/i.exec(text);
  const width = Number(match?.[1] ?? 0);
  const height = Number(match?.[2] ?? 0);
  if (width > 0 && height > 0) return { width, height };
  throw new InvalidArgumentError('Expected WIDTHxHEIGHT in pixels, e.g. 1024x768.');
}

/** Collects the values of an option that may be given more than once. */
export function collected(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text];
}
