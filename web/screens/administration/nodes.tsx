import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Waypoints } from 'lucide-react'
import { useState } from 'react'
import type { ClusterNode, ClusterStatus } from '../../../src/protocol/api/cluster.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { clusterQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Progress } from '../../components/controls.tsx'
import { CopyLine } from '../../components/copy-line.tsx'
import { Confirm, Dialog } from '../../components/dialog.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { type PlainKey, useWords } from '../../i18n/i18n.tsx'

/** The machines of the cluster: how each of them is, what is being copied, and how they come and go. */
export function Nodes() {
  const { say } = useWords()
  const cluster = useQuery(clusterQuery(useApi()))
  if (cluster.error !== null && problemOf(cluster.error).code === 'NOT_IN_CLUSTER') {
    return (
      <EmptyState icon={Waypoints} title={say('aloneTitle')} text={say('aloneText')}>
        <code>npm run hocket -- cluster init</code>
      </EmptyState>
    )
  }
  return (
    <div className="narrow">
      <Loaded query={cluster} bones={<Bones shape="line" count={6} />}>
        {(status) => (
          <>
            <Copies status={status} />
            <Machines status={status} />
          </>
        )}
      </Loaded>
    </div>
  )
}

/** What keeps the facts from being saved; undefined: nothing does. */
function storeTrouble({ storeAlarm, storeReachable }: ClusterStatus): PlainKey | undefined {
  if (storeAlarm !== undefined) return storeAlarm === 'full' ? 'storeFull' : 'storeDiverged'
  return storeReachable ? undefined : 'storeAway'
}

function Copies({ status }: { status: ClusterStatus }) {
  const { copies, settings } = status
  const { say, format } = useWords()
  const trouble = storeTrouble(status)
  return (
    <section className="panel">
      <h2>{say('copies')}</h2>
      {trouble === undefined ? null : (
        <p className="badge badge-accent" role="alert">
          {say(trouble)}
        </p>
      )}
      <p className="fine">{say('replicasLine', { count: settings.replicas })}</p>
      {copies.missing === 0 ? (
        <p>{say('copiesComplete', { count: copies.held })}</p>
      ) : (
        <>
          <Progress value={copies.held / Math.max(1, copies.wanted)} label={say('copies')} />
          <p>
            {say('copiesMissing', { count: copies.missing })} · {format.bytes(copies.bytesPerSecond)}/s
          </p>
        </>
      )}
      {copies.unavailable === 0 ? null : (
        <p className="badge badge-accent">{say('copiesUnavailable', { count: copies.unavailable })}</p>
      )}
    </section>
  )
}

function Machines({ status }: { status: ClusterStatus }) {
  const { say } = useWords()
  const [line, setLine] = useState<string>()
  const api = useApi()
  const notify = useNotify()
  const invite = useMutation({
    mutationFn: async () => setLine((await api.inviteNode()).line),
    onError: (error) => notify(problemOf(error)),
  })
  return (
    <section className="panel">
      <h2>{say('machines')}</h2>
      <ul className="lines">
        {status.nodes
          .filter(({ state }) => state !== 'removed')
          .map((node) => (
            <Machine key={node.id} node={node} />
          ))}
      </ul>
      <div className="row">
        <Button look="primary" icon={Plus} busy={invite.isPending} onClick={() => invite.mutate()}>
          {say('addMachine')}
        </Button>
      </div>
      {line === undefined ? null : (
        <Dialog title={say('addMachine')} onClose={() => setLine(undefined)}>
          <div className="stack">
            <p>{say('addMachineText')}</p>
            <CopyLine label={say('joinLine')} value={`npm run hocket -- up --join ${line}`} />
          </div>
        </Dialog>
      )}
    </section>
  )
}

function Machine({ node }: { node: ClusterNode }) {
  const { say, format } = useWords()
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const [removing, setRemoving] = useState(false)
  const { mutate, isPending } = useMutation({
    mutationFn: (state: ClusterNode['state']) => api.changeNode(node.id, state),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['cluster'] }),
    onError: (error) => notify(problemOf(error)),
  })
  const used = (node.totalBytes ?? 0) - (node.freeBytes ?? 0)
  return (
    <li>
      <div>
        <b>{node.name}</b>{' '}
        <span className={node.alive ? 'badge badge-second' : 'badge badge-accent'}>{say(stateOf(node))}</span>
        <p className="fine">{say('inZone', { zone: node.zone })}</p>
        {node.totalBytes === undefined ? null : (
          <p className="fine">
            {say('bytesOf', { part: format.bytes(used), whole: format.bytes(node.totalBytes) })} ·{' '}
            {say('loadLine', { percent: format.percent(node.load ?? 0, 1) })}
            {node.startedAt === undefined
              ? null
              : ` · ${say('startedAgo', { when: format.ago(node.startedAt) })}`}
          </p>
        )}
        {node.clockSkewMs === undefined ? null : (
          <p className="badge badge-accent">
            {say('clockWrong', { seconds: format.number(Math.round(node.clockSkewMs / 1_000)) })}
          </p>
        )}
      </div>
      {node.state === 'draining' ? (
        <Button look="quiet" busy={isPending} onClick={() => mutate('active')}>
          {say('takeBack')}
        </Button>
      ) : (
        <Button look="quiet" busy={isPending} onClick={() => mutate('draining')}>
          {say('drain')}
        </Button>
      )}
      {node.here ? null : (
        <Button look="danger" onClick={() => setRemoving(true)}>
          {say('remove')}
        </Button>
      )}
      {removing ? (
        <Confirm
          title={say('removeMachineTitle', { name: node.name })}
          text={say('removeMachineText')}
          action={say('remove')}
          onConfirm={() => mutate('removed')}
          onClose={() => setRemoving(false)}
        />
      ) : null}
    </li>
  )
}

function stateOf({ here, alive, state }: ClusterNode): PlainKey {
  if (!alive) return 'machineSilent'
  if (state === 'draining') return 'machineDraining'
  return here ? 'machineHere' : 'machineAlive'
}
