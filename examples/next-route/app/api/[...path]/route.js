/** Everything under /api goes to the edit API: /api/v1/jobs, /api/v1/images/edits, /api/docs. */
import { handleEdit } from '../../../lib/edit-api.ts';

export const GET = handleEdit;
export const POST = handleEdit;
export const DELETE = handleEdit;
