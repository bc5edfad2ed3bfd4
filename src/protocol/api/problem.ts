import { z } from 'zod'

/** An error as HTTP answers carry it: an RFC 9457 problem document (`application/problem+json`) with our code. */
export const problemDocument = z.object({
  type: z.string().describe('The page that explains the code'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  help: z.string(),
  /** The request id: the same as in the server's log. */
  instance: z.string().optional(),
  /** For BAD_REQUEST: the fields that are wrong. */
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})
export type ProblemDocument = z.infer<typeof problemDocument>
