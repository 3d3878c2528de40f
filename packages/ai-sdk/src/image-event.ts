import { z } from 'zod';

/** An error as OpenAI's API and the server write it. */
export const apiError = z.looseObject({
  error: z.looseObject({
    message: z.string(),
    type: z.string().nullish(),
    param: z.string().nullish(),
    code: z.string().nullish(),
  }),
});

export type ApiErrorBody = z.infer<typeof apiError>;

const completed = z
  .object({
    type: z.enum(['image_edit.completed', 'image_generation.completed']),
    b64_json: z.string().min(1),
    size: z.string().regex(/^\d+x\d+$/),
    warnings: z.array(z.looseObject({ message: z.string() })).optional(),
  })
  .transform(({ b64_json, size, warnings = [] }) => {
    const [width, height] = size.split('x').map(Number) as [number, number];
    return { type: 'completed' as const, picture: { data: b64_json, width, height }, warnings };
  });

/** Partial images, and what a later server may send. */
const other = z
  .object({ type: z.string().refine((type) => !type.endsWith('.completed')) })
  .transform(() => ({ type: 'other' as const }));

/** An event of the image routes with `stream`. */
export const imageEvent = z.union([completed, apiError, other]);

export type ImageEvent = z.infer<typeof imageEvent>;
