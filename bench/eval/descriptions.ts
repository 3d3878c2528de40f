import { list, oneOf, readJson, record, sentence } from './checked-json.ts';
import { SCENE_COLOR_NAMES, type Scene, type SceneColor } from './scene.ts';

/** A description that a picture is made from. */
export interface Description {
  readonly text: string;
  /** Of a scene, or of something that a small model cannot make. */
  readonly kind: 'described' | 'no-scene';
  /** How it is worded: direct, short, typo and so on. */
  readonly style: string;
  /** What exactly it means; none: the result should say that it was not understood. */
  readonly scene: Scene | undefined;
}

/**
 * Reads the descriptions of the JSON file that has the instructions too; `phrases.json` shows the form.
 * @throws {InvalidArgumentError} naming what is not as it should be.
 */
export async function readDescriptions(file: string): Promise<Description[]> {
  return parseDescriptions(await readJson(file), file);
}

/** The descriptions of a parsed file. */
export function parseDescriptions(value: unknown, file: string): Description[] {
  const { described = [], 'no-scene': noScene = [] } = record(value, file);
  return [
    ...list(described, `${file}: described`).map(
      ({ text, style = 'direct', above, below }): Description => ({
        text: sentence(text, `${file}: described`),
        kind: 'described',
        style: sentence(style, `${file}: described`),
        scene: {
          above: oneOf(above, SCENE_COLOR_NAMES, `${file}: above`) as SceneColor,
          below: oneOf(below, SCENE_COLOR_NAMES, `${file}: below`) as SceneColor,
        },
      }),
    ),
    ...list(noScene, `${file}: no-scene`).map(
      ({ text }): Description => ({
        text: sentence(text, `${file}: no-scene`),
        kind: 'no-scene',
        style: 'direct',
        scene: undefined,
      }),
    ),
  ];
}
