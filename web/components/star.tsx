import { Heart, Star } from 'lucide-react'
import type { ItemMark } from '../../src/protocol/api/catalog.ts'
import type { MarkKind } from '../../src/protocol/facts/listening.ts'
import { useServices } from '../app/services.tsx'
import { useMark } from '../app/use-mark.ts'
import { useWords } from '../i18n/i18n.tsx'
import { IconButton } from './controls.tsx'
import './star.css'

interface Marked {
  kind: MarkKind
  item: { id: string; mark: ItemMark; name?: string; title?: string }
}

/** The heart: what a person wants to find again. */
export function StarButton({ kind, item, size = 18 }: Marked & { size?: number }) {
  const { marks } = useServices()
  const { say } = useWords()
  const starred = useMark(kind, item).starredAt !== undefined
  const name = item.name ?? item.title ?? ''
  return (
    <IconButton
      icon={Heart}
      size={size}
      className="star"
      filled={starred}
      pressed={starred}
      label={starred ? say('unstarNamed', { name }) : say('starNamed', { name })}
      onClick={() => marks.change(kind, item, { starred: !starred })}
    />
  )
}

const steps = [1, 2, 3, 4, 5]

/** One to five stars; choosing the present rating again takes it away. */
export function Rating({ kind, item }: Marked) {
  const { marks } = useServices()
  const { say } = useWords()
  const { rating } = useMark(kind, item)
  return (
    <fieldset className="rating">
      <legend className="visually-hidden">{say('rating')}</legend>
      {steps.map((step) => (
        <button
          key={step}
          type="button"
          aria-pressed={rating === step}
          aria-label={say('ratingStars', { count: step })}
          title={say('ratingStars', { count: step })}
          className={rating !== undefined && step <= rating ? 'rating-on' : undefined}
          onClick={() => marks.change(kind, item, { rating: rating === step ? null : step })}
        >
          <Star size={16} aria-hidden fill="currentColor" strokeWidth={0} />
        </button>
      ))}
    </fieldset>
  )
}
