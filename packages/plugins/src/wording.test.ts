import { describe, expect, it } from 'vitest';
import { type WordingModel, wordingDistance } from './wording.js';

const model: WordingModel = {
  weights: Float32Array.from({ length: 2 ** 16 }, (_, place) => (place % 97) / 97),
  bias: 0.5,
};

describe('the distance of a wording', () => {
  // By `pieces` of the training's scope.py.
  it.each([
    ['b&w', 2.099492],
    ['Mach es  wärmer!', 3.948669],
    ['сделай ёлку Ярче', 4.287256],
    ['🎩 add\na hat', 3.30863],
    ['x', 0.624967],
  ])('is what training computes: %j', (text, expected) => {
    expect(wordingDistance(text, model)).toBeCloseTo(0.5 + expected, 5);
  });

  it('minds no case, accents or breaks', () => {
    const distance = wordingDistance('etwas warmer bitte', model);
    for (const text of ['Etwas WÄRMER bitte', '  etwas\twarmer\n bitte ', 'etwas wa\u0308rmer bitte']) {
      expect(wordingDistance(text, model), text).toBe(distance);
    }
    expect(wordingDistance('etwas warmer, bitte', model)).not.toBe(distance);
  });

  it('is that of a text without pieces where there is hardly any', () => {
    expect(wordingDistance('\u0301', { weights: new Float32Array(2), bias: 0.5 })).toBe(0.5);
  });
});
