import { describe, expect, test } from 'vitest';
import { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import { Ops } from './ops.js';

function setUp() {
  const graph = new Graph('test');
  return { graph, op: new Ops(graph, 'block.0') };
}

describe('shapes', () => {
  test('of a matrix product broadcast over leading dimensions', () => {
    const { graph, op } = setUp();
    const a = graph.addInput('a', 'float32', ['batch', 1, 5, 7]);
    const b = graph.addInput('b', 'float32', [4, 7, 'queries']);
    expect(op.MatMul(a, b).shape).toEqual(['batch', 4, 5, 'queries']);
  });

  test('of a reshape: 0 copies, -1 takes the rest, symbols stay symbols', () => {
    const { graph, op } = setUp();
    const x = graph.addInput('x', 'float32', ['batch', 'sequence', 12]);
    expect(op.Reshape(x, [0, 0, 3, 4]).shape).toEqual(['batch', 'sequence', 3, 4]);
    expect(op.Reshape(x, [0, 0, 3, -1]).shape).toEqual(['batch', 'sequence', 3, 4]);
    const size = op.sizeAt(graph.addInput('size', 'int64', [2]), 0, 'height');
    expect(op.Reshape(x, [0, size, -1, 12]).shape[1]).toBe('height');
    expect(graph.nodes.some(({ opType }) => opType === 'Shape')).toBe(false);
  });

  test('of a convolution with stride', () => {
    const { graph, op } = setUp();
    const x = graph.addInput('x', 'float32', [1, 8, 16, 'width']);
    const weight = graph.addInput('w', 'float32', [4, 8, 3, 3]);
    expect(op.Conv(x, weight, undefined, { stride: 2, padding: 1 }).shape.slice(0, 3)).toEqual([1, 4, 8]);
    expect(op.Conv(x, weight, undefined, { padding: 1 }).shape).toEqual([1, 4, 16, 'width']);
  });

  test('of concatenations and cuts', () => {
    const { graph, op } = setUp();
    const x = graph.addInput('x', 'float32', ['batch', 6, 4]);
    expect(op.Concat([x, x], 1).shape).toEqual(['batch', 12, 4]);
    expect(op.Concat([x, x], 0).shape).toEqual(['batch+batch', 6, 4]);
    expect(op.Split(x, [2, 4], 1).map(({ shape }) => shape)).toEqual([
      ['batch', 2, 4],
      ['batch', 4, 4],
    ]);
    expect(op.Halve(x, 1)[1].shape).toEqual(['batch', 3, 4]);
    expect(op.Slice(x, 2, 1, 3).shape).toEqual(['batch', 6, 2]);
  });
});

describe('what does not fit is an error that names operator, place and shapes', () => {
  test.each([
    [
      'MatMul',
      (op: Ops, graph: Graph) =>
        op.MatMul(graph.addInput('a', 'float32', [2, 3]), graph.addInput('b', 'float32', [4, 5])),
    ],
    [
      'Gemm',
      (op: Ops, graph: Graph) =>
        op.Gemm(graph.addInput('a', 'float32', [2, 3]), graph.addInput('b', 'float32', [5, 4])),
    ],
    [
      'Add',
      (op: Ops, graph: Graph) => op.Add(graph.addInput('a', 'float32', [2, 3]), graph.addInput('b', 'float32', [2])),
    ],
    ['Mul', (op: Ops, graph: Graph) => op.Mul(graph.addInput('a', 'float32', [2]), graph.addInput('b', 'int64', [2]))],
    [
      'Concat',
      (op: Ops, graph: Graph) =>
        op.Concat([graph.addInput('a', 'float32', [2, 3]), graph.addInput('b', 'float32', [2, 4])], 0),
    ],
    ['Split', (op: Ops, graph: Graph) => op.Split(graph.addInput('a', 'float32', [2, 3]), [1, 1], 1)[0]],
    ['Reshape', (op: Ops, graph: Graph) => op.Reshape(graph.addInput('a', 'float32', [2, 3]), [4, 2])],
    ['Transpose', (op: Ops, graph: Graph) => op.Transpose(graph.addInput('a', 'float32', [2, 3]), [0])],
    [
      'Conv',
      (op: Ops, graph: Graph) =>
        op.Conv(graph.addInput('a', 'float32', [1, 3, 8, 8]), graph.addInput('w', 'float32', [4, 5, 3, 3]), undefined),
    ],
  ])('%s', (name, build) => {
    const { graph, op } = setUp();
    const error = (() => {
      try {
        build(op, graph);
      } catch (caught) {
        return caught;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(GraphError);
    expect(error).toMatchObject({ op: name, message: expect.stringContaining('block.0') });
  });
});

test('equal small constants are held once', () => {
  const { graph, op } = setUp();
  expect(op.float(1)).toBe(op.float(1));
  expect(op.float([1])).not.toBe(op.float(1));
  expect(op.int64([1, 2])).toBe(op.int64([1, 2]));
  expect(graph.constants.size).toBe(3);
});
