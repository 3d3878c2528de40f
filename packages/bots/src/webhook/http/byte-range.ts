/** Bytes of a file: from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What a `Range` header asks for (RFC 9110, section 14). Several ranges, other units, and what is no range are not heard, as the RFC
 * lets a server do: the whole file is sent.
 *
 * @param length Bytes of the file.
 */
export function byteRange(header: string | undefined, length: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first = '', last = ''] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '') ?? [];
  const isSuffix = first === '';
  if (isSuffix && last === '') return 'whole';
  const start = isSuffix ? Math.max(0, length - Number(last)) : Number(first);
  const end = isSuffix || last === '' ? length : Math.min(length, Number(last) + 1);
  if (!isSuffix && last !== '' && Number(last) < start) return 'whole';
  return start < length ? { start, end } : 'unsatisfiable';
}
