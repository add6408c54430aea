/** Notes in memory, for tests that need no table. */
import type { NoteStore } from '../../core/stores/note-store.ts';

export function memoryNotes(): NoteStore {
  const notes = new Map<string, string>();
  return {
    get: async (key) => notes.get(key),
    put: async (key, text) => void notes.set(key, text),
    async putFirst(key, text) {
      if (notes.has(key)) return false;
      notes.set(key, text);
      return true;
    },
  };
}
