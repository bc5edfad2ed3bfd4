import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { RefreshCw } from 'lucide-react'
import type { ScanStatus } from '../../../src/protocol/api/catalog.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { scanQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Progress } from '../../components/controls.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { type Key, useWords } from '../../i18n/i18n.tsx'

/** How far the scan is. The live connection brings each step; without it the question is asked now and then. */
export function ScanPanel() {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const notify = useNotify()
  const scan = useQuery({
    ...scanQuery(api),
    staleTime: 0,
    refetchInterval: (query) => (query.state.data?.phase === 'idle' ? false : 3_000),
  })
  const start = async (full: boolean) => {
    try {
      queries.setQueryData(scanQuery(api).queryKey, await api.scan({ full }))
    } catch (error) {
      notify(problemOf(error))
    }
  }
  const running = scan.data !== undefined && scan.data.phase !== 'idle'
  return (
    <section className="panel scan">
      <h2>{say('scan')}</h2>
      <Loaded query={scan} bones={<Bones shape="line" count={2} />}>
        {(status) => <ScanProgress status={status} />}
      </Loaded>
      <div className="row">
        <Button icon={RefreshCw} disabled={running} onClick={() => void start(false)}>
          {say('scanNow')}
        </Button>
        <Button look="quiet" disabled={running} onClick={() => void start(true)}>
          {say('scanAll')}
        </Button>
      </div>
    </section>
  )
}

const phaseWords = {
  idle: 'phaseIdle',
  walking: 'phaseWalking',
  reading: 'phaseReading',
  removing: 'phaseRemoving',
  hashing: 'phaseHashing',
} as const satisfies Record<ScanStatus['phase'], Key>

function ScanProgress({ status }: { status: ScanStatus }) {
  const { say, format } = useWords()
  const { phase, finishedAt } = status
  const part = phase === 'reading' && status.toRead > 0 ? status.read / status.toRead : undefined
  const text =
    phase === 'idle' && finishedAt !== undefined
      ? say('scanFinished', { when: format.ago(finishedAt) })
      : say(phaseWords[phase])
  const numbers: [Key & ScanNumber, number][] = [
    ['scanSeen', status.seen],
    ['scanAdded', status.added],
    ['scanChanged', status.changed],
    ['scanMoved', status.moved],
    ['scanRemoved', status.removed],
  ]
  return (
    <>
      <p role="status">{text}</p>
      {phase === 'idle' ? null : <Progress value={part} label={text} />}
      {status.error === undefined ? null : <p className="field-error">{status.error}</p>}
      <p className="scan-numbers">
        {numbers.map(([word, value]) => (
          <span key={word}>
            <b>{format.number(value)}</b> {say(word)}
          </span>
        ))}
        {status.problems === 0 ? null : (
          <Link to="/administration/problems" className="badge badge-accent">
            {say('problemCount', { count: status.problems })}
          </Link>
        )}
      </p>
    </>
  )
}
type ScanNumber = 'scanSeen' | 'scanAdded' | 'scanChanged' | 'scanMoved' | 'scanRemoved'
