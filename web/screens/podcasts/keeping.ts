import { useQueryClient } from '@tanstack/react-query'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'

/** Does something to the podcasts, shows them as they are afterwards, and says what was done, or why it could not be. */
export function useKeeping(): (action: () => Promise<unknown>, done?: string) => Promise<boolean> {
  const queries = useQueryClient()
  const notify = useNotify()
  return async (action, done) => {
    try {
      await action()
      await queries.invalidateQueries({ queryKey: ['podcasts'] })
      if (done !== undefined) notify(done)
      return true
    } catch (error) {
      notify(problemOf(error))
      return false
    }
  }
}
