/** Text that a parser of XML 1.0 takes: what may not appear there (control characters, single surrogates) becomes U+FFFD. */
export function escapeXml(text: string): string {
  let escaped = '';
  for (const character of text) escaped += ESCAPES[character] ?? (isXmlCharacter(character) ? character : '\uFFFD');
  return escaped;
}

/** A carriage return would come back as a line feed. */
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** The production Char of XML 1.0, section 2.2. */
function isXmlCharacter(character: string): boolean {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}

/** The beginning of a text whose escaped form has at most so many bytes in UTF-8, with an ellipsis where something was cut off. */
export function fitEscaped(text: string, mostBytes: number): string {
  const encoder = new TextEncoder();
  const length = (value: string): number => encoder.encode(escapeXml(value)).length;
  if (length(text) <= mostBytes) return text;
  let kept = '';
  let bytes = length('…');
  for (const character of text) {
    bytes += length(character);
    if (bytes > mostBytes) break;
    kept += character;
  }
  return `${kept}…`;
}
