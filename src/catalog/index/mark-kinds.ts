import type { MarkKind } from '../../protocol/facts/listening.ts'

/** How the table of marks writes the kinds of items. */
export const markKinds = { track: 0, album: 1, artist: 2 } as const satisfies Record<MarkKind, number>
