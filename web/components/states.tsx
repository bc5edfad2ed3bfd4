import type { UseQueryResult } from '@tanstack/react-query'
import { type LucideIcon, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import { problemOf } from '../api/problem.ts'
import { useWords } from '../i18n/i18n.tsx'
import { Button } from './controls.tsx'
import './states.css'

/** What a query gives: bones while it loads, the problem with a way to try again, or the thing itself. */
export function Loaded<T>({
  query,
  bones,
  children,
}: {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch' | 'isFetching'>
  bones: ReactNode
  children: (data: T) => ReactNode
}) {
  if (query.data !== undefined) return children(query.data)
  if (query.error !== null)
    return <ProblemState problem={problemOf(query.error)} retry={() => query.refetch()} />
  return bones
}

export function ProblemState({ problem, retry }: { problem: ProblemDocument; retry?: () => unknown }) {
  const words = useWords()
  const { title, detail, help } = words.problem(problem)
  return (
    <div className="state" role="alert">
      <p className="state-code">{problem.code}</p>
      <h2>{title}</h2>
      {detail === undefined ? null : <p lang="en">{detail}</p>}
      <p className="state-help">{help}</p>
      {retry === undefined ? null : (
        <Button icon={RotateCw} onClick={() => retry()}>
          {words.say('tryAgain')}
        </Button>
      )}
      {problem.instance === undefined ? null : <p className="state-fine">{problem.instance}</p>}
    </div>
  )
}

/** Nothing is here yet: what would be here, and how it comes. */
export function EmptyState({
  icon: Icon,
  title,
  text,
  children,
}: {
  icon: LucideIcon
  title: string
  text: string
  children?: ReactNode
}) {
  return (
    <div className="state">
      <span className="state-icon">
        <Icon size={28} aria-hidden />
      </span>
      <h2>{title}</h2>
      <p className="state-help">{text}</p>
      {children === undefined ? null : <div className="state-actions">{children}</div>}
    </div>
  )
}

/** The grey shapes of what is about to come. */
export function Bones({ shape, count = 1 }: { shape: 'card' | 'row' | 'hero' | 'line'; count?: number }) {
  const { say } = useWords()
  return (
    <div className={`bones bones-${shape}`} role="status" aria-label={say('loading')}>
      {Array.from({ length: count }, (_, index) => `bone-${index}`).map((key) => (
        <Bone key={key} shape={shape} />
      ))}
    </div>
  )
}

export function Bone({ shape }: { shape: 'card' | 'row' | 'hero' | 'line' }) {
  return (
    <div className={`bone bone-${shape}`} aria-hidden>
      <i />
      <b>
        <i />
        <i />
      </b>
    </div>
  )
}
