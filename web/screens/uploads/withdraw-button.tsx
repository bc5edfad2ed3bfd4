import { useQueryClient } from '@tanstack/react-query'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { useApi } from '../../app/services.tsx'
import { Button, IconButton } from '../../components/controls.tsx'
import { Confirm } from '../../components/dialog.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** Takes an upload back, once a person has said so twice. */
export function WithdrawButton({
  track,
  onWithdrawn,
  labelled = false,
}: {
  track: { id: string; title: string }
  onWithdrawn(): void
  /** With its words beside the icon, where it does not stand in a row of many. */
  labelled?: boolean
}) {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say } = useWords()
  const [asking, setAsking] = useState(false)
  const [busy, setBusy] = useState(false)
  const name = track.title
  const ask = () => setAsking(true)
  const withdraw = async () => {
    setBusy(true)
    try {
      await api.withdrawTrack(track.id)
      notify(say('withdrawn', { name }))
      onWithdrawn()
    } catch (error) {
      notify(problemOf(error))
    }
    setBusy(false)
    await queries.invalidateQueries({ queryKey: ['albums'] })
  }
  return (
    <>
      {labelled ? (
        <Button look="danger" icon={Trash2} busy={busy} onClick={ask}>
          {say('withdraw')}
        </Button>
      ) : (
        <IconButton icon={Trash2} label={say('withdrawNamed', { name })} disabled={busy} onClick={ask} />
      )}
      {asking ? (
        <Confirm
          title={say('withdrawTitle', { name })}
          text={say('withdrawText')}
          action={say('withdraw')}
          onConfirm={() => void withdraw()}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </>
  )
}
