import { describe, expect, it } from 'vitest';
import { type PlanOutputsOptions, planOutputs } from './plan-outputs.js';

function paths(options: Partial<PlanOutputsOptions>): string[][] {
  const plan = planOutputs({
    inputs: ['photo.jpg'],
    instructions: ['Make it warmer!'],
    count: 1,
    output: undefined,
    format: undefined,
    outputIsFolder: false,
    ...options,
  });
  return plan.map((outputs) => outputs.map(({ path, format }) => `${path} (${format})`));
}

describe('planOutputs', () => {
  it('names a result after its source and instruction, beside the source and in its format', () => {
    expect(paths({ inputs: ['holiday/photo.webp'] })).toEqual([['holiday/photo-make-it-warmer.webp (webp)']]);
    expect(paths({ inputs: ['photo.JPEG'] })).toEqual([['photo-make-it-warmer.jpg (jpeg)']]);
    expect(paths({ inputs: ['scan.tiff'] })).toEqual([['scan-make-it-warmer.png (png)']]);
  });

  it('numbers results that would have the same name', () => {
    expect(paths({ count: 2, instructions: ['warmer', 'warmer!', 'cooler'] })[0]).toEqual([
      'photo-warmer.jpg (jpeg)',
      'photo-warmer-2.jpg (jpeg)',
      'photo-warmer-3.jpg (jpeg)',
      'photo-warmer-4.jpg (jpeg)',
      'photo-cooler.jpg (jpeg)',
      'photo-cooler-2.jpg (jpeg)',
    ]);
    expect(paths({ inputs: ['a/x.png', 'b/x.png'], instructions: ['warmer'], output: 'out/' })).toEqual([
      ['out/x-warmer.png (png)'],
      ['out/x-warmer-2.png (png)'],
    ]);
  });

  it('keeps words of any script and cuts long instructions at a word', () => {
    expect(paths({ instructions: ['сделай теплее'] })).toEqual([['photo-сделай-теплее.jpg (jpeg)']]);
    expect(paths({ instructions: ['!!!'] })).toEqual([['photo.jpg (jpeg)']]);
    const [[name = ''] = []] = paths({
      instructions: ['make the whole picture look like an old postcard from the sea'],
    });
    expect(name).toBe('photo-make-the-whole-picture-look-like-an-old.jpg (jpeg)');
  });

  it('takes the file that the user names, and its format', () => {
    expect(paths({ output: 'out.png' })).toEqual([['out.png (png)']]);
    expect(paths({ output: 'out', format: 'avif' })).toEqual([['out (avif)']]);
  });

  it('numbers the file that the user names when there are several results', () => {
    expect(paths({ inputs: ['a.jpg', 'b.jpg'], output: 'out.png', count: 2 })).toEqual([
      ['out-1.png (png)', 'out-2.png (png)'],
      ['out-3.png (png)', 'out-4.png (png)'],
    ]);
  });

  it('takes an output for a folder when it is one, looks like one, or has to be one', () => {
    expect(paths({ output: 'out', outputIsFolder: true })).toEqual([['out/photo-make-it-warmer.jpg (jpeg)']]);
    expect(paths({ output: 'out/' })).toEqual([['out/photo-make-it-warmer.jpg (jpeg)']]);
    expect(paths({ output: 'out', inputs: ['a.jpg', 'b.jpg'] })).toEqual([
      ['out/a-make-it-warmer.jpg (jpeg)'],
      ['out/b-make-it-warmer.jpg (jpeg)'],
    ]);
  });

  it('goes from standard input to standard output', () => {
    expect(paths({ inputs: ['-'] })).toEqual([['- (png)']]);
    expect(paths({ inputs: ['photo.jpg'], output: '-' })).toEqual([['- (jpeg)']]);
    expect(paths({ inputs: ['-'], output: 'out.webp' })).toEqual([['out.webp (webp)']]);
    expect(paths({ inputs: ['-'], output: 'out/' })).toEqual([['out/make-it-warmer.png (png)']]);
  });

  it('names what is generated after its description', () => {
    expect(paths({ inputs: [undefined], instructions: ['a red sky'] })).toEqual([['a-red-sky.png (png)']]);
  });

  it('refuses contradictions', () => {
    expect(() => paths({ output: 'out.png', format: 'webp' })).toThrow('--format says webp and --output out.png');
    expect(() => paths({ output: 'out.bmp' })).toThrow(
      'Expected a file that ends with .png, .jpg, .jpeg, .webp, .avif',
    );
    expect(() => paths({ output: '-', count: 2 })).toThrow('Expected one result but there are 2');
    expect(() => paths({ inputs: ['-', 'a.jpg'] })).toThrow('name a folder with --output');
  });
});
