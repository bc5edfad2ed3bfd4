import type { Id } from '../protocol/ids.ts'
import { derivedId } from '../store/derived-id.ts'

/** Stands for an artist where an album names none, nor do its tracks. No fact says it: there is nobody of that id. */
export const nobody: Id = derivedId('nobody')
