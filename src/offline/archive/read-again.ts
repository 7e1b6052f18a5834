/** Reading a source whose archived files may be replaced at any moment: what fails for that is begun anew. */

/** What of an archive is read. */
interface ReadState {
  readonly files: readonly string[];
  readonly erased: string | undefined;
}

/** How often a reading is begun: files are replaced by erasures, one at a time. */
const attempts = 5;

/** What `read` gives; where it fails and files that it may have read count no longer, or other rows are erased, it is called again. */
export async function readAgain<T>(look: () => Promise<ReadState>, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const before = await look();
    try {
      return await read();
    } catch (error) {
      if (attempt === attempts || !isReplaced(before, await look())) throw error;
    }
  }
}

function isReplaced(before: ReadState, now: ReadState): boolean {
  return before.erased !== now.erased || before.files.some((file) => !now.files.includes(file));
}
