import type { SharedV3Warning } from '@ai-sdk/provider';
import type { ParsedImageOptions } from './image-options.js';

/** Bytes of a picture file. */
export interface PictureFile {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

export interface ImageRequest {
  readonly instruction: string;
  /** The picture to edit; without one a picture is made from the instruction alone. */
  readonly picture: PictureFile | undefined;
  readonly mask: PictureFile | undefined;
  /** 1 to 10. */
  readonly count: number;
  readonly seed: number;
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly options: ParsedImageOptions;
  readonly headers: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface MadePicture {
  /** Of a picture file: base64, or its bytes. */
  readonly data: string | Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface ImageAnswer {
  readonly pictures: readonly MadePicture[];
  readonly warnings: readonly SharedV3Warning[];
  readonly headers: Record<string, string> | undefined;
}

/** Who makes the pictures: an editor of this process, or a server. */
export interface ImageService {
  /** @throws an error of the AI SDK's own classes, or the signal's reason */
  make(request: ImageRequest): Promise<ImageAnswer>;
  close(): Promise<void>;
}
