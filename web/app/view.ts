import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import type { ShareItem } from '../../src/protocol/facts/listening.ts'

/** What the page shows that is neither in the address nor on the server. */
export interface View {
  queueOpen: boolean
  connected: boolean
  signedOut: boolean
  notices: readonly Notice[]
  /** The track whose details are shown. */
  details: TrackSummary | undefined
  /** What a link is to be made of. */
  sharing: Sharing | undefined
  /** The device that has changed this account's queue while this page has one of its own. */
  queueElsewhere: string | undefined
}

export interface Sharing extends ShareItem {
  readonly name: string
}

/** A line that appears for a few seconds: something was done, or could not be. */
export interface Notice {
  id: number
  text?: string
  problem?: ProblemDocument
}

export const firstView: View = {
  queueOpen: false,
  connected: true,
  signedOut: false,
  notices: [],
  details: undefined,
  sharing: undefined,
  queueElsewhere: undefined,
}

const mostShown = 3

export function withNotice(view: View, notice: Omit<Notice, 'id'>): Partial<View> {
  const id = (view.notices.at(-1)?.id ?? 0) + 1
  return { notices: [...view.notices, { ...notice, id }].slice(-mostShown) }
}
