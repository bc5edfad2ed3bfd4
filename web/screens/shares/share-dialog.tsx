import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ShareSummary } from '../../../src/protocol/api/listening.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { sharesQuery } from '../../app/queries.ts'
import { useServices } from '../../app/services.tsx'
import type { Sharing } from '../../app/view.ts'
import { Button, Field, Select } from '../../components/controls.tsx'
import { CopyLine } from '../../components/copy-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { useWords } from '../../i18n/i18n.tsx'

const dayMs = 24 * 3_600_000
const spans = { ever: undefined, day: dayMs, week: 7 * dayMs, month: 30 * dayMs } as const
type Span = keyof typeof spans

/** Makes a link of an album, a playlist or a song, and copies it. */
export default function ShareDialog({ sharing }: { sharing: Sharing }) {
  const { view } = useServices()
  const { say } = useWords()
  const [made, setMade] = useState<ShareSummary>()
  const close = () => view.set({ sharing: undefined })
  return (
    <Dialog title={say('shareNamed', { name: sharing.name })} onClose={close}>
      <p className="soft">{say('shareText')}</p>
      {made === undefined ? (
        <ShareForm sharing={sharing} onMade={setMade} />
      ) : (
        <>
          <CopyLine label={say('shareLink')} value={made.url} />
          <div className="dialog-actions">
            <Button look="primary" onClick={close}>
              {say('close')}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  )
}

function ShareForm({ sharing, onMade }: { sharing: Sharing; onMade(share: ShareSummary): void }) {
  const { api } = useServices()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say } = useWords()
  const [span, setSpan] = useState<Span>('ever')
  const [description, setDescription] = useState('')
  const [busy, setBusy] = useState(false)

  const make = async () => {
    setBusy(true)
    try {
      const lastsMs = spans[span]
      const made = await api.makeShare({
        items: [{ kind: sharing.kind, id: sharing.id }],
        ...(description.trim() !== '' && { description: description.trim() }),
        ...(lastsMs !== undefined && { expiresAt: Date.now() + lastsMs }),
      })
      onMade(made)
      notify(say((await copied(made.url)) ? 'shareCopied' : 'shareMade'))
      await queries.invalidateQueries(sharesQuery(api))
    } catch (error) {
      notify(problemOf(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void make()
      }}
    >
      <Field label={say('shareMessage')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            maxLength={300}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
        )}
      </Field>
      <Select<Span>
        label={say('shareEnds')}
        hideLabel={false}
        value={span}
        onChange={setSpan}
        options={[
          { value: 'ever', label: say('shareForEver') },
          { value: 'day', label: say('shareForDay') },
          { value: 'week', label: say('shareForWeek') },
          { value: 'month', label: say('shareForMonth') },
        ]}
      />
      <div className="dialog-actions">
        <Button look="primary" type="submit" busy={busy}>
          {say('shareMake')}
        </Button>
      </div>
    </form>
  )
}

/** Whether it could be copied: browsers let pages do so only over HTTPS, and may ask the person. */
async function copied(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard === undefined) return false
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
