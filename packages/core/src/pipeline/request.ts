/** An edit's parameters with every default filled in. */
export interface ResolvedRequest {
  readonly task: 'edit' | 'generate';
  readonly instructions: readonly string[];
  /** Seed of the initial noise, 0..2^32-1. */
  readonly seed: number;
  readonly numInferenceSteps: number;
  /** Weight of the instruction; 1 or less turns guidance off. */
  readonly guidanceScale: number;
  /** Weight of the source picture; under 1 turns image guidance off. */
  readonly imageGuidanceScale: number;
  /** Pictures an instruction. */
  readonly numImages: number;
  /** Size asked for; undefined: the source's. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  /** `exact`: what was not edited stays where it was. `reference`: the authors' letterbox crop. `pipeline`: the authors' bare pipeline. */
  readonly geometry: 'exact' | 'reference' | 'pipeline';
  readonly preserve: 'off' | 'tone' | 'auto';
  readonly previews: boolean;
}
