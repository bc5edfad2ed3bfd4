import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import type { ClusterNode, ClusterStatus } from '../../../src/protocol/api/cluster.ts'
import { allRoles } from '../../../src/protocol/facts/cluster.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { useApi } from '../../app/services.tsx'
import { Button, Progress } from '../../components/controls.tsx'
import { CopyLine } from '../../components/copy-line.tsx'
import { Confirm, Dialog } from '../../components/dialog.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { formText } from '../../components/form-text.ts'
import { type PlainKey, useWords } from '../../i18n/i18n.tsx'
import { FormField } from './form-field.tsx'

/** Each machine with what it is and how it is, and how one comes, is emptied, and goes. */
export function Machines({ status }: { status: ClusterStatus }) {
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
  const { say } = useWords()
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const [open, setOpen] = useState<'edit' | 'remove'>()
  const close = () => setOpen(undefined)
  const { mutate, isPending } = useMutation({
    mutationFn: (state: ClusterNode['state']) => api.changeNode(node.id, { state }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['cluster'] }),
    onError: (error) => notify(problemOf(error)),
  })
  return (
    <li className="machine">
      <div>
        <b>{node.name}</b>{' '}
        <span className={node.alive ? 'badge badge-second' : 'badge badge-accent'}>{say(stateOf(node))}</span>
        <MachineLines node={node} />
      </div>
      <div className="machine-actions">
        <Button look="quiet" onClick={() => setOpen('edit')}>
          {say('edit')}
        </Button>
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
          <Button look="danger" onClick={() => setOpen('remove')}>
            {say('remove')}
          </Button>
        )}
      </div>
      {open === 'edit' ? <EditDialog node={node} onClose={close} /> : null}
      {open === 'remove' ? (
        <Confirm
          title={say('removeMachineTitle', { name: node.name })}
          text={say(node.alive && !node.drained ? 'removeRunningText' : 'removeMachineText')}
          action={say('remove')}
          onConfirm={() => mutate('removed')}
          onClose={close}
        />
      ) : null}
    </li>
  )
}

function MachineLines({ node }: { node: ClusterNode }) {
  const { say, format } = useWords()
  const { totalBytes, freeBytes = 0, startedAt, clockSkewMs, copies, capacityBytes } = node
  const roles =
    node.roles.length === allRoles.length
      ? say('rolesAll')
      : format.list(node.roles.map((role) => say(roleWords[role])))
  const now = [
    ...(totalBytes === undefined
      ? []
      : [say('bytesOf', { part: format.bytes(totalBytes - freeBytes), whole: format.bytes(totalBytes) })]),
    ...(capacityBytes === undefined ? [] : [say('capacityLine', { bytes: format.bytes(capacityBytes) })]),
    ...(node.load === undefined ? [] : [say('loadLine', { percent: format.percent(node.load, 1) })]),
    ...(startedAt === undefined ? [] : [say('startedAgo', { when: format.ago(startedAt) })]),
  ]
  return (
    <>
      <p className="fine">
        {say('inZone', { zone: node.zone })} · {roles}
      </p>
      {now.length === 0 ? null : <p className="fine">{now.join(' · ')}</p>}
      {copies === undefined || !node.alive ? null : <MachineCopies name={node.name} copies={copies} />}
      {clockSkewMs === undefined ? null : (
        <p className="badge badge-accent">
          {say('clockWrong', { seconds: format.number(Math.round(clockSkewMs / 1_000)) })}
        </p>
      )}
    </>
  )
}

function MachineCopies({ name, copies }: { name: string; copies: NonNullable<ClusterNode['copies']> }) {
  const { say } = useWords()
  const { wanted, missing, surplus } = copies
  const held = Math.max(0, wanted - missing)
  return (
    <>
      <p className="fine">
        {say('copiesOf', { held, count: wanted })}
        {surplus === 0 ? null : ` · ${say('copiesSurplus', { count: surplus })}`}
      </p>
      {missing === 0 ? null : (
        <Progress value={held / Math.max(1, wanted)} label={`${say('copies')}: ${name}`} />
      )}
    </>
  )
}

const roleWords = {
  gateway: 'roleGateway',
  accounts: 'roleAccounts',
  catalog: 'roleCatalog',
  media: 'roleMedia',
  operator: 'roleOperator',
} as const satisfies Record<ClusterNode['roles'][number], PlainKey>

const gigabyte = 1_000_000_000

function EditDialog({ node, onClose }: { node: ClusterNode; onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const save = async (form: FormData) => {
    const capacity = formText(form, 'capacity').trim()
    await api.changeNode(node.id, {
      name: formText(form, 'name'),
      zone: formText(form, 'zone'),
      capacityBytes: capacity === '' ? null : Math.round(Number(capacity) * gigabyte),
    })
    await queries.invalidateQueries({ queryKey: ['cluster'] })
    onClose()
  }
  return (
    <FormDialog title={node.name} action={say('save')} onSubmit={save} onClose={onClose}>
      <FormField label={say('name')} name="name" required maxLength={64} defaultValue={node.name} />
      <FormField
        label={say('zone')}
        hint={say('zoneHint')}
        name="zone"
        required
        maxLength={64}
        defaultValue={node.zone}
      />
      <FormField
        label={say('capacity')}
        hint={say('capacityHint')}
        name="capacity"
        type="number"
        min={2}
        step="any"
        defaultValue={node.capacityBytes === undefined ? '' : node.capacityBytes / gigabyte}
      />
    </FormDialog>
  )
}

function stateOf({ here, alive, drained, state }: ClusterNode): PlainKey {
  if (!alive) return 'machineSilent'
  if (drained) return 'machineDrained'
  if (state === 'draining') return 'machineDraining'
  return here ? 'machineHere' : 'machineAlive'
}
