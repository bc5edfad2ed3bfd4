import { X } from 'lucide-react'
import { useServices } from '../../app/services.tsx'
import { IconButton } from '../../components/controls.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { QueueList } from './queue-list.tsx'

/** The queue beside the screen, on wide windows. */
export default function QueuePanel() {
  const { view } = useServices()
  const { say } = useWords()
  return (
    <aside className="queue-panel" aria-label={say('queue')}>
      <header>
        <h2>{say('queue')}</h2>
        <IconButton icon={X} label={say('close')} onClick={() => view.set({ queueOpen: false })} />
      </header>
      <QueueList />
    </aside>
  )
}
