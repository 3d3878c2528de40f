/**
 * Characters that Python's `str.isspace` takes for whitespace. JavaScript's `trim` differs: it leaves the separators U+001C..1F and the
 * next-line character U+0085, and it takes the byte order mark U+FEFF.
 */
const WHITESPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const START = new RegExp(`^[${WHITESPACE}]+`, 'u');
const SPACE = new RegExp(`[${WHITESPACE}]`, 'u');

/** `str.strip()` of Python. */
export function pythonStrip(text: string): string {
  const trimmed = text.replace(START, '');
  let end = trimmed.length;
  // From the end by hand: an expression anchored there would try every run of spaces inside the text.
  while (end > 0 && SPACE.test(trimmed[end - 1]!)) end--;
  return trimmed.slice(0, end);
}
