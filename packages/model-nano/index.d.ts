/** Folder of the checkpoint, in the published diffusers layout. */
export declare const checkpointPath: string;
