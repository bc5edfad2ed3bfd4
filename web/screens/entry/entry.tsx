import type { ReactNode } from 'react'
import type { ProblemDocument } from '../../../src/protocol/api/problem.ts'
import { Field } from '../../components/controls.tsx'
import { Wordmark } from '../../components/logo.tsx'
import { useTitle } from '../../components/page.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './entry.css'

/** The pages before one is inside: a card beside the two voices. */
export function Entry({
  title,
  text,
  children,
}: {
  title: string
  text?: string | undefined
  children?: ReactNode
}) {
  useTitle(title)
  return (
    <main className="entry">
      <div className="entry-art" aria-hidden>
        <Voices />
      </div>
      <div className="entry-card">
        <Wordmark />
        <div>
          <h1>{title}</h1>
          {text === undefined ? null : <p className="soft">{text}</p>}
        </div>
        {children}
      </div>
    </main>
  )
}

/** Two voices in turn, as bars of a score: where one rests, the other sounds. */
const bars = [3, 5, 2, 6, 4, 7, 3, 5, 6, 2, 5, 4, 7, 3, 6, 5, 2, 4].map((size, index) => {
  const height = size * 11
  return index % 2 === 0
    ? { className: 'voice-first', x: 4 + index * 20, y: 96 - height, height }
    : { className: 'voice-second', x: 4 + index * 20, y: 104, height }
})

function Voices() {
  return (
    <svg viewBox="0 0 360 200" preserveAspectRatio="xMidYMid slice" aria-hidden focusable="false">
      {bars.map((bar) => (
        <rect key={bar.x} {...bar} width={12} rx={6} />
      ))}
    </svg>
  )
}

export function NameAndPassword({
  isNew,
  problem,
}: {
  /** A new password is chosen, rather than a known one given. */
  isNew: boolean
  problem: ProblemDocument | undefined
}) {
  const { say } = useWords()
  const wrong = (field: string) => problem?.fields?.find((one) => one.path.endsWith(field))?.message
  return (
    <>
      <Field label={say('userName')} error={wrong('name')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            name="name"
            required
            maxLength={64}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
          />
        )}
      </Field>
      <Field label={say('password')} hint={isNew ? say('passwordHint') : undefined} error={wrong('password')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            type="password"
            name="password"
            required
            minLength={isNew ? 8 : 1}
            maxLength={1024}
            autoComplete={isNew ? 'new-password' : 'current-password'}
          />
        )}
      </Field>
    </>
  )
}
