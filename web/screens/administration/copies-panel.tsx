import { useQueryClient } from '@tanstack/react-query'
import { Settings2 } from 'lucide-react'
import { useState } from 'react'
import type { ClusterStatus } from '../../../src/protocol/api/cluster.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Progress } from '../../components/controls.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { formText } from '../../components/form-text.ts'
import { type PlainKey, useWords } from '../../i18n/i18n.tsx'
import { FormField } from './form-field.tsx'

/** How the copies of all machines stand, how far a repair is, and by which settings they are made. */
export function CopiesPanel({ status }: { status: ClusterStatus }) {
  const { say, format } = useWords()
  const [changing, setChanging] = useState(false)
  const { copies, settings } = status
  const trouble = storeTrouble(status)
  const { storeMembers, storeAnswering } = status
  const graceMs = settings.graceSeconds * 1_000
  return (
    <section className="panel copies">
      <h2>{say('copies')}</h2>
      {trouble === undefined ? null : (
        <p className="badge badge-accent" role="alert">
          {say(trouble)}
        </p>
      )}
      {trouble === undefined && storeAnswering < storeMembers ? (
        <p className="badge badge-accent">
          {say('storePart', { held: storeAnswering, count: storeMembers })}
        </p>
      ) : null}
      {copies.missing > 0 ? <Repair copies={copies} /> : null}
      {copies.settled && copies.held === copies.wanted ? (
        <p>{say('copiesComplete', { count: copies.held })}</p>
      ) : null}
      {!copies.settled && copies.held === copies.wanted && status.storeReachable ? (
        <p>{say('copiesCompared')}</p>
      ) : null}
      {copies.away === 0 ? null : (
        <p className="fine">{say('copiesAway', { count: copies.away, time: format.duration(graceMs) })}</p>
      )}
      {copies.unavailable === 0 ? null : (
        <p className="badge badge-accent">{say('copiesUnavailable', { count: copies.unavailable })}</p>
      )}
      <p className="fine">
        {say('replicasLine', { count: settings.replicas })}{' '}
        {say('quorumLine', { count: settings.writeQuorum })}{' '}
        {say('graceLine', { time: format.duration(graceMs) })}
      </p>
      <div className="row">
        <Button icon={Settings2} onClick={() => setChanging(true)}>
          {say('changeSettings')}
        </Button>
      </div>
      {changing ? <SettingsDialog settings={settings} onClose={() => setChanging(false)} /> : null}
    </section>
  )
}

/** What keeps the facts from being saved; undefined: nothing does. */
function storeTrouble({ storeAlarm, storeReachable }: ClusterStatus): PlainKey | undefined {
  if (storeAlarm !== undefined) return storeAlarm === 'full' ? 'storeFull' : 'storeDiverged'
  return storeReachable ? undefined : 'storeAway'
}

function Repair({ copies }: { copies: ClusterStatus['copies'] }) {
  const { say, format } = useWords()
  const { held, wanted, missing, missingBytes, bytesPerSecond } = copies
  const line = [
    say('copiesMissing', { count: missing }),
    format.bytes(missingBytes),
    ...(bytesPerSecond === 0
      ? []
      : [
          `${format.bytes(bytesPerSecond)}/s`,
          say('timeLeft', { duration: format.duration((missingBytes / bytesPerSecond) * 1_000) }),
        ]),
  ]
  return (
    <>
      <Progress value={held / Math.max(1, wanted)} label={say('copies')} />
      <p>{line.join(' · ')}</p>
    </>
  )
}

function SettingsDialog({ settings, onClose }: { settings: ClusterStatus['settings']; onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const save = async (form: FormData) => {
    await api.changeClusterSettings({
      replicas: Number(formText(form, 'replicas')),
      writeQuorum: Number(formText(form, 'quorum')),
      graceSeconds: Math.round(Number(formText(form, 'grace')) * 60),
    })
    await queries.invalidateQueries({ queryKey: ['cluster'] })
    onClose()
  }
  const number = { type: 'number', required: true }
  return (
    <FormDialog title={say('settingsTitle')} action={say('save')} onSubmit={save} onClose={onClose}>
      <FormField
        label={say('replicas')}
        hint={say('replicasHint')}
        name="replicas"
        {...number}
        min={1}
        max={9}
        defaultValue={settings.replicas}
      />
      <FormField
        label={say('quorum')}
        hint={say('quorumHint')}
        name="quorum"
        {...number}
        min={1}
        max={9}
        defaultValue={settings.writeQuorum}
      />
      <FormField
        label={say('grace')}
        hint={say('graceHint')}
        name="grace"
        {...number}
        min={0}
        max={43_200}
        step="any"
        defaultValue={settings.graceSeconds / 60}
      />
    </FormDialog>
  )
}
