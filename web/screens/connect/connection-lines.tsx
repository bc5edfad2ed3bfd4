import type { Connection } from '../../app/connection.ts'
import { CopyLine } from '../../components/copy-line.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** The three things that Subsonic apps ask for, in the words that most of them use. */
export function ConnectionLines({ connection }: { connection: Connection }) {
  const { say } = useWords()
  return (
    <div className="stack">
      <CopyLine label={say('serverAddress')} value={connection.server} />
      <CopyLine label={say('userName')} value={connection.user} />
      <CopyLine label={say('secretAsPassword')} value={connection.secret} />
      <p className="fine">{say('passwordDoesNotWork')}</p>
    </div>
  )
}
