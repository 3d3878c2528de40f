export {
  type CompiledModel,
  type CompileOptions,
  compileComponent,
  type ValueInfo,
  type WeightInput,
} from './compile-component.js';
export { GraphError } from './ir/graph-error.js';
export type { CompileTarget } from './target.js';
