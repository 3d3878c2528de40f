import { toLab } from './measures.ts';
import type { Picture } from './picture.ts';
import { paintScene, SCENES, type Scene } from './scene.ts';

/** The exact pictures of all scenes, and which of them something is nearest to. */
export class SceneTargets {
  /** Of the last picture's height: most come in one size. */
  #height = 0;
  /** A column of each scene in Lab, in the order of `SCENES`: a scene is the same all along a row. */
  #columns: readonly Float32Array[] = [];

  /** The scene whose exact picture, at the size of this one, has the smallest mean distance in Lab from it. */
  nearest(picture: Picture): Scene {
    const { height } = picture;
    if (height !== this.#height) {
      this.#columns = SCENES.map((scene) => toLab(paintScene({ ...scene, width: 1, height })));
      this.#height = height;
    }
    const lab = toLab(picture);
    const distances = this.#columns.map((column) => distance(lab, picture, column));
    return SCENES[distances.indexOf(Math.min(...distances))] as Scene;
  }
}

/** Mean Lab distance between a picture and the one whose columns are all the same. */
function distance(lab: Float32Array, { width, height }: Picture, column: Float32Array): number {
  const count = width * height;
  let sum = 0;
  for (let row = 0; row < height; row++) {
    const l = column[row] as number;
    const a = column[height + row] as number;
    const b = column[2 * height + row] as number;
    for (let pixel = row * width; pixel < (row + 1) * width; pixel++) {
      const x = (lab[pixel] as number) - l;
      const y = (lab[count + pixel] as number) - a;
      const z = (lab[2 * count + pixel] as number) - b;
      sum += Math.sqrt(x * x + y * y + z * z);
    }
  }
  return sum / count;
}
