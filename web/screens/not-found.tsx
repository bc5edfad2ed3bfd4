import { Link } from '@tanstack/react-router'
import { MapPinOff } from 'lucide-react'
import { useTitle } from '../components/page.tsx'
import { EmptyState } from '../components/states.tsx'
import { useWords } from '../i18n/i18n.tsx'

export function NotFound() {
  const { say } = useWords()
  useTitle(say('notFoundTitle'))
  return (
    <EmptyState icon={MapPinOff} title={say('notFoundTitle')} text={say('notFoundText')}>
      <Link to="/" className="button button-primary">
        {say('home')}
      </Link>
    </EmptyState>
  )
}
