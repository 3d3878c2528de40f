/** What the form holds besides the instruction; undefined: the server's default. */
export interface EditSettings {
  readonly seed: number | undefined;
  readonly steps: number | undefined;
  /** Weight of the instruction. */
  readonly guidanceScale: number | undefined;
  /** Weight of the source picture. */
  readonly imageGuidanceScale: number | undefined;
  /** How far the untouched source is kept. */
  readonly preserve: 'off' | 'tone' | 'auto' | undefined;
}

/** Writes an edit into the form that the API takes. */
export function editForm(options: {
  instruction: string;
  settings: EditSettings;
  /** A picture, or the job whose result is the source. */
  source: { readonly file: Blob; readonly name: string } | { readonly job: string };
  /** The job that it goes on from, where the picture is sent again. */
  parent?: string | undefined;
}): FormData {
  const { instruction, settings, source, parent } = options;
  const form = new FormData();
  if ('job' in source) form.set('image_job', source.job);
  else form.set('image', source.file, source.name);
  form.set('instruction', instruction);
  form.set('previews', 'true');
  const fields = {
    parent,
    seed: settings.seed,
    num_inference_steps: settings.steps,
    guidance_scale: settings.guidanceScale,
    image_guidance_scale: settings.imageGuidanceScale,
    preserve: settings.preserve,
  };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, String(value));
  return form;
}
