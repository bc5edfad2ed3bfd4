import { z } from 'zod'
import { feedHead, feedItem } from '../../protocol/facts/podcasts.ts'

/** What the child that reads feeds says. It reads hostile text: its answers are checked like any input. */
export const answer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('head'), head: feedHead }),
  /** Items in their order, so many at a time that nobody is held up by checking them. */
  z.object({ kind: z.literal('items'), items: z.array(feedItem).max(100) }),
  z.object({ kind: z.literal('end') }),
  z.object({ kind: z.literal('none'), detail: z.string().max(500) }),
])
export type Answer = z.infer<typeof answer>

/** How the feed is to be read; its bytes come by the standard input. */
export interface Question {
  readonly base: string
  readonly charset?: string | undefined
}
