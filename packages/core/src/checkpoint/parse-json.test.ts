import { expect, test } from 'vitest';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { decodeUtf8, describeValue, parseJson } from './parse-json.js';

const parse = (text: string) => parseJson({ text, file: 'a.json' });

test.each([
  '{}',
  '[]',
  ' [ 1 , -0.5e-3 , 12E2 , "a\\u00e9\\n\\"" , true , false , null , { "b" : [ { } ] } ] ',
  '"\\\\"',
  '0',
  '{"constructor": 1, "toString": {"valueOf": 2}}',
])('reads %s as JSON.parse does', (text) => {
  expect(parse(text)).toEqual(JSON.parse(text));
});

test('reads the bare numbers that Python writes, outside strings only', () => {
  expect(parse('{"a": -Infinity, "b": [Infinity, NaN], "-Infinity": "NaN"}')).toEqual({
    a: Number.NEGATIVE_INFINITY,
    b: [Number.POSITIVE_INFINITY, Number.NaN],
    '-Infinity': 'NaN',
  });
});

test.each([
  ['', /a JSON value .* but received the end of the file/],
  ['{', /a key in double quotes/],
  ['{"a" 1}', /":".* character 5/],
  ['{"a": 1,}', /a key in double quotes/],
  ['[1 2]', /"," or "\]"/],
  ['[1,]', /a JSON value/],
  ['01', /nothing more/],
  ['-', /a JSON value/],
  ['.5', /a JSON value/],
  ['+1', /a JSON value/],
  ['undefined', /a JSON value/],
  ['-NaN', /a JSON value/],
  ['infinity', /a JSON value/],
  ['{} x', /nothing more/],
  ['"abc', /a JSON string that ends/],
  ['"a\u0001"', /a JSON string/],
  ['"\\x"', /a JSON string/],
  ["{'a': 1}", /a key in double quotes/],
  ['{"a": 1, "a": 2}', /every key once/],
  ['{"a": 1, "\\u0061": 2}', /every key once/],
  ['{"__proto__": {"polluted": true}}', /a key other than __proto__/],
  ['['.repeat(100_000), /at most 64 levels/],
  ['{"a":'.repeat(100_000), /at most 64 levels/],
])('refuses %.30j', (text, message) => {
  expect(() => parse(text)).toThrow(InvalidCheckpointError);
  expect(() => parse(text)).toThrow(message);
});

test('bounds the count of values', () => {
  expect(parseJson({ text: '[1, 2]', file: 'a.json', maxValues: 3 })).toEqual([1, 2]);
  expect(() => parseJson({ text: '[1, 2, 3]', file: 'a.json', maxValues: 3 })).toThrow(/at most 3 values/);
});

test('refuses bytes that are no UTF-8', () => {
  expect(decodeUtf8({ bytes: new TextEncoder().encode('é'), file: 'a.json' })).toBe('é');
  expect(() => decodeUtf8({ bytes: Uint8Array.of(0xff, 0xfe), file: 'a.json' })).toThrow(InvalidCheckpointError);
});

test('describes values shortly', () => {
  expect(describeValue(undefined)).toBe('nothing');
  expect(describeValue(Number.NEGATIVE_INFINITY)).toBe('-Infinity');
  expect(describeValue({ a: [Number.NaN] })).toBe('{"a":["NaN"]}');
  expect(describeValue('x'.repeat(1000))).toHaveLength(100);
});
