import { Button } from '../components/controls.tsx'
import { useWords } from '../i18n/i18n.tsx'
import { clientName } from './client-name.ts'
import { useServices, useView } from './services.tsx'

/** Two devices have each a queue of this account: neither takes the other's away; the person says which goes on. */
export function QueueElsewhere() {
  const { remembered } = useServices()
  const { say } = useWords()
  const device = useView((view) => view.queueElsewhere)
  if (device === undefined) return null
  return (
    <div className="notice notice-choice">
      <div>
        <p>{say('queueElsewhere', { device: clientName(device) })}</p>
        <p className="notice-help">{say('queueElsewhereText')}</p>
      </div>
      <Button onClick={remembered.keepOurs}>{say('keepOurs')}</Button>
      <Button look="primary" onClick={remembered.takeTheirs}>
        {say('takeTheirs')}
      </Button>
    </div>
  )
}
