export type { EditedImage, Editor, EditorOptions, EditRequest, EditResult, GenerateRequest } from './editor-types.js';
