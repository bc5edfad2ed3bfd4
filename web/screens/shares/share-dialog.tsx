import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ShareSummary } from '../../../src/protocol/api/listening.ts'
import { useNotify } from '../../app/notices.tsx'
import { sharesQuery } from '../../app/queries.ts'
import { useServices } from '../../app/services.tsx'
import type { Sharing } from '../../app/view.ts'
import { copyText } from '../../components/clipboard.ts'
import { Button, Field, Select } from '../../components/controls.tsx'
import { CopyLine } from '../../components/copy-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { formText } from '../../components/form-text.ts'
import { useWords } from '../../i18n/i18n.tsx'

const dayMs = 24 * 3_600_000
const spans = { ever: undefined, day: dayMs, week: 7 * dayMs, month: 30 * dayMs } as const
type Span = keyof typeof spans

/** Makes a link of an album, an artist, a playlist or a song, and copies it. */
export default function ShareDialog({ sharing }: { sharing: Sharing }) {
  const { api, view } = useServices()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say } = useWords()
  const [made, setMade] = useState<ShareSummary>()
  const [span, setSpan] = useState<Span>('ever')
  const close = () => view.set({ sharing: undefined })
  const title = say('shareNamed', { name: sharing.name })

  const make = async (form: FormData) => {
    const lastsMs = spans[span]
    const description = formText(form, 'description').trim()
    const share = await api.makeShare({
      items: [{ kind: sharing.kind, id: sharing.id }],
      ...(description !== '' && { description }),
      ...(lastsMs !== undefined && { expiresAt: Date.now() + lastsMs }),
    })
    setMade(share)
    notify(say((await copyText(share.url)) ? 'shareCopied' : 'shareMade'))
    await queries.invalidateQueries(sharesQuery(api))
  }

  if (made !== undefined) {
    return (
      <Dialog title={title} onClose={close}>
        <p className="soft">{say('shareText')}</p>
        <CopyLine label={say('shareLink')} value={made.url} />
        <div className="dialog-actions">
          <Button look="primary" onClick={close}>
            {say('close')}
          </Button>
        </div>
      </Dialog>
    )
  }
  return (
    <FormDialog title={title} action={say('shareMake')} onSubmit={make} onClose={close}>
      <p className="soft">{say('shareText')}</p>
      <Field label={say('shareMessage')}>
        {(ids) => <input {...ids} className="input" name="description" maxLength={300} />}
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
    </FormDialog>
  )
}
