import { useRouter } from '@tanstack/react-router'
import { ChevronLeft } from 'lucide-react'
import { IconButton } from '../../components/controls.tsx'
import { useTitle } from '../../components/page.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { QueueList } from './queue-list.tsx'

/** The queue as a screen of its own, on phones. */
export function QueueScreen() {
  const { say } = useWords()
  const router = useRouter()
  useTitle(say('queue'))
  return (
    <div className="queue-screen">
      <header>
        <IconButton icon={ChevronLeft} size={24} label={say('back')} onClick={() => router.history.back()} />
        <h1>{say('queue')}</h1>
      </header>
      <QueueList />
    </div>
  )
}
