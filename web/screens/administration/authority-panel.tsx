import { useMutation, useQueryClient } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { type ClusterStatus, expiresSoon } from '../../../src/protocol/api/cluster.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { useApi } from '../../app/services.tsx'
import { Button } from '../../components/controls.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** By which authority the machines know each other: shown when it is about to expire, or being replaced. */
export function AuthorityPanel({ status }: { status: ClusterStatus }) {
  const { say, format } = useWords()
  const api = useApi()
  const notify = useNotify()
  const queries = useQueryClient()
  const { mutate, isPending } = useMutation({
    mutationFn: () => api.renewAuthority(),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['cluster'] }),
    onError: (error) => notify(problemOf(error)),
  })
  const { expiresAt, renewal } = status.authority
  if (renewal === undefined && !expiresSoon(status.authority, Date.now())) return null
  const waiting = status.nodes.filter(({ id }) => renewal?.waitingFor.includes(id))
  const silent = waiting.filter(({ alive }) => !alive)
  return (
    <section className="panel authority">
      <h2>{say('authority')}</h2>
      {renewal === undefined ? (
        <>
          <p role="alert">{say('authorityExpires', { date: format.date(expiresAt) })}</p>
          <div className="row">
            <Button look="primary" icon={RefreshCw} busy={isPending} onClick={() => mutate()}>
              {say('authorityRenew')}
            </Button>
          </div>
        </>
      ) : (
        <>
          <p>{say('authorityRenewal')}</p>
          {waiting.length === 0 ? null : (
            <p className="fine">
              {say('authorityWaiting', { names: format.list(waiting.map(({ name }) => name)) })}
            </p>
          )}
          {silent.length === 0 ? null : (
            <p className="badge badge-accent">
              {say('authoritySilent', { names: format.list(silent.map(({ name }) => name)) })}
            </p>
          )}
        </>
      )}
    </section>
  )
}
