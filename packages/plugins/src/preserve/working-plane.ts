/** One value a pixel at working size, stretched over the picture where it is used. */
export interface WorkingPlane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}
