export { createPlayground, type Playground } from './create-playground.js';
