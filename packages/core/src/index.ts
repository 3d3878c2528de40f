export type { EditedImage, Editor, EditorOptions, EditRequest, EditResult, GenerateRequest } from './editor-types.js';
export { OffloadError } from './errors/offload-error.js';
export { createOffload, type FunctionName, type Offload, type OffloadCall } from './worker/offload.js';
