/** Writes files into a folder that the user named, making the folders on the way. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MicaError } from '#core/errors';

/** `path` is relative to the folder, with `/`. */
export interface NewFile {
  readonly path: string;
  readonly content: string;
  /** Unix permissions, e.g. 0o755. */
  readonly mode?: number;
}

/** Replaces files of the same name and leaves others alone. Throws MicaError `unwritable-folder`. */
export async function writeFiles(folder: string, files: readonly NewFile[]): Promise<void> {
  for (const { path, content, mode } of files) {
    const target = join(folder, path);
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      // The mode of writeFile is for new files alone.
      if (mode !== undefined) await chmod(target, mode);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new MicaError('unwritable-folder', `${target} cannot be written: ${reason}`, { cause: error });
    }
  }
}
