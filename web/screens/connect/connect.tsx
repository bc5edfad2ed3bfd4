import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { connectionAt } from '../../app/connection.ts'
import { useWords } from '../../i18n/i18n.tsx'
import { Entry } from '../entry/entry.tsx'
import { ConnectionLines } from './connection-lines.tsx'

/** Where a QR code of the settings leads: the phone that scanned it shows what to put into its app. */
export function Connect() {
  const { say } = useWords()
  const navigate = useNavigate()
  const [connection] = useState(() => connectionAt(window.location))
  useEffect(() => {
    // The secret has been read; it need not stay in the address bar and in the history.
    if (connection !== undefined) void navigate({ to: '/connect', hash: '', replace: true })
  }, [connection, navigate])
  if (connection === undefined) return <Entry title={say('connectGoneTitle')} text={say('connectGoneText')} />
  return (
    <Entry title={say('connectTitle')} text={say('connectText')}>
      <ConnectionLines connection={connection} />
    </Entry>
  )
}
